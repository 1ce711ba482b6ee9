import { describe, expect, it } from '@jest/globals';
import type { BodyWriter, Handler } from '@postern/core';
import { until } from '@postern/testkit';
import { http } from '../src/http-protocol.ts';
import { Server } from '../src/server.ts';
import { TICK } from '../src/watchdog.ts';
import { asked, httpReplies, httpRequest, repliesOf } from './support/http-peer.ts';
import { atEnd, hello, type ServeOptions, type Serving, serving, silent, turns } from './support/serving.ts';
import { allClosed, expectAbort, listenTo } from './support/told.ts';

function httpServing(handler: Handler, options: ServeOptions = {}): Promise<Serving> {
  return serving(handler, { protocol: http(), ...options });
}

/** Waits until the server has read so many bytes of its first connection. */
async function hasRead({ sockets }: Serving, bytes: number): Promise<void> {
  await until(
    () => sockets[0]?.bytesRead,
    (read) => read === bytes,
  );
  await turns(2);
}

/** Lets just less than a clock pass, and shows that it has not run out; then so much that it has. */
function passes({ clock }: Serving, limit: number, notYet: () => void): void {
  // the look that notices the silence
  clock.advance(TICK);
  clock.advance(limit - 1);
  notYet();
  clock.advance(3 * TICK + 1);
}

describe('headersTimeout', () => {
  it('answers 408 to a head that does not become complete, and closes', async () => {
    const all = await httpServing(hello, { limits: { headersTimeout: 10_000 } });
    const peer = await all.connect();
    const part = Buffer.from('GET / HTTP/1.1\r\nHos');
    peer.write(part);
    await hasRead(all, part.length);
    passes(all, 10_000, () => expect(peer.size).toBe(0));
    expect((await httpReplies(peer))[0]).toMatchObject({ status: 408, fields: { connection: 'close' } });
    await allClosed(all);
    expect(all.exchanges).toEqual([]);
    expect(all.logs).toMatchObject([{ level: 'warn', event: 'timeout', code: 'ERR_TIMEOUT_HEAD', protocol: 'http' }]);
  });

  it('is no idle timer: a byte now and then does not put it off', async () => {
    const all = await httpServing(hello, { limits: { headersTimeout: 10_000 } });
    const peer = await all.connect();
    peer.write(Buffer.from('GET / HTTP/1.1\r\n'));
    await hasRead(all, 16);
    for (let i = 1; i <= 9; i++) {
      all.clock.advance(1000);
      peer.write(Buffer.from('X'));
      await hasRead(all, 16 + i);
    }
    expect(peer.size).toBe(0);
    all.clock.advance(1000 + 3 * TICK);
    expect((await httpReplies(peer))[0].status).toBe(408);
  });

  it('holds for the second request of a connection too', async () => {
    const all = await httpServing(hello, { limits: { headersTimeout: 10_000 } });
    const peer = await all.connect();
    const one = httpRequest('POST /', ['Content-Length: 3'], 'abc');
    peer.write(one);
    await httpReplies(peer);
    peer.write(Buffer.from('G'));
    await hasRead(all, one.length + 1);
    passes(all, 10_000, () => expect(repliesOf(peer)).toHaveLength(1));
    expect((await httpReplies(peer, 2))[1].status).toBe(408);
  });
});

describe('keepAliveTimeout', () => {
  it.each([0, 1])('closes a connection that is silent behind %i requests', async (requests) => {
    const all = await httpServing(hello, { limits: { keepAliveTimeout: 50_000 } });
    const peer = await all.connect();
    await until(
      () => all.server.connections,
      (count) => count === 1,
    );
    if (requests > 0) {
      peer.write(httpRequest('GET /'));
      expect((await httpReplies(peer))[0].fields['keep-alive']).toMatch(/timeout=5\d/);
    }
    passes(all, 50_000, () => expect(all.server.connections).toBe(1));
    await allClosed(all);
    await peer.when(() => peer.ended);
    expect(all.logs).toEqual([]);
  });
});

