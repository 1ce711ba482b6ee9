import { createServer, request as plainRequest } from 'node:http';
import { Agent, request as secureRequest } from 'node:https';
import { connect as netConnect } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as tlsConnect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@postern/testkit';
import type { BoundAddress } from '../src/address.ts';
import { http } from '../src/http-protocol.ts';
import { readTlsFiles, type ServerTls } from '../src/tls-files.ts';
import { TICK } from '../src/watchdog.ts';
import { temporaryCertificate } from './support/certificate.ts';
import { asked, httpReplies, httpRequest } from './support/http-peer.ts';
import { atEnd, hello, type Serving, serving, silent, turns } from './support/serving.ts';
import { allClosed, expectAbort, listenTo } from './support/told.ts';

let made: ReturnType<typeof temporaryCertificate>;
let tls: ServerTls;
beforeAll(() => {
  made = temporaryCertificate();
  tls = readTlsFiles(made);
});
afterAll(() => made.remove());

function portOf(address: BoundAddress): number {
  if (address.transport !== 'tcp') throw new Error('no port');
  return address.port;
}

interface Got {
  readonly status: number | undefined;
  readonly body: string;
}

/** Asks over TLS. */
function secured(all: Serving, path: string, agent = new Agent(), body?: Buffer): Promise<Got> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: portOf(all.address), ca: tls.cert, servername: 'localhost', agent };
    const outgoing = secureRequest({ ...options, path, method: body === undefined ? 'GET' : 'POST' }, (incoming) =>
      text(incoming).then((read) => resolve({ status: incoming.statusCode, body: read }), reject),
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

describe('https', () => {
  it('serves exchanges that know of their encryption', async () => {
    const all = await serving((exchange) => exchange.respond(200, 'OK', [], JSON.stringify(exchange.environ)), {
      protocol: http({ tls }),
    });
    const environ = JSON.parse((await secured(all, '/x')).body);
    expect(environ).toMatchObject({
      HTTPS: 'on',
      REQUEST_SCHEME: 'https',
      SSL_PROTOCOL: 'TLSv1.3',
      SSL_CIPHER: expect.stringMatching(/^TLS_/),
      SSL_TLS_SNI: 'localhost',
      SERVER_PORT: String(portOf(all.address)),
      SERVER_NAME: '127.0.0.1',
      REMOTE_ADDR: '127.0.0.1',
      PATH_INFO: '/x',
    });
    expect(all.exchanges[0].head.scheme).toBe('https');
    expect(all.exchanges[0].protocol).toBe('http');
  });

  it('carries large bodies both ways on a kept connection, and closes it when it is idle', async () => {
    const all = await serving(
      async (exchange) => exchange.respond(200, 'OK', [], await exchange.input.bytes(10_000_000)),
      { protocol: http({ tls }), limits: { keepAliveTimeout: 20_000 } },
    );
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    atEnd(() => agent.destroy());
    for (let i = 0; i < 2; i++) {
      expect((await secured(all, '/', agent, Buffer.alloc(3_000_000, 'abc'))).body).toBe('abc'.repeat(1_000_000));
    }
    expect(all.sockets).toHaveLength(1);
    all.clock.advance(TICK);
    all.clock.advance(20_000 + 2 * TICK);
    await allClosed(all);
  });

  it('shows a client that a reply broke off', async () => {
    const all = await serving(
      (exchange) => {
        exchange.start(200, 'OK', []).write('some');
        setImmediate(() => exchange.fail(new Error('x')));
      },
      { protocol: http({ tls }) },
    );
    await expect(secured(all, '/')).rejects.toMatchObject({ code: 'ECONNRESET' });
    await allClosed(all);
  });

  it('tells the app of a client that leaves', async () => {
    const all = await serving(silent, { protocol: http({ tls }) });
    const socket = tlsConnect({ host: '127.0.0.1', port: portOf(all.address), ca: tls.cert, servername: 'localhost' });
    socket.on('error', () => {});
    socket.write(httpRequest('GET /'));
    const told = listenTo(await all.asked());
    socket.destroy();
    await until(
      () => told.over.length,
      (count) => count === 1,
    );
    expectAbort(told);
    await allClosed(all);
  });

  it('closes a connection whose handshake is not done within headersTimeout', async () => {
    const all = await serving(hello, { protocol: http({ tls }), limits: { headersTimeout: 5000 } });
    const peer = await all.connect();
    peer.write(Buffer.from('\x16\x03\x01\x02', 'latin1'));
    await until(
      () => all.sockets[0]?.bytesRead,
      (read) => read === 4,
    );
    await turns();
    all.clock.advance(TICK);
    all.clock.advance(5000 - 1);
    expect(all.server.connections).toBe(1);
    all.clock.advance(3 * TICK);
    await allClosed(all);
    expect(peer.size).toBe(0);
    expect(all.logs).toMatchObject([{ code: 'ERR_TIMEOUT_HEAD', protocol: 'https' }]);
  });

  it('tells of HTTP where TLS is spoken', async () => {
    const all = await serving(hello, { protocol: http({ tls }) });
    const peer = await all.connect();
    peer.write(httpRequest('GET /'));
    await allClosed(all);
    expect(all.logs).toMatchObject([
      { level: 'warn', code: 'ERR_WRONG_PROTOCOL', message: 'HTTP on a port that speaks https', protocol: 'https' },
    ]);
  });

  it('says nothing of a client that does not trust the certificate', async () => {
    const all = await serving(hello, { protocol: http({ tls }) });
    const socket = tlsConnect({ host: '127.0.0.1', port: portOf(all.address) });
    await new Promise((resolve) => socket.on('error', resolve));
    await allClosed(all);
    expect(all.logs.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  it('has connections that are open when the server closes', async () => {
    const all = await serving(silent, { protocol: http({ tls }) });
    const running = secured(all, '/');
    running.catch(() => {});
    const exchange = await all.asked();
    const closing = all.server.close(10_000);
    exchange.respond(200, 'OK', [], 'late');
    expect((await running).body).toBe('late');
    expect(await closing).toBe(true);
  });
});

describe('a half-close behind a request', () => {
  it('is the leaving of the client', async () => {
    const all = await serving(silent, { protocol: http() });
    const peer = await all.connect();
    peer.write(httpRequest('GET /'));
    const told = listenTo(await all.asked());
    peer.socket.end();
    await until(
      () => told.over.length,
      (count) => count === 1,
    );
    expectAbort(told);
  });

  it('is none where the address says so', async () => {
    const all = await serving(silent, { protocol: http(), peer: { halfCloseServes: true } });
    const peer = await all.connect();
    peer.socket.end(httpRequest('GET /'));
    const exchange = await all.asked();
    await turns(10);
    expect(exchange.over).toBe(false);
    exchange.respond(200, 'OK', [], 'served');
    expect((await httpReplies(peer))[0].body).toBe('served');
  });
});

describe('a body whose beginning comes with its head', () => {
  it('waits in the client while nobody asks for it, and arrives whole', async () => {
    const all = await serving(silent, { protocol: http(), limits: { appTimeout: 0 } });
    const peer = await all.connect();
    const length = 20_000_000;
    peer.write(httpRequest('POST /', [`Content-Length: ${length}`], 'x'.repeat(60_000)));
    peer.write(Buffer.alloc(length - 60_000, 'x'));
    const exchange = await all.asked();
    await turns(200);
    expect(all.sockets[0].bytesRead).toBeLessThan(1_000_000);
    expect(await exchange.input.bytes(length)).toHaveLength(length);
  });
});

describe('what the server of an app listens for', () => {
  it('upgrade gets the socket, whose clocks are its own from then on', async () => {
    const app = createServer((_req, res) => res.end('plain'));
    const all = await serving(silent, { protocol: http({ listener: app }), limits: { keepAliveTimeout: 1000 } });
    // listens only after the server does, as those who attach a WebSocket server may
    app.on('upgrade', (req, socket, head) => {
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n${req.url} ${head}`,
      );
      socket.pipe(socket);
    });
    const peer = await all.connect();
    peer.write(httpRequest('GET /up', ['Upgrade: echo', 'Connection: Upgrade'], 'first '));
    await peer.when(() => peer.text.endsWith('\r\n\r\n/up first '));
    all.clock.advance(100_000);
    peer.write(Buffer.from('second'));
    await peer.when(() => peer.text.endsWith('/up first second'));
    expect((await asked(all, 'GET /')).body).toBe('plain');
    const closing = all.server.close(1000);
    await turns();
    expect(peer.ended).toBe(false);
    all.clock.advance(1000);
    expect(await closing).toBe(false);
    await peer.gone();
  });

  it('connect gets the socket too', async () => {
    const app = createServer();
    app.on('connect', (req, socket) => socket.end(`HTTP/1.1 200 OK\r\n\r\ntunnel to ${req.url}`));
    const all = await serving(silent, { protocol: http({ listener: app }) });
    const peer = await all.connect();
    peer.write(httpRequest('CONNECT other.test:80'));
    await peer.when(() => peer.text.endsWith('tunnel to other.test:80'));
  });

  it('an upgrade that it does not listen for is a request like others', async () => {
    const app = createServer((req, res) => res.end(`plain ${req.headers.upgrade}`));
    const all = await serving(silent, { protocol: http({ listener: app }) });
    expect((await asked(all, 'GET /', ['Upgrade: h2c', 'Connection: Upgrade'])).body).toBe('plain h2c');
    const exchanges = await serving(hello, { protocol: http() });
    expect((await asked(exchanges, 'GET /', ['Upgrade: h2c', 'Connection: Upgrade'])).body).toBe('hello');
  });

  it('checkContinue decides whether the client goes on; otherwise it is told to', async () => {
    const fields = ['Expect: 100-continue', 'Content-Length: 1'];
    const app = createServer((req, res) => req.on('end', () => res.end('read')).resume());
    const all = await serving(silent, { protocol: http({ listener: app }) });
    const peer = await all.connect();
    peer.write(httpRequest('POST /', fields));
    await peer.when(() => peer.text === 'HTTP/1.1 100 Continue\r\n\r\n');
    peer.write(Buffer.from('x'));
    expect((await httpReplies(peer, 2))[1].body).toBe('read');
    app.on('checkContinue', (_req, res) => res.writeHead(403, { Connection: 'close' }).end('no'));
    expect(await asked(all, 'POST /', fields)).toMatchObject({ status: 403, body: 'no' });
  });
});

it('serves a unix socket, and clients of node:http', async () => {
  const { path, remove } = (await import('@postern/testkit')).temporaryFolder();
  atEnd(remove);
  await serving((exchange) => exchange.respond(200, 'OK', [], JSON.stringify(exchange.environ)), {
    protocol: http(),
    path: `${path}/a.sock`,
  });
  const environ = await new Promise<string>((resolve, reject) => {
    plainRequest({ socketPath: `${path}/a.sock`, path: '/u' }, (incoming) => text(incoming).then(resolve, reject))
      .on('error', reject)
      .end();
  });
  expect(JSON.parse(environ)).toMatchObject({ PATH_INFO: '/u', SERVER_NAME: 'localhost', SERVER_PORT: '80' });
  expect(JSON.parse(environ)).not.toHaveProperty('REMOTE_ADDR');
  const cut = netConnect(`${path}/a.sock`);
  cut.on('error', () => {});
  cut.destroy();
});
