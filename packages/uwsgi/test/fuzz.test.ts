import { describe, expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { type Conversation, converse, cutAt, type Heard, hear, singleBytes, type Twist, twist } from '@postern/testkit';
import fc from 'fast-check';
import { uwsgi } from '../src/index.ts';
import { open, type Serving } from './harness.ts';
import { BASELINE, block, bytes, get, packet, post } from './writer.ts';

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
  const valid = post('hello', 'SCRIPT_NAME', '/p', 'PATH_INFO', '/p/x', 'HTTP_A', 'b');
  const name = fc.constantFrom('CONTENT_LENGTH', 'REQUEST_METHOD', '__proto__', 'UWSGI_FILE', 'PATH_INFO', 'A B', '');
  const value = fc.constantFrom('0', '5', 'GET', '', '-1', '/p/x', 'x\n', 'x'.repeat(300));
  const head = fc
    .tuple(
      fc.array(fc.tuple(name, value), { maxLength: 6 }),
      fc.constantFrom(0, 0, 0, 30, 100, 5, 71),
      fc.constantFrom(0, 0, 0, 1),
    )
    .map(([pairs, modifier1, modifier2]) =>
      packet(block('CONTENT_LENGTH', '3', 'REQUEST_METHOD', 'PUT', ...pairs.flat()), { modifier1, modifier2 }),
    );
  const piece = fc.oneof(head, noise, fc.constantFrom(BASELINE, get(), bytes('abc'), Buffer.of(0, 255, 255, 0)));
  const servings: Serving[] = [
    {},
    { modifier30: true, ping: true },
    { limits: { bodyHighWater: 3, maxEnvBytes: 150, maxEnvCount: 6 } },
  ];

  it('are one request or one RemoteProtocolError, answered once, however they are cut', () => {
    const halves = fc.boolean();
    fc.assert(
      fc.property(inputs(piece, valid), cuts, fc.constantFrom(...servings), halves, (sent, places, of, half) => {
        const serving = { ...of, peer: { halfCloseServes: half } };
        const run = (chunks: Uint8Array[], late = false): Conversation =>
          converse(open(serving), chunks, { fin: true, late });
        const whole = run([sent]);
        expect(run(cutAt(sent, places))).toEqual(whole);
        expect(run(singleBytes(sent))).toEqual(whole);
        // an application that reads late has the same, but for what the peer's leaving takes from it
        if (half) expect(run(cutAt(sent, places), true)).toEqual(whole);
        const { asked, errors, output, close } = whole;
        expect(asked.length + errors.length).toBeLessThanOrEqual(1);
        expect(close).not.toBe(false);
        expect(output).toMatch(
          /^(?:HTTP\/1\.1 \d{3} [\w ]+\r\n(?:Content-Type: text\/plain\r\n\r\nhi|\r\n)|d\0\0\x01)?$/,
        );
        if (asked[0]?.ended === 'end') expect(output).toMatch(/^HTTP\/1\.1 200/);
      }),
      { numRuns: 600 },
    );
    expect(Object.getOwnPropertyNames(Object.prototype).sort().join()).toBe(prototype);
  });

  it('of a valid conversation that is cut short are no request before the head is whole, and then that one', () => {
    const begins = valid.length - 'hello'.length;
    for (let at = 0; at <= valid.length; at++) {
      const { asked, errors } = converse(open(), [valid.subarray(0, at)], { fin: true });
      expect(asked.map(({ head, body }) => [head.target, body])).toEqual(
        at >= begins ? [['/p', 'hello'.slice(0, at - begins)]] : [],
      );
      expect(errors).toEqual(at >= begins || at === 0 ? [] : ['ERR_UWSGI_BLOCK']);
    }
  });
});

describe('any bytes towards the web server', () => {
  const REPLY =
    'HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 5\r\nB: c\r\n\r\nhello';
  const line = fc.constantFrom(
    'HTTP/1.1 200 OK',
    'HTTP/1.1 103',
    'Status: 200 OK',
    'A: b',
    '__proto__: x',
    'd\0\0\x01',
    '',
  );
  const piece = fc.oneof(
    noise,
    fc.tuple(line, fc.constantFrom('\n', '\r\n')).map(([text, end]) => bytes(text + end)),
  );

  it.each(['request', 'ping'] as const)(
    'that answer a %s are an answer or a RemoteProtocolError, once, however they are cut',
    (type) => {
      fc.assert(
        fc.property(inputs(piece, bytes(type === 'ping' ? 'd\0\0\x01' : REPLY)), cuts, (sent, places) => {
          const run = (chunks: Uint8Array[]): Heard => {
            const client = uwsgi.client(limitsWith({ maxReplyHeaderBytes: 200, replyHighWater: 3 }));
            client.send({ type, id: 1, variables: ['REQUEST_METHOD', 'GET'], keep: false });
            return hear(client, chunks);
          };
          const whole = run([sent]);
          expect(run(cutAt(sent, places))).toEqual(whole);
          expect(run(singleBytes(sent))).toEqual(whole);
          if (whole.error === undefined) expect(whole.last?.type).toBe(type === 'ping' ? 'pong' : 'end');
          else expect(whole).toEqual({ body: '', error: 'ERR_REPLY 502', close: 'reset' });
        }),
        { numRuns: 400 },
      );
      expect(Object.getOwnPropertyNames(Object.prototype).sort().join()).toBe(prototype);
    },
  );
});