describe('the clocks of a request', () => {
  it('bodyIdleTimeout answers 408 when the app waits and nothing comes', async () => {
    const all = await httpServing(silent, { limits: { bodyIdleTimeout: 30_000 } });
    const peer = await all.connect();
    peer.write(httpRequest('POST /', ['Content-Length: 10'], 'half'));
    const exchange = await all.asked();
    const reading = exchange.input.bytes();
    reading.catch(() => {});
    await turns();
    passes(all, 30_000, () => expect(exchange.over).toBe(false));
    expect((await httpReplies(peer))[0]).toMatchObject({ status: 408, fields: { connection: 'close' } });
    await expect(reading).rejects.toMatchObject({ code: 'ERR_TIMEOUT_BODY' });
    await peer.gone();
  });

  it('bodyIdleTimeout closes where what is left of a body behind its reply stalls', async () => {
    const all = await httpServing(hello, { limits: { bodyIdleTimeout: 30_000 } });
    const peer = await all.connect();
    peer.write(httpRequest('POST /', ['Content-Length: 10'], 'half'));
    await httpReplies(peer);
    passes(all, 30_000, () => expect(all.server.connections).toBe(1));
    await allClosed(all);
    expect(all.logs).toMatchObject([{ code: 'ERR_TIMEOUT_BODY' }]);
  });

  it('appTimeout answers 504', async () => {
    const all = await httpServing(silent, { limits: { appTimeout: 5000 } });
    const peer = await all.connect();
    peer.write(httpRequest('GET /'));
    const told = listenTo(await all.asked());
    passes(all, 5000, () => expect(peer.size).toBe(0));
    expect((await httpReplies(peer))[0].status).toBe(504);
    expectAbort(told);
  });

  it('writeTimeout cuts a client that reads nothing', async () => {
    let writer: BodyWriter | undefined;
    const all = await httpServing(
      (exchange) => {
        writer = exchange.start(200, 'OK', []);
        writer.write(Buffer.alloc(20_000_000));
      },
      { limits: { writeTimeout: 20_000 } },
    );
    const peer = await all.connect();
    peer.socket.pause();
    peer.write(httpRequest('GET /'));
    const told = listenTo(await all.asked());
    await turns(50);
    passes(all, 20_000, () => expect(told.over).toEqual([]));
    expectAbort(told);
    await allClosed(all);
    expect(all.logs).toMatchObject([{ code: 'ERR_TIMEOUT_WRITE' }]);
  });
});

