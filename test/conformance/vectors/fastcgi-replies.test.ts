import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type PosternError, RemoteProtocolError } from '@postern/core';
import { everyWay } from '@postern/testkit';
import { cleanUp, scripted, soon } from '../../../packages/client/test/back-ends.ts';
import { bodyOf, closeSessions, GET, open } from '../../../packages/client/test/sessions.ts';
import { askedFor, Listener } from '../../../packages/fastcgi/test/client-harness.ts';
import { end, reply, replyRows, stderr } from './fastcgi-replies.ts';

/** Mutants are looked for: no sockets. */
const quick = process.env.POSTERN_VECTORS === 'quick';

interface Outcome {
  readonly body: string;
  /** Without it the reply has ended well. */
  readonly error: string | undefined;
  readonly ended: boolean;
  readonly ready: boolean;
}

/** What a client with one request makes of these pieces. */
function heardOf(pieces: readonly Uint8Array[], fin: boolean): Outcome {
  const connection = askedFor({ ids: [1] });
  const listener = new Listener(connection).receive(...pieces);
  if (fin) {
    connection.receiveEnd();
    listener.listen();
  }
  const error = listener.heard.find((one) => one.includes('ERR_'))?.replace('1 ERR', 'ERR');
  const ended = listener.heard.some((one) => one.startsWith('1 end'));
  return { body: listener.bodies.get(1) ?? '', error, ended, ready: connection.ready };
}

describe('FastCGI: what an application sends', () => {
  for (const { row, title, input, want, before = '', reuse, fin = false } of replyRows) {
    for (const [name, bytes] of inputsOf(input)) {
      it(`${row}: ${title}${name}`, () => {
        const outcome = everyWay(bytes, (pieces) => heardOf(pieces, fin));
        const error = typeof want === 'string' ? want : undefined;
        const body = typeof want === 'string' ? before : want.body;
        // of a connection that is not sound nothing else is heard
        const ended = error === undefined || reuse;
        expect(outcome).toEqual({ body, error, ended, ready: reuse });
        for (let at = 0; at < bytes.length; at++) {
          const cut = heardOf([bytes.subarray(0, at)], true);
          expect([at, cut.ready]).toEqual([at, false]);
          expect([at, cut.ended || /^ERR_(?:REPLY|FCGI_VERSION) 502$/.test(cut.error ?? '')]).toEqual([at, true]);
          expect(body.startsWith(cut.body)).toBe(true);
        }
      });
    }
  }

  it('vC35: of 1 GiB of STDERR 64 KiB are kept, and the rest is counted', () => {
    const connection = askedFor({ ids: [1] });
    const flood = stderr('x'.repeat(65_528));
    const records = Math.ceil(2 ** 30 / 65_528);
    let kept = 0;
    let last = '';
    let reads = true;
    const listen = (): void => {
      for (let event = connection.next(); event !== undefined; event = connection.next()) {
        if (event.type !== 'log') continue;
        kept += event.chunk.length;
        last = Buffer.from(event.chunk).toString('latin1');
      }
    };
    for (let i = 0; i < records; i++) {
      connection.receive(flood);
      listen();
      reads &&= connection.wantsRead;
    }
    expect(reads).toBe(true);
    expect(kept).toBe(65_536);
    connection.receive(reply('hello'));
    listen();
    expect(last).toBe(` [${records * 65_528 - 65_536} bytes dropped]\n`);
    expect(connection.ready).toBe(true);
  });

  it('vC36: empty STDERR records are counted for each request by itself', () => {
    const connection = askedFor({ ids: [1] });
    const listener = new Listener(connection).receive(Buffer.alloc(64 * 8, stderr()), reply('one'));
    connection.send({ type: 'request', id: 1, variables: [], keep: true });
    listener.receive(Buffer.alloc(64 * 8, stderr()), reply('two'));
    expect(listener.heard).toEqual(['1 head 200', '1 end reuse', '1 head 200', '1 end reuse']);
  });
});

if (!quick) {
  describe('FastCGI: what an application sends, over a socket', () => {
    afterEach(async () => {
      closeSessions();
      await cleanUp();
    });

    for (const { row, title, input, want, reuse, fin = false } of replyRows) {
      const then = reuse ? 'the connection is used again' : 'the connection is not used again';
      for (const [name, bytes] of inputsOf(input)) {
        it(`${row}: ${title}${name}, and ${then}, over a socket`, async () => {
          const gone: boolean[] = [];
          let answers = 0;
          const target = await scripted((socket: Socket) => {
            const place = gone.push(false) - 1;
            socket.on('data', () => {
              answers++;
              if (answers > 1) socket.write(reply('again'));
              else if (fin) socket.end(bytes);
              else socket.write(bytes);
            });
            socket.on('close', () => {
              gone[place] = true;
            });
            socket.on('end', () => socket.end());
          });
          // one that carries a single request closes behind any error
          const session = open(target, { atOnce: 2 });
          const first = bodyOf(session.request(GET)).then(
            (body) => ({ body }),
            (error: PosternError) =>
              error instanceof RemoteProtocolError ? `${error.code} ${error.statusHint}` : String(error),
          );
          expect(await first).toEqual(want);
          expect(await bodyOf(session.request(GET))).toBe('again');
          expect(gone.length).toBe(reuse ? 1 : 2);
          if (!reuse) await soon(() => gone[0]);
        });
      }
    }

    it('vC30: a request that shared its connection fails alone with CANT_MPX_CONN, the other is answered', async () => {
      const requests: number[] = [];
      const target = await scripted((socket: Socket) => {
        socket.on('data', (chunk) => {
          for (let at = chunk.indexOf('\x01\x01'); at >= 0; at = chunk.indexOf('\x01\x01', at + 8))
            if (chunk[at + 5] === 8) requests.push(chunk[at + 3]);
          if (requests.length < 2) return;
          socket.write(Buffer.concat([end(1, 2), reply('first', 1)]));
        });
      });
      const session = open(target, { atOnce: 2 });
      const [first, second] = [bodyOf(session.request(GET)), bodyOf(session.request(GET))];
      await expect(second).rejects.toMatchObject({ code: 'ERR_BACKEND_MULTIPLEX', statusHint: 502 });
      expect(await first).toBe('first');
    });
  });
}

function inputsOf(input: Uint8Array | Readonly<Record<string, Uint8Array>>): [string, Uint8Array][] {
  if (input instanceof Uint8Array) return [['', input]];
  return Object.entries(input).map(([name, bytes]) => [` (${name})`, bytes]);
}
