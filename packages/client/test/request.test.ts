import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect as netConnect, type Socket } from 'node:net';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AbortError, type Environ, LocalProtocolError, PosternError, RemoteProtocolError } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { type Ask, type ConnectTarget, request } from '../src/index.ts';
import { cleanUp, END, record, STDOUT, scripted, serveApp, temporaryFolder } from './back-ends.ts';

afterEach(cleanUp);

const GET = ['REQUEST_METHOD', 'GET', 'REQUEST_URI', '/'];
const POST = ['REQUEST_METHOD', 'POST', 'REQUEST_URI', '/'];

function ask(target: ConnectTarget, set: Partial<Ask> = {}): ReturnType<typeof request> {
  return request(fastcgi, target, { variables: GET, ...set });
}

async function failure(promise: Promise<unknown>): Promise<PosternError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PosternError);
  return error as PosternError;
}

/** A promise and who settles it. */
function gate<T = void>(): { promise: Promise<T>; open: (value: T) => void } {
  let open: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

async function* pieces(count: number, size: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) yield Buffer.alloc(size, String.fromCharCode(97 + (i % 26)));
}

describe('one request to our own server', () => {
  it.each([false, true])('brings the answer of the app (unix socket: %s)', async (unix) => {
    const { target } = await serveApp(
      (environ) => ({
        status: 201,
        reason: 'Made',
        headers: { 'Set-Cookie': ['a=1', 'b=2'], 'X-Path': environ.PATH_INFO },
        body: 'grüß dich',
      }),
      { unix },
    );
    const answer = await ask(target, { variables: ['REQUEST_METHOD', 'GET', 'REQUEST_URI', '/a%2Fb'] });
    expect(answer).toMatchObject({ status: 201, reason: 'Made' });
    expect(answer.headers).toEqual(['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Path', '/a/b']);
    expect(await text(answer.body)).toBe('grüß dich');
  });

  it('leaves no connection behind, kept or not', async () => {
    const { target, server } = await serveApp(() => ({ status: 200, body: 'x' }));
    for (const keep of [true, false]) {
      const answer = await ask(target, { keep });
      expect(await text(answer.body)).toBe('x');
    }
    expect(await server.close(5000)).toBe(true);
    expect(server.connections).toBe(0);
  });

  it.each([0, 1, 65_535, 65_536, 3_000_000])('sends a body of %i bytes and gets it back', async (size) => {
    const { target } = await serveApp((environ) => ({ status: 200, body: environ['gateway.input'] }));
    const body = Buffer.alloc(size, 'the quick brown fox');
    const answer = await ask(target, { variables: [...POST, 'CONTENT_LENGTH', String(size)], body });
    const back = await buffer(answer.body);
    expect(back.length).toBe(size);
    expect(createHash('sha256').update(back).digest('hex')).toBe(createHash('sha256').update(body).digest('hex'));
  });

  it('sends a body of unknown length piece by piece, while the answer to what came before is read', async () => {
    const { target } = await serveApp((environ) => ({ status: 200, body: environ['gateway.input'] }));
    const asked: (() => void)[] = [];
    const upload = {
      async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
        for (const piece of ['one', 'two', 'three']) {
          yield Buffer.from(piece);
          await new Promise<void>((resolve) => asked.push(resolve));
        }
      },
    };
    const answer = await ask(target, { variables: POST, body: upload });
    const heard: string[] = [];
    for await (const chunk of answer.body) {
      heard.push(Buffer.from(chunk).toString());
      // the next piece is not sent before this one came back
      asked.shift()?.();
    }
    expect(heard).toEqual(['one', 'two', 'three']);
  });

  it("passes the application's errors on as text for a log", async () => {
    const { target } = await serveApp((environ) => {
      environ['gateway.errors'].write('première ligne');
      return { status: 200, body: 'x' };
    });
    const lines: string[] = [];
    const answer = await ask(target, { onLog: (line) => lines.push(line) });
    expect(await text(answer.body)).toBe('x');
    expect(lines.join('')).toBe('première ligne\n');
  });

  it('gets an early answer to an upload that is not finished, and stops the upload', async () => {
    const { target } = await serveApp(() => ({ status: 413, body: 'too much' }));
    const stopped = gate();
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.alloc(10_000);
      } finally {
        stopped.open();
      }
    }
    const answer = await ask(target, { variables: POST, body: endless() });
    expect(answer.status).toBe(413);
    expect(await text(answer.body)).toBe('too much');
    await stopped.promise;
  });
});

