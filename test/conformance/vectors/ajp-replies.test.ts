import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ajp } from '@postern/ajp';
import { type ClientConnection, limitsWith } from '@postern/core';
import { cutAt, everyWay, type Heard, hear, outputText } from '@postern/testkit';
import { answer, bodyPackets, chunk, end, headers, REPLY } from '../../../packages/ajp/test/container.ts';
import { hex } from '../../../packages/ajp/test/writer.ts';
import { cleanUp, scripted, soon } from '../../../packages/client/test/back-ends.ts';
import { bodyOf, closeSessions, codeOf, open } from '../../../packages/client/test/sessions.ts';
import { type ReplyRow, replyRows } from './ajp-replies.ts';

/** Mutants are looked for: no sockets. */
const quick = process.env.POSTERN_VECTORS === 'quick';

/** A connection that has asked, and how much of a body it has sent unasked. */
function asking(asked: ReplyRow['asked']): { connection: ClientConnection; first: string } {
  const connection = ajp.client(limitsWith());
  if (asked === 'nothing') return { connection, first: '' };
  const body = asked === undefined ? [] : ['CONTENT_LENGTH', String(asked)];
  connection.send({ type: 'request', id: 1, variables: ['REQUEST_METHOD', 'POST', ...body], keep: true });
  if (asked !== undefined) connection.send({ type: 'data', id: 1, chunk: Buffer.alloc(asked) });
  connection.send({ type: 'end', id: 1 });
  const sent = outputText(connection);
  return { connection, first: sent.slice(4 + ((sent.charCodeAt(2) << 8) | sent.charCodeAt(3))) };
}

/** Hears pieces, and takes what is due behind each of them. */
function hearAll(asked: ReplyRow['asked'], pieces: readonly Uint8Array[], fin: boolean): Heard & { sent: number[] } {
  const { connection, first } = asking(asked);
  let sent = first;
  const receive = connection.receive.bind(connection);
  connection.receive = (piece) => {
    sent += outputText(connection);
    receive(piece);
  };
  const heard = hear(connection, pieces, fin);
  sent += outputText(connection);
  return { ...heard, sent: bodyPackets(sent).map(({ length }) => length) };
}

/** The packets of an input, one by one. */
function packets(input: Uint8Array): Uint8Array[] {
  const places: number[] = [];
  for (let at = 0; at + 4 <= input.length; at += 4 + ((input[at + 2] << 8) | input[at + 3])) places.push(at);
  return cutAt(input, places.slice(1));
}

function expectRefused({ error, close, last }: Heard): void {
  expect(error).toMatch(/^ERR_(?:REPLY|AJP_PACKET) 502$/);
  expect({ close, end: last?.type }).toEqual({ close: 'reset', end: undefined });
}

describe('AJP: what a container sends', () => {
  for (const { row, title, input, asked, want, sent } of replyRows) {
    for (const [name, bytes] of input instanceof Uint8Array ? [['', input] as const] : Object.entries(input)) {
      it(`${row}: ${title}${name === '' ? '' : ` (${name})`}`, () => {
        everyWay(bytes, (pieces) => {
          const { sent: _, ...heard } = hearAll(asked, pieces, false);
          if (sent === undefined) return heard;
          // whether a packet is still owed at the end depends on when what asks for it came
          const { body, head, error } = heard;
          return { body, head, error };
        });
        const heard = hearAll(asked, packets(bytes), false);
        if (want === 502) expectRefused(heard);
        else expect(heard).toMatchObject({ body: want.body, last: { type: 'end', reuse: want.reuse } });
        if (sent !== undefined) expect(heard.sent).toEqual(sent);
        const step = bytes.length > 512 ? 97 : 1;
        for (let at = 1; at < bytes.length; at += step) expectRefused(hearAll(asked, [bytes.subarray(0, at)], true));
      });
    }
  }

  it('vC43: and bytes of a packet before never appear', () => {
    const { connection } = asking(undefined);
    const older = Buffer.concat([headers([[0xa001, 'an old secret']]), chunk('an old secret'), end()]);
    expect(hear(connection, [older], false)).toMatchObject({ last: { type: 'end', reuse: true } });
    connection.send({ type: 'request', id: 2, variables: ['REQUEST_METHOD', 'GET'], keep: true });
    connection.receive(answer(hex('04 00 c8 00 00 00 00 01 a0 01 00 18 61 62 63 00')));
    expect(() => connection.next()).toThrow(expect.objectContaining({ message: expect.not.stringContaining('old') }));
    expect(connection.next()).toBeUndefined();
  });
});

if (!quick) {
  describe('AJP: what a container sends, over a socket', () => {
    afterEach(async () => {
      closeSessions();
      await cleanUp();
    });

    for (const { row, title, input, asked, want } of replyRows) {
      // a session does not listen before it has asked
      if (asked === 'nothing') continue;
      for (const [name, bytes] of input instanceof Uint8Array ? [['', input] as const] : Object.entries(input)) {
        const what = want === 502 ? ', and the connection is not used again' : '';
        it(`${row}: ${title}${name === '' ? '' : ` (${name})`}${what}, over a socket`, async () => {
          const gone: boolean[] = [];
          const target = await scripted((socket: Socket) => {
            const place = gone.push(false) - 1;
            socket.once('data', () => socket.write(place === 0 ? bytes : REPLY));
            socket.on('close', () => {
              gone[place] = true;
            });
            socket.on('end', () => socket.end());
          });
          const session = open(target, { atOnce: 1 }, ajp);
          const length = asked === undefined ? [] : ['CONTENT_LENGTH', String(asked)];
          const body = asked === undefined ? undefined : Buffer.alloc(asked);
          const question = { variables: ['REQUEST_METHOD', 'POST', 'REQUEST_URI', '/', ...length], body };

          if (want === 502) {
            expect(await codeOf(bodyOf(session.request(question)))).toMatch(/^ERR_(?:REPLY|AJP_PACKET)$/);
            expect(await bodyOf(session.request(question))).toBe('hello');
            expect(gone.length).toBe(2);
            await soon(() => gone[0]);
          } else {
            expect(await bodyOf(session.request(question))).toBe(want.body);
            expect(gone).toEqual([false]);
          }
        });
      }
    }
  });
}
