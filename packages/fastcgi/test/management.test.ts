import { describe, expect, it } from '@jest/globals';
import { begin, hex, pair, pairs, params, record, stdin } from '@postern/testkit';
import { both, bytes, closes, ENV } from './bad-input.ts';
import { serve } from './serving.ts';

describe('management records', () => {
  const known = ['FCGI_MAX_CONNS', 'FCGI_MAX_REQS', 'FCGI_MPXS_CONNS'];
  const ask = (...names: string[]): Buffer => record(9, 0, bytes(...names.map((name) => pair(name, ''))));

  it('vF27 the three standard names are answered with the limits', () => {
    const { others } = both(ask(...known), { limits: { maxConnections: 1234, maxConcurrentPerConnection: 5 } });
    expect(others).toMatchObject([{ type: 10, id: 0 }]);
    const values = { FCGI_MAX_CONNS: '1234', FCGI_MAX_REQS: '5', FCGI_MPXS_CONNS: '1' };
    expect(Buffer.from(others[0].content, 'latin1')).toEqual(pairs(values));
  });

  it.each([
    [1, '0'],
    [2, '1'],
  ])('vF27 with room for %d requests FCGI_MPXS_CONNS is %s', (maxConcurrentPerConnection, value) => {
    const { others } = both(ask('FCGI_MPXS_CONNS'), { limits: { maxConcurrentPerConnection } });
    expect(Buffer.from(others[0].content, 'latin1')).toEqual(pair('FCGI_MPXS_CONNS', value));
  });

  it('vF28 names of Object.prototype are unknown like any other', () => {
    const { others } = both(ask('toString', 'constructor', '__proto__', 'hasOwnProperty', 'FCGI_MPXS_CONNS'));
    expect(Buffer.from(others[0].content, 'latin1')).toEqual(pair('FCGI_MPXS_CONNS', '1'));
  });

  it('vF29 nothing asked is nothing answered', () => {
    const { output } = both(hex('01 09 00 00 00 00 00 00'));
    expect(Buffer.from(output, 'latin1')).toEqual(hex('01 0a 00 00 00 00 00 00'));
  });

  it.each(['0e 00 46', '0e', '80 00 00', '00 80'])('vF30 the truncated pair %s closes', (content) => {
    closes('ERR_FCGI_RECORD', record(9, 0, hex(content)));
  });

  it('vF31 a name that is asked 4095 times is answered once', () => {
    const outcome = serve([ask(...Array.from({ length: 4095 }, () => 'FCGI_MAX_CONNS'))]);
    expect(Buffer.from(outcome.others[0].content, 'latin1')).toEqual(pair('FCGI_MAX_CONNS', '1024'));
    expect(outcome.others).toHaveLength(1);
  });

  it('vF32 GET_VALUES for an id is ignored', () => {
    expect(both(hex('01 09 00 01 00 00 00 00'))).toMatchObject({ errors: [], output: '', close: false });
  });

  it.each([
    ['GET_VALUES', ask(...known)],
    ['an unknown type', record(200, 0)],
  ])('vF33 a flood of %s closes, with little written', (_, one) => {
    const flood = bytes(...Array.from({ length: 10_000 }, () => one));
    const outcome = serve([flood]);
    expect(outcome).toMatchObject({ asked: [], errors: ['ERR_FLOOD'], close: 'reset' });
    expect(outcome.others).toHaveLength(100);
    expect(outcome.output.length).toBeLessThan(10_000);
  });

  it('may come between all records of a request', () => {
    const get = ask('FCGI_MAX_REQS');
    const outcome = both(bytes(begin(), get, params(ENV), get, params(), get, stdin()));
    expect(outcome.asked).toHaveLength(1);
    expect(outcome.others.map(({ type }) => type)).toContain(10);
  });
});