describe('back-pressure', () => {
  it('a body that the application does not read is not taken from its source', async () => {
    const reading = gate();
    const { target } = await serveApp(async (environ) => {
      await reading.promise;
      let bytes = 0;
      for await (const chunk of environ['gateway.input']) bytes += chunk.length;
      return { status: 200, body: String(bytes) };
    });
    let taken = 0;
    let quiet: NodeJS.Timeout | undefined;
    const stalled = gate();
    async function* source(): AsyncGenerator<Uint8Array> {
      for await (const piece of pieces(640, 100_000)) {
        taken++;
        clearTimeout(quiet);
        quiet = setTimeout(stalled.open, 300);
        yield piece;
      }
    }
    const answer = ask(target, { variables: POST, body: source() });
    await stalled.promise;
    // what fits into the buffers of both sides and of the kernel, of 64 MB
    expect(taken).toBeLessThan(200);
    reading.open();
    expect(await text((await answer).body)).toBe('64000000');
    expect(taken).toBe(640);
    clearTimeout(quiet);
  });

  it('an answer that is not read stops the application, and is whole when it is read later', async () => {
    let written = 0;
    let quiet: NodeJS.Timeout | undefined;
    const stalled = gate();
    const { target } = await serveApp(() => ({
      status: 200,
      body: (async function* () {
        for await (const piece of pieces(640, 100_000)) {
          written++;
          clearTimeout(quiet);
          quiet = setTimeout(stalled.open, 300);
          yield piece;
        }
      })(),
    }));
    const answer = await ask(target);
    await stalled.promise;
    expect(written).toBeLessThan(200);
    let bytes = 0;
    for await (const chunk of answer.body) bytes += chunk.length;
    expect(bytes).toBe(64_000_000);
    clearTimeout(quiet);
  });
});

describe('giving up', () => {
  const hanging = (seen: { signal?: AbortSignal }, entered: () => void) => (environ: Environ) => {
    seen.signal = environ['gateway.signal'];
    entered();
    return new Promise<never>(() => {});
  };

  it('by the signal before the head: rejects, and the application hears that its client left', async () => {
    const entered = gate();
    const seen: { signal?: AbortSignal } = {};
    const { target, failures } = await serveApp(hanging(seen, entered.open));
    const controller = new AbortController();
    const answer = ask(target, { signal: controller.signal });
    await entered.promise;
    controller.abort(new Error('enough'));
    const error = await failure(answer);
    expect(error).toBeInstanceOf(AbortError);
    expect(error).toMatchObject({ code: 'ERR_ABORTED', cause: { message: 'enough' } });
    if (!seen.signal?.aborted) await once(seen.signal as AbortSignal, 'abort');
    expect(failures).toEqual([]);
  });

  it('by a signal that fired before: rejects without a connection', async () => {
    let connections = 0;
    const target = await scripted(() => connections++);
    expect((await failure(ask(target, { signal: AbortSignal.abort() }))).code).toBe('ERR_ABORTED');
    expect(connections).toBe(0);
  });

  it.each(['the signal', 'cancel()', 'leaving the loop'])('by %s in the body: the connection is cut', async (how) => {
    const over = gate<boolean>();
    const { target } = await serveApp((environ) => ({
      status: 200,
      body: (async function* () {
        environ['gateway.signal'].addEventListener('abort', () => over.open(true));
        for (;;) {
          yield 'tick';
          await new Promise((resolve) => setImmediate(resolve));
        }
      })(),
    }));
    const controller = new AbortController();
    const answer = await ask(target, { signal: controller.signal });
    const loop = (async () => {
      for await (const _ of answer.body) {
        if (how === 'leaving the loop') break;
        if (how === 'the signal') controller.abort();
        else answer.cancel();
      }
    })();
    if (how === 'leaving the loop') await loop;
    else expect((await failure(loop)).code).toBe('ERR_ABORTED');
    expect(await over.promise).toBe(true);
  });

  it('because the body of the request throws: rejects with its cause', async () => {
    const { target } = await serveApp(async (environ) => {
      await environ['gateway.input'].bytes();
      return { status: 200 };
    });
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x');
      throw new Error('disk on fire');
    }
    const error = await failure(ask(target, { variables: POST, body: broken() }));
    expect(error).toMatchObject({ code: 'ERR_ABORTED', cause: { message: 'disk on fire' } });
  });
});

describe('a back-end that cannot be reached', () => {
  const folder = temporaryFolder;

  it('because the socket does not exist', async () => {
    const path = join(folder(), 'none.sock');
    const error = await failure(ask({ transport: 'unix', path }));
    expect(error.code).toBe('ERR_ADDRESS_UNAVAILABLE');
    expect(error.message).toBe(`${path}: there is no such socket: see that the application runs and listens there`);
  });

  it('because the path is a file', async () => {
    const path = join(folder(), 'file');
    writeFileSync(path, '');
    expect(await failure(ask({ transport: 'unix', path }))).toMatchObject({ code: 'ERR_ADDRESS_UNAVAILABLE' });
  });

  it('because nothing listens on the port', async () => {
    const target = await scripted(() => {});
    await cleanUp();
    const error = await failure(ask(target));
    expect(error.code).toBe('ERR_ADDRESS_UNAVAILABLE');
    expect(error.message).toMatch(/^127\.0\.0\.1:\d+: nothing listens there: see /);
  });

  it('because it does not accept within the time', async () => {
    const script = `require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
      process.stdout.write(String(this.address().port));
    })`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const fillers: Socket[] = [];
    try {
      const [port] = (await once(child.stdout, 'data')) as [Buffer];
      const target: ConnectTarget = { transport: 'tcp', host: '127.0.0.1', port: Number(port) };
      child.kill('SIGSTOP');
      for (let i = 0; i < 8; i++) fillers.push(netConnect(target).on('error', () => {}));
      await once(fillers[0], 'connect');
      const error = await failure(ask(target, { connectTimeout: 200 }));
      expect(error.code).toBe('ERR_ADDRESS_UNAVAILABLE');
      expect(error.message).toMatch(/no connection within 200 ms/);
      const controller = new AbortController();
      const given = failure(ask(target, { signal: controller.signal }));
      controller.abort();
      expect((await given).code).toBe('ERR_ABORTED');
    } finally {
      for (const socket of fillers) socket.destroy();
      child.kill('SIGKILL');
    }
  });

  it('is not even tried with a variable that cannot be sent', async () => {
    const error = await failure(ask({ transport: 'unix', path: '/none' }, { variables: ['A', '\u20ac'] }));
    expect(error).toBeInstanceOf(LocalProtocolError);
  });
});

