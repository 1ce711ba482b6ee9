import { describe, expect, it } from '@jest/globals';
import { type LimitName, limitsWith, type PeerOptions } from '@postern/core';
import { type Conversation, converse, cutAt, hear, singleBytes, type Twist, twist } from '@postern/testkit';
import fc from 'fast-check';
import { scgi } from '../src/index.ts';
import { block, bytes, DEEP_THOUGHT, GET, netstring, QUESTION } from './writer.ts';

const prototype = Object.getOwnPropertyNames(Object.prototype).sort().join();
const noise = fc.uint8Array({ maxLength: 60 }).map((some) => Buffer.from(some));
const cuts = fc.array(fc.nat(300), { maxLength: 6 });

/** Pieces of bytes, and a valid conversation with one byte changed, a piece taken out, a piece twice, or its end cut. */
function inputs(piece: fc.Arbitrary<Buffer>, valid: Buffer): fc.Arbitrary<Buffer> {
  const twisted = fc
    .record<Twist>({
      at: fc.nat(valid.length - 1),
      length: fc.nat(30),
      byte: fc.nat(255),
      how: fc.constantFrom('flip', 'drop', 'twice', 'cut'),
    })
    .map((how) => twist(valid, how));
  const pieces = fc.array(piece, { maxLength: 6 }).map((list) => Buffer.concat(list));
  return fc.oneof(noise, pieces, twisted);
}

describe('any bytes towards the application', () => {
  const name = fc.constantFrom('CONTENT_LENGTH', 'SCGI', 'REQUEST_METHOD', '__proto__', 'HTTP_A', 'A B', '');
  const value = fc.constantFrom('0', '1', '5', 'GET', '', '-1', 'x\n', 'x'.repeat(50));
  const head = fc
    .array(fc.tuple(name, value), { maxLength: 6 })
    .map((pairs) => bytes(netstring(block('CONTENT_LENGTH', '3', 'REQUEST_METHOD', 'PUT', ...pairs.flat()))));
  const piece = fc.oneof(head, noise, fc.constantFrom(bytes(GET), bytes('abc'), bytes('7'), bytes('999999:')));
  const input = inputs(piece, bytes(DEEP_THOUGHT + QUESTION));
  const tight: Partial<Record<LimitName, number>> = { bodyHighWater: 3, maxEnvBytes: 150, maxEnvCount: 6 };
  const peers: PeerOptions[] = [{}, { strict: true }, { halfCloseServes: true }];

  it('are one request or one RemoteProtocolError, answered once, however they are cut', () => {
    fc.assert(
      fc.property(input, cuts, fc.constantFrom(...peers), fc.boolean(), (sent, places, peer, few) => {
        const run = (chunks: Uint8Array[], late = false): Conversation =>
          converse(scgi.server(limitsWith(few ? tight : {}), peer), chunks, { fin: true, late });
        const whole = run([sent]);
        expect(run(cutAt(sent, places))).toEqual(whole);
        expect(run(singleBytes(sent))).toEqual(whole);
        // an application that reads late has the same, but for what the peer's leaving takes from it
        if (peer.halfCloseServes) expect(run(cutAt(sent, places), true)).toEqual(whole);
        const { asked, errors, output, close } = whole;
        expect(asked.length + errors.length).toBeLessThanOrEqual(1);
        expect(close).not.toBe(false);
        expect(output).toMatch(/^(?:Status: \d{3} [\w ]+\r\n(?:Content-Type: text\/plain\r\n\r\nhi|\r\n))?$/);
        if (asked[0]?.ended === 'end') expect(output).toMatch(/^Status: 200/);
      }),
      { numRuns: 500 },
    );
    expect(Object.getOwnPropertyNames(Object.prototype).sort().join()).toBe(prototype);
  });

  it('of a valid conversation that is cut short are no request before the head is whole, and then that one', () => {
    const valid = bytes(DEEP_THOUGHT + QUESTION);
    for (let at = 0; at <= valid.length; at++) {
      const { asked, errors } = converse(scgi.server(limitsWith()), [valid.subarray(0, at)], { fin: true });
      const begun = at >= DEEP_THOUGHT.length;
      expect(asked.map(({ head, body }) => [head.target, body])).toEqual(
        begun ? [['/deepthought', QUESTION.slice(0, at - DEEP_THOUGHT.length)]] : [],
      );
      expect(errors).toEqual(begun || at === 0 ? [] : ['ERR_SCGI_NETSTRING']);
    }
  });
});

describe('any bytes towards the web server', () => {
  const REPLY = 'Status: 103 Early Hints\r\nA: b\r\n\r\nStatus: 201 Created\r\nContent-Length: 5\r\nB: c\r\n\r\nhello';
  const line = fc.constantFrom(
    'Status: 200 OK',
    'Status: 103',
    'A: b',
    '__proto__: x',
    'Location: /',
    'HTTP/1.1 200 OK',
    '',
  );
  const piece = fc.oneof(
    noise,
    fc.tuple(line, fc.constantFrom('\n', '\r\n')).map(([text, end]) => bytes(text + end)),
  );

  it('are a head and a body or a RemoteProtocolError, once, however they are cut', () => {
    fc.assert(
      fc.property(inputs(piece, bytes(REPLY)), cuts, (sent, places) => {
        const run = (chunks: Uint8Array[]) => {
          const client = scgi.client(limitsWith({ maxReplyHeaderBytes: 200, replyHighWater: 3 }));
          client.send({ type: 'request', id: 1, variables: ['REQUEST_METHOD', 'GET'], keep: false });
          return hear(client, chunks);
        };
        const whole = run([sent]);
        expect(run(cutAt(sent, places))).toEqual(whole);
        expect(run(singleBytes(sent))).toEqual(whole);
        if (whole.error === undefined) expect(whole.last).toMatchObject({ type: 'end', reuse: false });
        else expect(whole).toEqual({ body: '', error: 'ERR_REPLY 502', close: 'reset' });
      }),
      { numRuns: 500 },
    );
    expect(Object.getOwnPropertyNames(Object.prototype).sort().join()).toBe(prototype);
  });
});
