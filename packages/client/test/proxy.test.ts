import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ajp } from '@postern/ajp';
import { type Application, describeError, environHandler, type Protocol } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { scgi } from '@postern/scgi';
import { http, Server } from '@postern/server';
import { answerOf, askHttp as ask, openHttp as open } from '@postern/testkit';
import { uwsgi } from '@postern/uwsgi';
import { type ConnectTarget, type ProxyOptions, proxy } from '../src/index.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

interface Site {
  readonly port: number;
  /** What the front-end had to say for an error log. */
  readonly log: string[];
}

const loopback = { transport: 'tcp', host: '127.0.0.1', port: 0 } as const;

/** A web server in the small: HTTP in front of a back-end. */
async function inFrontOf(backEnd: ConnectTarget, protocol: Protocol = fastcgi, options?: ProxyOptions): Promise<Site> {
  const log: string[] = [];
  const forward = proxy(protocol, backEnd, {
    onLog: (text) => log.push(text),
    onError: (error) => log.push(describeError(error)),
    ...options,
  });
  const frontEnd = new Server(forward, { onError: (error) => log.push(describeError(error)), log: () => {} });
  cleanups.push(() => frontEnd.close(0));
  const address = await frontEnd.listen(http(), loopback);
  return { port: address.transport === 'tcp' ? address.port : 0, log };
}

/** An app behind the front-end. */
async function site(app: Application, protocol: Protocol = fastcgi): Promise<Site> {
  const server = new Server(environHandler(app), { onError: () => {}, log: () => {} });
  cleanups.push(() => server.close(0));
  return inFrontOf((await server.listen(protocol, loopback)) as ConnectTarget, protocol);
}

/** A back-end that answers every connection with these bytes and closes it. */
async function scripted(...answer: Buffer[]): Promise<Site> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => socket.end(Buffer.concat(answer)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return inFrontOf({ transport: 'tcp', host: '127.0.0.1', port: (server.address() as AddressInfo).port });
}

