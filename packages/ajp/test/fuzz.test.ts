import { describe, expect, it } from '@jest/globals';
import { limitsWith, type PeerOptions, RemoteProtocolError, type ServerConnection } from '@postern/core';
import { cutAt, outputText, singleBytes, type Twist, twist } from '@postern/testkit';
import fc from 'fast-check';
import { AjpClientConnection } from '../src/client-connection.ts';
import { ajp } from '../src/index.ts';
import { answer, bodyPackets, CPONG, chunk, end, FLUSH, getBody, headers } from './container.ts';
import { attribute, bodyPacket, CPING, EMPTY, forward, hex, packet, readMessages, str } from './writer.ts';

const prototype = Object.getOwnPropertyNames(Object.prototype).sort().join();
const noise = (maxLength: number) => fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes));

/** Pieces of bytes, and a valid conversation with one byte changed, a piece taken out, or a piece twice. */
function inputs(piece: fc.Arbitrary<Buffer>, valid: Buffer): fc.Arbitrary<Buffer> {
  const twisted = fc
    .record<Twist>({
      at: fc.nat(valid.length - 1),
      length: fc.nat(30),
      byte: fc.nat(255),
      how: fc.constantFrom('flip', 'drop', 'twice', 'cut'),
    })
    .map((how) => twist(valid, how));
  return fc.oneof(
    noise(200),
    fc.array(piece, { maxLength: 12 }).map((pieces) => Buffer.concat(pieces)),
    twisted,
  );
}

const cuts = fc.array(fc.nat(600), { maxLength: 6 });
const within = (bytes: Buffer, places: number[]): number[] => places.filter((at) => at > 0 && at < bytes.length);

describe('any bytes towards the application', () => {
  const post = (length: string): Buffer => forward({ method: 'POST', headers: ['content-length', length] });
  const chunked = forward({ method: 'POST', headers: ['Transfer-Encoding', 'chunked'] });
  const piece = fc.oneof(
    fc.constantFrom(forward(), post('5'), post('0'), post('99999'), post('x'), chunked, CPING, EMPTY),
    fc.constantFrom(bodyPacket(''), bodyPacket('hello'), bodyPacket('hel'), forward({ method: 28 })),
    fc
      .tuple(fc.constantFrom('AJP_LOCAL_ADDR', '__proto__', 'x', 'REMOTE_USER', null), fc.string({ maxLength: 5 }))
      .map(([name, value]) => forward({ attributes: [attribute(name, value.replace(/[^ -~]/g, ''))] })),
    fc.constantFrom(
      forward({ attributes: [Buffer.concat([hex('0c'), str('x')])] }),
      forward({ headers: ['host', null] }),
    ),
    noise(30).map((bytes) => packet(bytes)),
    noise(20),
  );
  const valid = Buffer.concat([CPING, post('8'), bodyPacket('hel'), bodyPacket('lo123'), forward(), EMPTY, CPING]);
  const peers: PeerOptions[] = [
    {},
    { peer: 'lighttpd' },
    { secret: 'x' },
    { trustRemoteUser: true, attributes: ['x'] },
  ];

  /** Feeds and checks what must hold for any input. */
  function endure(connection: ServerConnection, chunks: Uint8Array[], reply: boolean): void {
    let output = '';
    let thrown = 0;
    let running = 0;
    const send = (id: number, status: number): void =>
      connection.send({ type: 'whole', id, status, reason: '', headers: ['Content-Type', 'a/b'], body: null });
    const pump = (): void => {
      for (;;) {
        try {
          const event = connection.next();
          if (event === undefined) break;
          if (event.type === 'request') {
            if (running !== 0) throw new Error(`id ${event.id} while ${running} is running`);
            if (reply) send(event.id, 200);
            else running = event.id;
          }
          if (event.type === 'abort') running = 0;
          connection.pull(event.id);
        } catch (error) {
          if (!(error instanceof RemoteProtocolError)) throw error;
          thrown++;
          if (error.scope === 'request') send(error.id, error.statusHint);
        }
      }
      output += outputText(connection);
    };
    let received = 0;
    for (const one of chunks) {
      connection.receive(one);
      received += one.length;
      pump();
    }
    connection.receiveEnd();
    pump();
    expect(thrown).toBeLessThanOrEqual(1);
    if (running !== 0) send(running, 200);
    output += outputText(connection);
    expect(connection.wantsClose).not.toBe(false);
    expect(output.length).toBeLessThanOrEqual(64 + received * 2);
    readMessages(output);
  }

  it('are events or RemoteProtocolError, and little is written', () => {
    fc.assert(
      fc.property(inputs(piece, valid), cuts, fc.boolean(), fc.constantFrom(...peers), (bytes, places, reply, peer) => {
        endure(ajp.server(limitsWith(), peer), cutAt(bytes, within(bytes, places)), reply);
      }),
      { numRuns: 600 },
    );
    expect(Object.getOwnPropertyNames(Object.prototype).sort().join()).toBe(prototype);
  });
});