describe('what node:http cannot read', () => {
  it.each<[string, string, number]>([
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['bytes of no protocol', '\xff\xff', 400],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    ['two framings', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
    ['two Hosts', 'GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n', 400],
    ['a head that is too large', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
    ['a value that is too long', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(5001)}\r\n\r\n`, 431],
    ['too many fields', `GET / HTTP/1.1\r\nHost: x\r\n${'X: y\r\n'.repeat(20)}\r\n`, 431],
  ])('is refused: %s', async (_, bytes, status) => {
    const all = await httpServing(hello, {
      limits: { maxEnvBytes: 16_384, maxValueBytes: 5000, maxEnvCount: 20 },
    });
    const peer = await all.connect();
    peer.write(Buffer.from(bytes, 'latin1'));
    expect((await httpReplies(peer))[0]).toMatchObject({ status, fields: { connection: 'close' } });
    await peer.gone();
    peer.socket.end();
    await allClosed(all);
    expect(all.exchanges).toEqual([]);
  });

  it('is told of, unless node:http has answered it by itself', async () => {
    const all = await httpServing(hello);
    const peer = await all.connect();
    peer.write(Buffer.from('hello\r\n\r\n'));
    await allClosed(all);
    expect(all.logs).toMatchObject([
      { level: 'warn', event: 'protocol_error', code: 'ERR_HTTP_REQUEST', message: expect.stringMatching(/HPE_/) },
    ]);
  });

  it('in a body fails its request with 400', async () => {
    const all = await httpServing(silent);
    const peer = await all.connect();
    peer.write(httpRequest('POST /', ['Transfer-Encoding: chunked'], '3\r\nabc\r\n'));
    const exchange = await all.asked();
    const reading = exchange.input.bytes();
    reading.catch(() => {});
    peer.write(Buffer.from('no chunk\r\n'));
    await expect(reading).rejects.toMatchObject({ code: 'ERR_HTTP_REQUEST' });
    expect((await httpReplies(peer))[0].status).toBe(400);
    await peer.gone();
    peer.socket.end();
    await allClosed(all);
  });

  it('behind a head that is refused is no more: one answer, one line', async () => {
    const all = await httpServing(hello);
    const peer = await all.connect();
    peer.write(httpRequest('POST /', ['Transfer-Encoding: xchunked'], 'x'));
    await peer.gone();
    expect(repliesOf(peer)).toMatchObject([{ status: 400, fields: { connection: 'close' } }]);
    expect(all.logs).toMatchObject([{ code: 'ERR_HTTP_REQUEST' }]);
    expect(all.exchanges).toEqual([]);
    peer.socket.end();
    await allClosed(all);
  });

  it('is no matter where the client has only left', async () => {
    const all = await httpServing(hello);
    const peer = await all.connect();
    peer.write(Buffer.from('GET / HTTP/1.1\r\nHos'));
    await hasRead(all, 19);
    peer.socket.end();
    await allClosed(all);
    expect(peer.size).toBe(0);
    expect(all.logs).toEqual([]);
  });
});

describe('requests that are sent ahead', () => {
  it('are answered in their order', async () => {
    const all = await httpServing(silent);
    const peer = await all.connect();
    peer.write(Buffer.concat([httpRequest('GET /1'), httpRequest('GET /2'), httpRequest('GET /3')]));
    await all.asked(3);
    for (const exchange of [...all.exchanges].reverse()) exchange.respond(200, 'OK', [], exchange.head.target);
    expect((await httpReplies(peer, 3)).map(({ body }) => body)).toEqual(['/1', '/2', '/3']);
    expect(all.exchanges.map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  it('are at most maxConcurrentPerConnection', async () => {
    const all = await httpServing(silent, { limits: { maxConcurrentPerConnection: 3 } });
    const peer = await all.connect();
    peer.write(Buffer.concat(Array.from({ length: 4 }, () => httpRequest('GET /'))));
    const told = listenTo(await all.asked());
    await allClosed(all);
    expectAbort(told);
    expect(all.exchanges).toHaveLength(3);
    expect(all.logs).toContainEqual(expect.objectContaining({ level: 'warn', code: 'ERR_HTTP_REQUEST' }));
  });

  it('are at most maxConnectionRequests on one connection', async () => {
    const all = await httpServing(hello, { limits: { maxConnectionRequests: 2 } });
    const peer = await all.connect();
    peer.write(httpRequest('GET /'));
    expect((await httpReplies(peer))[0].fields.connection).toBe('keep-alive');
    peer.write(httpRequest('GET /'));
    expect((await httpReplies(peer, 2))[1].fields.connection).toBe('close');
    await peer.when(() => peer.ended);
  });
});

describe('the end of a connection', () => {
  it('whose client asks for it comes behind the reply', async () => {
    const all = await httpServing(hello);
    const { fields, peer } = await asked(all, 'GET /', ['Connection: close']);
    expect(fields.connection).toBe('close');
    await peer.when(() => peer.ended);
    await allClosed(all);
  });

  it('comes without a reset although the client still sends', async () => {
    const all = await httpServing(hello, { limits: { lingerBytes: 1_000_000, lingerTimeout: 2000 } });
    const peer = await all.connect();
    peer.write(httpRequest('POST /', ['Connection: close', 'Content-Length: 500000']));
    expect((await httpReplies(peer))[0].body).toBe('hello');
    await peer.when(() => peer.ended);
    peer.write(Buffer.alloc(400_000));
    await until(
      () => all.sockets[0].bytesRead,
      (read) => read > 400_000,
    );
    expect(peer.error).toBeUndefined();
    passes(all, 2000, () => expect(all.server.connections).toBe(1));
    await allClosed(all);
  });

  it('is not put off by a client that sends without end', async () => {
    const all = await httpServing(hello, { limits: { lingerBytes: 100_000, lingerTimeout: 2000 } });
    const peer = await all.connect();
    peer.write(httpRequest('POST /', ['Connection: close', 'Content-Length: 50000000']));
    await httpReplies(peer);
    await peer.when(() => peer.ended);
    peer.write(Buffer.alloc(300_000));
    await until(
      () => all.sockets[0].bytesRead,
      (read) => read > 300_000,
    );
    all.clock.advance(TICK);
    const { bytesRead } = all.sockets[0];
    peer.write(Buffer.alloc(300_000));
    await turns(50);
    expect(all.sockets[0].bytesRead).toBe(bytesRead);
    all.clock.advance(2000 + TICK);
    await allClosed(all);
  });
});

describe('closing the server', () => {
  it('closes idle connections at once', async () => {
    const all = await httpServing(hello);
    const peers = [await all.connect(), (await asked(all, 'GET /')).peer];
    await until(
      () => all.server.connections,
      (count) => count === 2,
    );
    expect(await all.server.close(10_000)).toBe(true);
    for (const peer of peers) await peer.when(() => peer.ended);
    expect(all.server.connections).toBe(0);
  });

  it('lets what runs finish, and says that the connection closes', async () => {
    const all = await httpServing(silent);
    const peer = await all.connect();
    peer.write(httpRequest('GET /'));
    const exchange = await all.asked();
    const closing = all.server.close(10_000);
    await turns();
    expect(peer.ended).toBe(false);
    exchange.respond(200, 'OK', [], 'late');
    expect((await httpReplies(peer))[0]).toMatchObject({ body: 'late', fields: { connection: 'close' } });
    expect(await closing).toBe(true);
  });

  it('lets a reply that has begun finish, then closes its connection', async () => {
    let writer: BodyWriter | undefined;
    const all = await httpServing((exchange) => {
      writer = exchange.start(200, 'OK', []);
      writer.write('be');
    });
    const peer = await all.connect();
    peer.write(httpRequest('GET /'));
    await peer.when(() => peer.text.includes('be'));
    const closing = all.server.close(10_000);
    writer?.write('gun');
    writer?.end();
    expect((await httpReplies(peer))[0].body).toBe('begun');
    expect(await closing).toBe(true);
  });

  it('cuts what runs longer than the grace', async () => {
    const all = await httpServing(silent);
    const peer = await all.connect();
    peer.write(httpRequest('GET /'));
    const told = listenTo(await all.asked());
    const closing = all.server.close(1000);
    all.clock.advance(1000);
    expect(await closing).toBe(false);
    expectAbort(told);
    await peer.gone();
    expect(peer.size).toBe(0);
  });

  it('closeIdle closes what is idle alone, closeAll everything', async () => {
    const all = await httpServing((exchange) => {
      if (exchange.head.target === '/') hello(exchange);
    });
    const idle = (await asked(all, 'GET /')).peer;
    const running = await all.connect();
    running.write(httpRequest('GET /silent'));
    await all.asked(2);
    all.server.closeIdle();
    await idle.when(() => idle.ended);
    expect(running.ended).toBe(false);
    all.server.closeAll();
    await running.gone();
    await allClosed(all);
  });
});

it('maxConnections counts connections of HTTP', async () => {
  const all = await httpServing(hello, { limits: { maxConnections: 1 } });
  await asked(all, 'GET /');
  const second = await all.connect();
  second.write(httpRequest('GET /'));
  await second.gone();
  expect(repliesOf(second)).toMatchObject([
    { status: 503, fields: { 'retry-after': '1', connection: 'close' }, body: '503 Service Unavailable\n' },
  ]);
  expect(all.exchanges).toHaveLength(1);
  expect(all.logs).toMatchObject([{ code: 'ERR_CONNECTIONS', protocol: 'http' }]);
});

it('anybody may connect: HTTP listens off loopback without allow, which still holds where it is given', async () => {
  const server = new Server(hello, { log: () => {} });
  atEnd(() => server.close(0));
  await expect(server.listen(http(), { transport: 'tcp', host: '0.0.0.0', port: 0 })).resolves.toMatchObject({
    host: '0.0.0.0',
  });
  const address = await server.listen(http(), {
    transport: 'tcp',
    host: '127.0.0.1',
    port: 0,
    allow: ['192.0.2.0/24'],
  });
  const { connectTo } = await import('./support/peer.ts');
  const peer = await connectTo(address);
  await peer.gone();
  expect(peer.size).toBe(0);
});
