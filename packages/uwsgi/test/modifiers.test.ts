import { describe, expect, it } from '@jest/globals';
import { OK, refused, talk } from './harness.ts';
import { block, get, packet, post } from './writer.ts';

const notServed = refused('ERR_UWSGI_MODIFIER', 501, 'Not Implemented');
const PING = packet(Buffer.alloc(0), { modifier1: 100 });

describe('modifier 30', () => {
  const mounted = (script: string, path: string, modifier1 = 30): Buffer =>
    packet(block('REQUEST_METHOD', 'GET', 'REQUEST_URI', '/app/x', 'SCRIPT_NAME', script, 'PATH_INFO', path), {
      modifier1,
    });

  it('cuts SCRIPT_NAME off PATH_INFO, where it is served', () => {
    const { asked, output } = talk(mounted('/app', '/app/x'), { modifier30: true });
    expect(asked[0].variables.slice(4)).toEqual(['SCRIPT_NAME', '/app', 'PATH_INFO', '/x']);
    expect(asked[0].head.target).toBe('/app/x');
    expect(output).toBe(OK);
  });

  it('goes by the values that count, where one is repeated', () => {
    const flat = ['SCRIPT_NAME', '/old', 'PATH_INFO', '/app/x', 'SCRIPT_NAME', '/app'];
    const bytes = packet(block('REQUEST_METHOD', 'GET', ...flat), { modifier1: 30 });
    const { asked } = talk(bytes, { modifier30: true });
    expect(asked[0].variables).toEqual(['REQUEST_METHOD', 'GET', 'SCRIPT_NAME', '/app', 'PATH_INFO', '/x']);
  });

  it('has a body like any request', () => {
    const bytes = post('abc');
    bytes[0] = 30;
    expect(talk(bytes, { modifier30: true })).toMatchObject({ asked: [{ body: 'abc', ended: 'end' }], output: OK });
  });

  it('changes nothing of a request with modifier 0', () => {
    const { asked } = talk(mounted('/app', '/app/x', 0), { modifier30: true });
    expect(asked[0].variables.slice(4)).toEqual(['SCRIPT_NAME', '/app', 'PATH_INFO', '/app/x']);
  });

  it('is refused by default, with a modifier2, and where pings alone are served', () => {
    expect(talk(mounted('/app', '/app/x'))).toEqual(notServed);
    expect(talk(mounted('/app', '/app/x'), { ping: true })).toEqual(notServed);
    const second = packet(block('REQUEST_METHOD', 'GET'), { modifier1: 30, modifier2: 1 });
    expect(talk(second, { modifier30: true })).toEqual(notServed);
  });
});

describe('a ping', () => {
  it('is answered, where it is served, and the connection ends', () => {
    const pong = { asked: [], errors: [], output: '\x64\0\0\x01', close: 'fin' };
    expect(talk(PING, { ping: true })).toEqual(pong);
    expect(talk(PING, { ping: true, fin: true })).toEqual(pong);
    expect(talk(packet(block('A', 'b'), { modifier1: 100 }), { ping: true })).toEqual(pong);
  });

  it('is refused by default, and where modifier 30 alone is served', () => {
    expect(talk(PING)).toEqual(notServed);
    expect(talk(PING, { modifier30: true })).toEqual(notServed);
  });

  it('is not answered to an answer', () => {
    expect(talk(packet(Buffer.alloc(0), { modifier1: 100, modifier2: 1 }), { ping: true })).toEqual(notServed);
  });

  it('leaves requests as they are', () => {
    expect(talk(get(), { ping: true })).toMatchObject({ asked: [{ ended: 'end' }], output: OK });
  });
});