describe('any bytes towards the web server', () => {
  const piece = fc.oneof(
    fc.constantFrom(headers(), headers([[0xa001, 'a/b']]), headers([['__proto__', 'x']]), headers([[0xa0ff, 'x']])),
    fc.constantFrom(
      chunk('hello'),
      chunk('x', { nul: false }),
      FLUSH,
      getBody(),
      getBody(0),
      getBody(3),
      getBody(65_535),
    ),
    fc.constantFrom(end(0), end(1), end(7), CPONG),
    noise(30).map((bytes) => answer(bytes)),
    noise(20),
  );
  const valid = Buffer.concat([
    ...[
      getBody(4),
      FLUSH,
      headers([
        [0xa001, 'text/plain'],
        ['X-A', 'b'],
      ]),
      chunk('hello'),
      FLUSH,
      getBody(9),
    ],
    ...[chunk('world', { nul: false }), end(1)],
  ]);

  interface Outcome {
    events: string[];
    body: string;
    error: string | undefined;
    close: unknown;
  }

  /** Asks, feeds and checks what must hold for any input. */
  function endure(chunks: Uint8Array[], length: number | 'chunked'): Outcome {
    const connection = new AjpClientConnection(limitsWith({ maxReplyHeaderBytes: 1000 }));
    const body = length === 'chunked' ? ['HTTP_TRANSFER_ENCODING', 'chunked'] : ['CONTENT_LENGTH', String(length)];
    connection.send({ type: 'request', id: 1, variables: ['REQUEST_METHOD', 'POST', ...body], keep: true });
    const all = length === 'chunked' ? 'z'.repeat(20) : 'z'.repeat(length);
    connection.send({ type: 'data', id: 1, chunk: Buffer.from(all) });
    connection.send({ type: 'end', id: 1 });
    const first = Buffer.from(outputText(connection), 'latin1');
    let sent = bodyPackets(first.subarray(4 + first.readUInt16BE(2)).toString('latin1')).join('');
    const outcome: Outcome = { events: [], body: '', error: undefined, close: false };
    const pump = (): void => {
      try {
        for (let event = connection.next(); event !== undefined; event = connection.next()) {
          expect(outcome.error).toBeUndefined();
          if (event.type === 'data') outcome.body += Buffer.from(event.chunk).toString('latin1');
          else outcome.events.push(JSON.stringify(event));
          connection.pull(1);
        }
      } catch (error) {
        if (!(error instanceof RemoteProtocolError)) throw error;
        expect(outcome.error).toBeUndefined();
        expect(error.statusHint).toBe(502);
        outcome.error = error.message;
      }
      sent += bodyPackets(outputText(connection)).join('');
    };
    for (const one of chunks) {
      connection.receive(one);
      pump();
    }
    connection.receiveEnd();
    pump();
    // every byte of the body at most once, in order, and nothing else
    expect(all.startsWith(sent)).toBe(true);
    outcome.close = connection.wantsClose;
    expect(outcome.close).not.toBe(false);
    return outcome;
  }

  const length = fc.constantFrom(0, 5, 9000, 'chunked' as const);

  it('are events or RemoteProtocolError, once, and mean the same however they are cut', () => {
    fc.assert(
      fc.property(inputs(piece, valid), cuts, length, (bytes, places, of) => {
        const pieces = [cutAt(bytes, within(bytes, places)), singleBytes(bytes)];
        const whole = endure([bytes], of);
        for (const way of pieces) {
          const { events, body, error } = endure(way, of);
          // whether bytes stood behind the end, and whether an answer was awaited, depends on when they came
          if (whole.error === undefined && error === undefined) {
            expect(body).toBe(whole.body);
            expect(events.map((event) => event.replace(/"reuse":\w+/, ''))).toEqual(
              whole.events.map((event) => event.replace(/"reuse":\w+/, '')),
            );
          }
        }
      }),
      { numRuns: 400 },
    );
    expect(Object.getOwnPropertyNames(Object.prototype).sort().join()).toBe(prototype);
  });
});