describe('a back-end that answers badly', () => {
  const head = (fields: string): Buffer => record(STDOUT, `Status: 200 OK\r\n${fields}\r\n`);
  const answering = (...answer: Buffer[]): Promise<ConnectTarget> =>
    scripted((socket) => socket.once('data', () => socket.end(Buffer.concat(answer))));

  it.each<[string, Buffer[]]>([
    ['closes without a word', []],
    ['closes in the head', [record(STDOUT, 'Status: 200 OK\r\n')]],
    ['sends an empty answer', [END]],
    ['speaks HTTP', [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')]],
    ['sends a malformed head', [record(STDOUT, 'what?\r\n\r\n'), END]],
  ])('and %s: rejects as the failure of a gateway', async (_, answer) => {
    const error = await failure(ask(await answering(...answer)));
    expect(error).toBeInstanceOf(RemoteProtocolError);
    expect(error).toMatchObject({ statusHint: 502 });
  });

  it('and resets the connection: rejects as the failure of a gateway', async () => {
    const target = await scripted((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const error = await failure(ask(target));
    expect(error).toMatchObject({ code: 'ERR_REPLY', statusHint: 502 });
  });

  it.each<[string, Buffer[]]>([
    ['closes in the body', [head(''), record(STDOUT, 'hel')]],
    ['ends before its Content-Length', [head('Content-Length: 5\r\n'), record(STDOUT, 'hel'), END]],
    ['breaks the framing in the body', [head(''), record(STDOUT, 'hel'), Buffer.alloc(8)]],
  ])('and %s: the body gives what came and throws', async (_, answer) => {
    const { status, body } = await ask(await answering(...answer));
    expect(status).toBe(200);
    let heard = '';
    const loop = async (): Promise<void> => {
      for await (const chunk of body) heard += Buffer.from(chunk).toString();
    };
    expect(await failure(loop())).toMatchObject({ statusHint: 502 });
    expect(heard).toBe('hel');
  });

  it.each([
    ['its Content-Length', 'GET', 'hello'],
    ['a head that no body follows', 'HEAD', ''],
  ])('and resets the connection behind %s: the answer is whole', async (_, method, sent) => {
    const answering = gate<Socket>();
    const target = await scripted((socket) => {
      answering.open(socket);
      const bytes = [head('Content-Length: 5\r\n'), record(STDOUT, sent)];
      socket.once('data', () => socket.write(Buffer.concat(bytes)));
    });
    const { body } = await ask(target, { variables: ['REQUEST_METHOD', method] });
    const reader = body[Symbol.asyncIterator]();
    if (sent !== '') expect(await reader.next()).toEqual({ done: false, value: Buffer.from(sent) });
    (await answering.promise).resetAndDestroy();
    expect(await reader.next()).toEqual({ done: true, value: undefined });
  });

  it('with more than its Content-Length: the rest is dropped, and said', async () => {
    const said: string[] = [];
    const answer = [
      head('Content-Length: 3\r\n'),
      record(STDOUT, 'hel'),
      record(STDOUT, 'lo'),
      record(STDOUT, '!'),
      END,
    ];
    const { body } = await ask(await answering(...answer), { onLog: (line) => said.push(line) });
    expect(await text(body)).toBe('hel');
    expect(said.join('')).toMatch(/^the answer has more bytes than its Content-Length.*\n$/);
  });

  it.each([
    ['HEAD', '200'],
    ['GET', '204'],
    ['GET', '304'],
  ])('with a body to %s and status %s: the body is dropped', async (method, status) => {
    const answer = [record(STDOUT, `Status: ${status}\r\nContent-Length: 100\r\n\r\nhello`), END];
    const { headers, body } = await ask(await answering(...answer), { variables: ['REQUEST_METHOD', method] });
    expect(headers).toEqual(['Content-Length', '100']);
    expect(await text(body)).toBe('');
  });

  it('a slow reader gets all of an answer that was complete before the connection closed', async () => {
    const piece = record(STDOUT, 'x'.repeat(60_000));
    const answer = [head(''), piece, piece, piece, piece, piece, END];
    const { body } = await ask(await answering(...answer));
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(bytes).toBe(300_000);
  });
});
