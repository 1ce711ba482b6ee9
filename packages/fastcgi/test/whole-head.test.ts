import { describe, expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { begin, pairs, params, plainGet, stdin } from '@postern/testkit';
import { RecordReader } from '../src/record-reader.ts';
import { Requests } from '../src/requests.ts';
import { openWhole } from '../src/whole-head.ts';
import { ok, type Serving, serve, served } from './serving.ts';

const content = pairs({ ...plainGet, HTTP_X: 'x' });

function get(id = 1): Buffer[] {
  return [begin(id, 1), params(content, id, { padding: 5 }), params('', id)];
}

/** How many bytes are taken for a whole head; -1: the records are left to be read one by one. */
function taken(chunks: readonly Buffer[], { limits = {}, peer }: Serving = {}): number {
  const reader = new RecordReader();
  const requests = new Requests(limitsWith(limits), peer?.roles);
  for (const chunk of chunks) reader.receive(chunk);
  const before = reader.buffered;
  return openWhole(reader, requests, limitsWith(limits)) === undefined ? -1 : before - reader.buffered;
}

describe('a head that lies in one piece', () => {
  const head = Buffer.concat(get());

  it('is taken at once, and what lies behind it is left', () => {
    expect(taken([head])).toBe(head.length);
    expect(taken([Buffer.concat([head, stdin()])])).toBe(head.length);
    expect(taken([head, stdin()])).toBe(head.length);
    expect(taken([Buffer.concat([begin(0x1234, 1), params('a', 0x1234), params('', 0x1234)])])).toBe(33);
  });

  it('is taken within the limits', () => {
    const limits = { maxEnvBytes: content.length, maxParamsRecords: 1, maxConcurrentPerConnection: 1 };
    expect(taken([head], { limits })).toBe(head.length);
  });

  it('is not taken where a byte of it is missing, or it lies in two pieces', () => {
    for (let end = 0; end < head.length; end++) {
      expect(taken([head.subarray(0, end)])).toBe(-1);
      if (end > 0) expect(taken([head.subarray(0, end), head.subarray(end)])).toBe(-1);
    }
  });

  it.each<[string, Buffer[], Serving]>([
    ['PARAMS in two records', [begin(1, 1), params(content.subarray(0, 9)), params(content.subarray(9)), params()], {}],
    ['no PARAMS', [begin(1, 1), params('', 1, { padding: 8 }), params()], {}],
    ['STDIN before the end of PARAMS', [begin(1, 1), params(content), stdin(), params()], {}],
    ['another id', [begin(1, 1), params(content, 2), params('', 2)], {}],
    ['the id 0', [begin(0, 1), params(content, 0), params('', 0)], {}],
    ['an authorizer', [begin(1, 1, 2), params(content), params()], { peer: { roles: ['responder', 'authorizer'] } }],
    ['a role that the application has not', get(), { peer: { roles: ['authorizer'] } }],
    ['an end with a padding', [begin(1, 1), params(content), params('', 1, { padding: 1 })], {}],
    ['a BEGIN_REQUEST with a padding', [begin(1, 1, 1, { padding: 8 }), params(content), params()], {}],
    ['more than maxEnvBytes', get(), { limits: { maxEnvBytes: content.length - 1 } }],
  ])('is not taken with %s', (_, chunks, serving) => {
    expect(taken([Buffer.concat(chunks)], serving)).toBe(-1);
  });

  it('comes to what its records come to one by one, whatever byte of them is another', () => {
    const bytes = Buffer.concat([...get(), stdin()]);
    const headers = [...Array(24).keys(), ...Array.from({ length: 16 }, (_, i) => bytes.length - 16 + i)];
    let refused = 0;
    for (const at of headers) {
      for (const change of [1, 2, 5, 0x80]) {
        const other = Buffer.from(bytes);
        other[at] ^= change;
        const whole = serve([other]);
        expect(serve([...other].map((byte) => Buffer.of(byte)))).toEqual(whole);
        if (whole.errors.length > 0 || whole.replies.length === 0) refused++;
      }
    }
    expect(refused).toBeGreaterThan(headers.length);
  });

  it.each<[string, Serving]>([
    ['one at a time', { limits: { maxConcurrentPerConnection: 1 } }],
    ['two to a connection', { limits: { maxConnectionRequests: 2 } }],
    ['few bytes', { limits: { maxEnvBytes: content.length - 1 } }],
    ['no application', { peer: { roles: ['authorizer'] } }],
  ])('comes to the same with %s', (_, serving) => {
    served(Buffer.concat([...get(1), stdin(), ...get(2), ...get(3), stdin('', 2), stdin('', 3)]), serving);
    served(Buffer.concat([...get(1), ...get(1), stdin()]), serving);
  });

  it('is answered', () => {
    const { replies, asked } = served(Buffer.concat([...get(7), stdin('', 7), ...get(0x107), stdin('', 0x107)]));
    expect(replies).toEqual([ok(7), ok(0x107)]);
    expect(asked.map(({ variables }) => variables.HTTP_X)).toEqual(['x', 'x']);
  });
});