function stdout(content: string): Buffer {
  const header = Buffer.from([1, 6, 0, 1, content.length >> 8, content.length & 255, 0, 0]);
  return Buffer.concat([header, Buffer.from(content, 'latin1')]);
}
const END = Buffer.from([1, 3, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const showEnviron: Application = (environ) => ({ status: 200, body: JSON.stringify(environ) });

describe.each([fastcgi, ajp])('the variables of a request over $name', (protocol) => {
  it('are those that nginx would send', async () => {
    const { port } = await site(showEnviron, protocol);
    const { text } = await ask(port, '/a%2Fb//c/../caf%C3%A9?x=%201', { headers: { Host: 'x.test:81', 'X-One': '1' } });
    const environ = JSON.parse(text);
    expect(environ).toMatchObject({
      REQUEST_METHOD: 'GET',
      REQUEST_URI: '/a%2Fb//c/../caf%C3%A9?x=%201',
      SCRIPT_NAME: '',
      PATH_INFO: '/a/b/caf\xc3\xa9',
      QUERY_STRING: 'x=%201',
      SERVER_PROTOCOL: 'HTTP/1.1',
      REQUEST_SCHEME: 'http',
      GATEWAY_INTERFACE: 'CGI/1.1',
      SERVER_NAME: 'x.test',
      SERVER_ADDR: '127.0.0.1',
      SERVER_PORT: String(port),
      REMOTE_ADDR: '127.0.0.1',
      REMOTE_PORT: expect.stringMatching(/^[0-9]+$/),
      HTTP_HOST: 'x.test:81',
      HTTP_X_ONE: '1',
    });
  });

  it('have repeated headers joined, and neither Proxy, nor underscores, nor what is of one connection alone', async () => {
    const { port } = await site(showEnviron, protocol);
    const headers = ['X-A', '1', 'x-a', '2', 'Cookie', 'a=1', 'Cookie', 'b=2', 'Proxy', 'evil', 'X_B', 'c'];
    headers.push('Connection', 'keep-alive, X-Hop', 'X-Hop', '1', 'Keep-Alive', '5', 'TE', 'trailers', 'Host', 'h');
    const environ = JSON.parse((await ask(port, '/', { headers })).text);
    const names = Object.keys(environ).filter((name) => name.startsWith('HTTP_'));
    expect(names.sort()).toEqual(['HTTP_COOKIE', 'HTTP_HOST', 'HTTP_X_A']);
    expect(environ).toMatchObject({ HTTP_X_A: '1, 2', HTTP_COOKIE: 'a=1; b=2', HTTP_HOST: 'h' });
  });

  it('tell type and length of a body, and of a chunked one neither length nor coding', async () => {
    const { port } = await site(async (environ) => {
      const body = await environ['gateway.input'].text();
      const { CONTENT_TYPE, CONTENT_LENGTH, HTTP_TRANSFER_ENCODING } = environ;
      return { status: 200, body: JSON.stringify([CONTENT_TYPE, CONTENT_LENGTH, HTTP_TRANSFER_ENCODING, body]) };
    }, protocol);
    const headers = { 'Content-Type': 'text/x', 'Content-Length': '5' };
    expect(JSON.parse((await ask(port, '/', { method: 'POST', headers, body: 'hello' })).text)).toEqual([
      'text/x',
      '5',
      null,
      'hello',
    ]);
    for (const method of ['POST', 'GET']) {
      const chunked = { 'Transfer-Encoding': 'chunked' };
      expect(JSON.parse((await ask(port, '/', { method, headers: chunked, body: 'hello' })).text)).toEqual([
        null,
        null,
        null,
        'hello',
      ]);
    }
  });

  it('of OPTIONS * have no path', async () => {
    const { port } = await site(showEnviron, protocol);
    const environ = JSON.parse((await ask(port, '*', { method: 'OPTIONS' })).text);
    expect(environ).toMatchObject({ REQUEST_METHOD: 'OPTIONS', REQUEST_URI: '*', PATH_INFO: '', SCRIPT_NAME: '' });
  });
});

describe.each([fastcgi, ajp])('an answer over $name', (protocol) => {
  it('keeps status, reason and repeated headers', async () => {
    const { port } = await site(
      () => ({
        status: 299,
        reason: 'Quite Fine',
        headers: { 'Set-Cookie': ['a=1', 'b=2'], 'X-Y': 'z' },
        body: 'x',
      }),
      protocol,
    );
    const got = await ask(port, '/');
    expect(got).toMatchObject({ status: 299, reason: 'Quite Fine', text: 'x' });
    expect(got.headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'x-y': 'z' });
  });

  it("loses the headers of the back-end's connection", async () => {
    const fields = 'Keep-Alive: timeout=99\r\nConnection: X-Hop\r\nX-Hop: 1\r\nUpgrade: h2c\r\nX-Kept: 1\r\n';
    const { port } = await scripted(stdout(`Status: 200 OK\r\n${fields}\r\nhi`), END);
    const { headers, text } = await ask(port, '/', { headers: { Connection: 'close' } });
    expect(text).toBe('hi');
    expect(headers).toMatchObject({ 'x-kept': '1', connection: 'close' });
    expect(Object.keys(headers).sort()).toEqual(['connection', 'date', 'transfer-encoding', 'x-kept']);
  });

  it.each([
    ['HEAD', 200, '5'],
    ['GET', 204, undefined],
    ['GET', 304, '5'],
  ])('to %s with status %i has no body', async (method, status, length) => {
    const { port } = await site(
      (environ) => ({
        status,
        headers: length === undefined ? {} : { 'Content-Length': '5' },
        body: environ.REQUEST_METHOD === 'HEAD' ? 'hello' : null,
      }),
      protocol,
    );
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    cleanups.push(() => agent.destroy());
    for (let i = 0; i < 2; i++) {
      const got = await ask(port, '/', { method, agent });
      expect(got).toMatchObject({ status, text: '' });
      expect(got.headers['content-length']).toBe(length);
    }
  });

  it('of 20 MB arrives whole', async () => {
    const piece = Buffer.alloc(1_000_000, 'abc');
    const { port } = await site(
      () => ({
        status: 200,
        body: (function* () {
          for (let i = 0; i < 20; i++) yield piece;
        })(),
      }),
      protocol,
    );
    const { body } = await ask(port, '/');
    expect(body.length).toBe(20_000_000);
    expect(sha256(body)).toBe(sha256(Buffer.concat(new Array(20).fill(piece))));
  });

  it.each([1, 65_536, 3_000_000])('tells that an upload of %i bytes arrived as it was', async (size) => {
    const { port } = await site(async (environ) => {
      const hash = createHash('sha256');
      for await (const chunk of environ['gateway.input']) hash.update(chunk);
      return { status: 200, body: hash.digest('hex') };
    }, protocol);
    const body = Buffer.alloc(size, 'the quick brown fox');
    expect((await ask(port, '/', { method: 'POST', body })).text).toBe(sha256(body));
    const headers = { 'Transfer-Encoding': 'chunked' };
    expect((await ask(port, '/', { method: 'PUT', body, headers })).text).toBe(sha256(body));
  });

  it('is streamed while the request is', async () => {
    const { port } = await site((environ) => ({ status: 200, body: environ['gateway.input'] }), protocol);
    const outgoing = open(port, '/', { method: 'POST' });
    outgoing.write('one');
    const incoming = await answerOf(outgoing);
    const chunks = incoming[Symbol.asyncIterator]();
    expect(String((await chunks.next()).value)).toBe('one');
    outgoing.write('two');
    expect(String((await chunks.next()).value)).toBe('two');
    outgoing.end();
    expect((await chunks.next()).done).toBe(true);
  });

  it('shows its head although its body is still silent', async () => {
    let speak: (() => void) | undefined;
    const { port } = await site(
      () => ({
        status: 200,
        headers: { 'X-Early': '1' },
        body: (async function* () {
          await new Promise<void>((resolve) => {
            speak = resolve;
          });
          yield 'at last';
        })(),
      }),
      protocol,
    );
    const outgoing = open(port, '/');
    outgoing.end();
    const incoming = await answerOf(outgoing);
    expect(incoming.headers['x-early']).toBe('1');
    speak?.();
    expect(await text(incoming)).toBe('at last');
  });

  it('that comes before the upload is done arrives, and the connection lives on', async () => {
    const { port } = await site(
      (environ) =>
        environ.REQUEST_METHOD === 'POST' ? { status: 413, body: 'too much' } : { status: 200, body: 'next' },
      protocol,
    );
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    cleanups.push(() => agent.destroy());
    expect(await ask(port, '/', { method: 'POST', body: Buffer.alloc(4_000_000), agent })).toMatchObject({
      status: 413,
      text: 'too much',
    });
    expect(await ask(port, '/', { agent })).toMatchObject({ status: 200, text: 'next' });
  });
});

describe('a client that leaves', () => {
  it.each(['before the answer', 'in the answer', 'in its upload'])(
    '%s: the app is told, nothing is logged',
    async (when) => {
      let told: (() => void) | undefined;
      const heard = new Promise<void>((resolve) => {
        told = resolve;
      });
      let entered: (() => void) | undefined;
      const running = new Promise<void>((resolve) => {
        entered = resolve;
      });
      const { port, log } = await site(async (environ) => {
        environ['gateway.signal'].addEventListener('abort', () => told?.());
        entered?.();
        if (when === 'in its upload') await environ['gateway.input'].bytes();
        if (when === 'before the answer') await heard;
        return {
          status: 200,
          body: (async function* () {
            yield 'x';
            await heard;
          })(),
        };
      });
      const outgoing = open(port, '/', { method: when === 'in its upload' ? 'POST' : 'GET' });
      outgoing.on('error', () => {});
      if (when === 'in its upload') outgoing.write('some');
      else outgoing.end();
      await running;
      if (when === 'in the answer') (await answerOf(outgoing)).on('error', () => {});
      outgoing.destroy();
      await heard;
      expect(log).toEqual([]);
    },
  );
});

describe('a request that the protocol of the back-end cannot carry', () => {
  it.each([
    ['scgi', scgi],
    ['uwsgi', uwsgi],
  ] as const)('is answered 411 over %s: a body of unknown length', async (_, protocol) => {
    const { port, log } = await site(() => ({ status: 200, body: 'never' }), protocol);
    const reply = await ask(port, '/', { method: 'POST', headers: { 'Transfer-Encoding': 'chunked' }, body: 'x' });
    expect(reply.status).toBe(411);
    expect(log.join()).toContain('CONTENT_LENGTH');
  });
});

describe('a back-end that fails', () => {
  it('to be there: 502 without detail, also to an upload; the cause goes to the log', async () => {
    const { port, log } = await inFrontOf({ transport: 'unix', path: '/nowhere/app.sock' });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    cleanups.push(() => agent.destroy());
    for (const body of [undefined, Buffer.alloc(4_000_000)]) {
      const got = await ask(port, '/', { method: body ? 'POST' : 'GET', body, agent });
      expect(got).toMatchObject({ status: 502, reason: 'Bad Gateway' });
      expect(got.headers['content-type']).toBe('text/html; charset=utf-8');
      expect(got.text).not.toContain('nowhere');
    }
    expect(log).toHaveLength(2);
    expect(log[0]).toMatch(/^PosternError: \/nowhere\/app\.sock: there is no such socket/);
  });

  it('is 504 where it is silent for the timeout', async () => {
    const server = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => server.close());
    const target = { ...loopback, port: (server.address() as AddressInfo).port };
    const { port, log } = await inFrontOf(target, fastcgi, { timeout: 30 });
    const { status, text } = await ask(port, '/');
    expect(status).toBe(504);
    expect(text).toContain('504 Gateway Timeout');
    expect(log.join('')).toContain('silent for 30 ms');
  });

  it.each<[string, Buffer[], number]>([
    ['closing at once', [], 502],
    ['another protocol', [Buffer.from('HTTP/1.1 200 OK\r\n\r\n')], 502],
    ['a malformed head', [stdout('what\r\n\r\n'), END], 502],
    ['being overloaded', [Buffer.from([1, 3, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0])], 503],
  ])('by %s gives an error page', async (_, answer, status) => {
    const { port, log } = await scripted(...answer);
    expect((await ask(port, '/')).status).toBe(status);
    expect(log).toHaveLength(1);
    expect(log[0]).toMatch(/^RemoteProtocolError: /);
  });

  it('in the body: the answer does not look complete', async () => {
    const { port, log } = await scripted(stdout('Status: 200 OK\r\n\r\nhello'));
    const outgoing = open(port, '/');
    outgoing.end();
    const incoming = await answerOf(outgoing);
    await expect(text(incoming)).rejects.toThrow('aborted');
    expect(incoming.complete).toBe(false);
    expect(log).toHaveLength(1);
  });

  it('with lines for the error log: they are logged', async () => {
    const { port, log } = await site((environ) => {
      environ['gateway.errors'].write('first\nsecond \x1b[2J');
      return { status: 200, body: 'x' };
    });
    await ask(port, '/');
    expect(log.join('')).toBe('first\nsecond \\x1b[2J\n');
  });
});

it('without hooks what the back-end says and why it failed goes to the error sink of the exchange', async () => {
  const written: string[] = [];
  const stderr = jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  cleanups.push(() => stderr.mockRestore());
  const server = new Server(
    environHandler((environ) => {
      environ['gateway.errors'].write('from the app');
      return { status: 200, body: 'x' };
    }),
  );
  cleanups.push(() => server.close(0));
  const hooks = { onLog: undefined, onError: undefined };
  const alive = await inFrontOf((await server.listen(fastcgi, loopback)) as ConnectTarget, fastcgi, hooks);
  expect((await ask(alive.port, '/')).status).toBe(200);
  const down = await inFrontOf({ transport: 'unix', path: '/nowhere/app.sock' }, fastcgi, hooks);
  expect((await ask(down.port, '/')).status).toBe(502);
  expect(written).toEqual(['from the app\n', expect.stringMatching(/^ERR_ADDRESS_UNAVAILABLE: \/nowhere[^\n]*\n$/)]);
});
