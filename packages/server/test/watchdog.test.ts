import { describe, expect, it } from '@jest/globals';
import { AbortError, type BodyWriter } from '@postern/core';
import { begin, pairs, params, plainGet, request, stdin, until } from '@postern/testkit';
import { TICK } from '../src/watchdog.ts';
import type { Peer } from './support/peer.ts';
import { hello, type Serving, serving, silent, turns } from './support/serving.ts';
import { allClosed } from './support/told.ts';

const keep = { flags: 1 };
const post = { ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '100' };
/** A body that is not read stops the socket, and others with it. */
const blocking = { bodyHighWater: 1000, sharedBodyHighWater: 1000, maxSpoolBytes: 0, stallTimeout: 600_000 };
const postHead = Buffer.concat([begin(1, 1), params(pairs(post)), params()]);

/** Waits until the server has read so many bytes, and has dealt with them. */
async function hasRead({ sockets }: Serving, bytes: number, at = 0): Promise<void> {
  await until(
    () => sockets[at]?.bytesRead,
    (read) => read === bytes,
  );
  await turns(2);
}

/** Lets just less than a clock pass, and shows that it has not run out; then so much that it has. */
function passes({ clock }: Serving, limit: number, notYet: () => void): void {
  clock.advance(limit - 1);
  notYet();
  clock.advance(2 * TICK + 1);
}

describe('headersTimeout', () => {
  it('answers 408 to a request whose head does not become complete, then closes', async () => {
    const all = await serving(hello, { limits: { headersTimeout: 10_000 } });
    const peer = await all.connect();
    const part = Buffer.concat([begin(1, 1), params('')]).subarray(0, 20);
    peer.write(part);
    await hasRead(all, part.length);
    passes(all, 10_000, () => expect(peer.size).toBe(0));
    expect((await peer.reply()).stdout).toMatch(/^Status: 408 Request Timeout\r\n/);
    await peer.when(() => peer.ended);
    expect(all.exchanges).toEqual([]);
    expect(all.logs).toMatchObject([{ level: 'warn', event: 'timeout', code: 'ERR_TIMEOUT_HEAD' }]);
  });

  it('closes without a byte where no request can be named yet', async () => {
    const all = await serving(hello, { limits: { headersTimeout: 10_000 } });
    const peer = await all.connect();
    peer.write(begin(1, 1).subarray(0, 7));
    await hasRead(all, 7);
    passes(all, 10_000, () => expect(peer.closed).toBe(false));
    await allClosed(all);
    await peer.gone();
    expect(peer.size).toBe(0);
  });

  it('is no idle timer: a byte now and then does not put it off', async () => {
    const all = await serving(hello, { limits: { headersTimeout: 10_000 } });
    const peer = await all.connect();
    const head = Buffer.concat([begin(1, 1), params(pairs(plainGet))]);
    peer.write(head.subarray(0, 30));
    await hasRead(all, 30);
    for (let at = 30; at < 39; at++) {
      all.clock.advance(1000);
      peer.write(head.subarray(at, at + 1));
      await hasRead(all, at + 1);
    }
    expect(peer.size).toBe(0);
    all.clock.advance(1000 + 2 * TICK);
    expect((await peer.reply()).stdout).toMatch(/^Status: 408 /);
  });

  it('does not count from a head that became complete meanwhile', async () => {
    const all = await serving(hello, { limits: { headersTimeout: 10_000 } });
    const peer = await all.connect();
    const one = request(plainGet, keep);
    // each read ends in the middle of the next head
    let sent = one.length + 20;
    peer.write(Buffer.concat([one, one.subarray(0, 20)]));
    await hasRead(all, sent);
    for (let i = 0; i < 5; i++) {
      all.clock.advance(4000);
      peer.write(Buffer.concat([one.subarray(20), one.subarray(0, 20)]));
      sent += one.length;
      await hasRead(all, sent);
    }
    expect(all.logs).toEqual([]);
    expect(all.exchanges).toHaveLength(6);
  });

  it('does not count while the application holds another body back', async () => {
    const limits = { ...blocking, headersTimeout: 10_000, appTimeout: 0 };
    const all = await serving(silent, { limits });
    const peer = await all.connect();
    const big = { ...post, CONTENT_LENGTH: '3000' };
    peer.write(
      Buffer.concat([
        begin(2, 1),
        begin(1, 1),
        params(pairs(big), 1),
        params('', 1),
        stdin(Buffer.alloc(2000), 1),
        stdin(Buffer.alloc(1000), 1),
      ]),
    );
    const first = await all.asked();
    await until(() => all.sockets[0].isPaused(), Boolean);
    peer.write(Buffer.concat([params(pairs(plainGet), 2), params('', 2), stdin('', 2)]));
    all.clock.advance(60_000);
    expect(all.logs).toEqual([]);
    first.respond(200, 'OK', [], null);
    await all.asked(2);
  });
});

describe('bodyIdleTimeout', () => {
  it('answers 408 when the application waits and nothing comes', async () => {
    const all = await serving(silent, { limits: { bodyIdleTimeout: 30_000 } });
    const peer = await all.connect();
    peer.write(postHead);
    const exchange = await all.asked();
    const reading = exchange.input.bytes();
    reading.catch(() => {});
    passes(all, 30_000, () => expect(exchange.over).toBe(false));
    expect((await peer.reply()).stdout).toMatch(/^Status: 408 Request Timeout\r\n/);
    await expect(reading).rejects.toMatchObject({ name: 'AbortError', code: 'ERR_TIMEOUT_BODY' });
    expect(exchange.signal.reason).toMatchObject({ name: 'AbortError', code: 'ERR_TIMEOUT_BODY' });
    expect(all.logs).toMatchObject([{ level: 'warn', event: 'timeout', code: 'ERR_TIMEOUT_BODY', id: 1 }]);
    expect(all.errors).toEqual([]);
  });

  it('begins anew with every byte', async () => {
    const all = await serving(silent, { limits: { bodyIdleTimeout: 30_000, appTimeout: 1 } });
    const peer = await all.connect();
    peer.write(postHead);
    const exchange = await all.asked();
    const reading = exchange.input.bytes();
    let sent = postHead.length;
    for (let i = 0; i < 10; i++) {
      all.clock.advance(29_000);
      const piece = stdin('0123456789');
      peer.write(piece);
      sent += piece.length;
      await hasRead(all, sent);
    }
    expect(await reading).toHaveLength(100);
    expect(exchange.over).toBe(false);
  });

  it('breaks a reply off whose head is out already', async () => {
    const all = await serving(silent, { limits: { bodyIdleTimeout: 30_000 } });
    const peer = await all.connect();
    peer.write(postHead);
    const exchange = await all.asked();
    const over: unknown[] = [];
    exchange.onOver((error) => over.push(error));
    exchange.start(200, 'OK', []).write('begun');
    exchange.input.bytes().catch(() => {});
    all.clock.advance(30_000 + 2 * TICK);
    await peer.when(() => peer.ended);
    expect(peer.text.endsWith('\0\0\0\0\0\0\0\0')).toBe(true);
    expect(over).toMatchObject([{ code: 'ERR_TIMEOUT_BODY' }]);
  });

  it('does not count while another body holds the connection back', async () => {
    const limits = { ...blocking, bodyIdleTimeout: 30_000, appTimeout: 0 };
    const all = await serving(silent, { limits });
    const peer = await all.connect();
    peer.write(Buffer.concat([begin(1, 1), params(pairs(post), 1), params('', 1)]));
    peer.write(Buffer.concat([begin(2, 1), params(pairs({ ...post, CONTENT_LENGTH: '3000' }), 2), params('', 2)]));
    await all.asked(2);
    all.exchanges[0].input.bytes().catch(() => {});
    peer.write(Buffer.concat([stdin(Buffer.alloc(2000), 2), stdin(Buffer.alloc(1000), 2)]));
    await until(() => all.sockets[0].isPaused(), Boolean);
    all.clock.advance(120_000);
    expect(all.exchanges[0].over).toBe(false);
    expect(all.logs).toEqual([]);
  });
});

describe('appTimeout', () => {
  it('answers 504, fires the signal, and ignores what the application says later', async () => {
    const all = await serving(silent, { limits: { appTimeout: 55_000 } });
    const peer = await all.connect();
    peer.write(request(plainGet, keep));
    const exchange = await all.asked();
    const reasons: unknown[] = [];
    exchange.signal.addEventListener('abort', () => reasons.push(exchange.signal.reason));
    const over: unknown[] = [];
    exchange.onOver((error) => over.push(error));
    passes(all, 55_000, () => expect(reasons).toEqual([]));
    expect((await peer.reply()).stdout).toMatch(/^Status: 504 Gateway Timeout\r\n/);
    expect(reasons).toHaveLength(1);
    expect(reasons[0]).toBeInstanceOf(AbortError);
    expect(reasons[0]).toMatchObject({ name: 'AbortError', code: 'ERR_TIMEOUT_APP' });
    expect(over).toEqual(reasons);
    exchange.respond(200, 'OK', [], 'too late');
    exchange.start(200, 'OK', []).end();
    exchange.fail(new Error('too late as well'));
    expect(all.errors).toEqual([]);
    expect(all.logs).toMatchObject([{ level: 'warn', event: 'timeout', code: 'ERR_TIMEOUT_APP', id: 1 }]);
    // the connection is in order
    peer.write(request(plainGet, keep));
    (await all.asked(2)).respond(200, 'OK', [], 'in time');
    expect((await peer.replies(2))[1].stdout).toContain('in time');
  });

  it('ends with the head of the reply', async () => {
    const all = await serving(silent, { limits: { appTimeout: 1000 } });
    const peer = await all.connect();
    peer.write(request(plainGet, keep));
    const exchange = await all.asked();
    const writer = exchange.start(200, 'OK', []);
    all.clock.advance(600_000);
    writer.write('slow');
    writer.end();
    expect((await peer.reply()).stdout).toContain('slow');
  });

  it('of 0 is none', async () => {
    const all = await serving(silent, { limits: { appTimeout: 0 } });
    const peer = await all.connect();
    peer.write(request(plainGet, keep));
    const exchange = await all.asked();
    all.clock.advance(86_400_000);
    expect(exchange.over).toBe(false);
  });

  it('counts from the latest bytes of the body, so that a long upload is not held against the application', async () => {
    const all = await serving(silent, { limits: { appTimeout: 5000, bodyIdleTimeout: 30_000 } });
    const peer = await all.connect();
    peer.write(postHead);
    const exchange = await all.asked();
    const reader = exchange.input[Symbol.asyncIterator]();
    let sent = postHead.length;
    for (let i = 0; i < 10; i++) {
      const next = reader.next();
      all.clock.advance(4000);
      const piece = stdin('0123456789');
      peer.write(piece);
      sent += piece.length;
      await hasRead(all, sent);
      await next;
      // the application is at work with this piece for a while
      all.clock.advance(1000);
    }
    expect(exchange.over).toBe(false);
    all.clock.advance(4000 + 2 * TICK);
    expect((await peer.reply()).stdout).toMatch(/^Status: 504 /);
  });
});

/** Fills every buffer between the application and a peer that does not read. */
async function fill(writer: BodyWriter, { sockets }: Serving): Promise<void> {
  const piece = Buffer.alloc(65_536);
  while (writer.write(piece) || !sockets[0].writableNeedDrain) await turns(1);
}

describe('writeTimeout', () => {
  it('cuts a connection whose peer does not read the reply', async () => {
    const all = await serving(silent, { limits: { writeTimeout: 60_000 } });
    const peer = await all.connect();
    peer.socket.pause();
    peer.write(request(plainGet, keep));
    const exchange = await all.asked();
    const over: unknown[] = [];
    exchange.onOver((error) => over.push(error));
    const { signal } = exchange;
    const writer = exchange.start(200, 'OK', []);
    await fill(writer, all);
    all.clock.advance(TICK);
    passes(all, 60_000, () => expect(signal.aborted).toBe(false));
    expect(signal.reason).toMatchObject({ name: 'AbortError', code: 'ERR_TIMEOUT_WRITE' });
    expect(over).toEqual([signal.reason]);
    expect(writer.closed).toBe(true);
    await allClosed(all);
    expect(all.logs).toMatchObject([{ level: 'warn', event: 'timeout', code: 'ERR_TIMEOUT_WRITE' }]);
    // a reset: what waited in our kernel is thrown away, no END_REQUEST and no clean end can come of it
    peer.socket.resume();
    await peer.gone();
    expect(peer.size).toBeLessThan(all.sockets[0].bytesWritten);
  });

  it('does not cut a peer that reads slowly', async () => {
    const all = await serving(silent, { limits: { writeTimeout: 60_000 } });
    const peer = await all.connect();
    peer.socket.pause();
    peer.write(request(plainGet, keep));
    const writer = (await all.asked()).start(200, 'OK', []);
    await fill(writer, all);
    for (let i = 0; i < 5; i++) {
      all.clock.advance(50_000);
      const before = all.sockets[0].writableLength;
      peer.socket.resume();
      await until(
        () => all.sockets[0].writableLength,
        (left) => left < before,
      );
      peer.socket.pause();
      await fill(writer, all);
    }
    expect(all.logs).toEqual([]);
    expect(all.server.connections).toBe(1);
  });

  it('holds also for the last bytes of a reply, behind which the connection is to be closed', async () => {
    const all = await serving(silent, { limits: { writeTimeout: 60_000 } });
    const peer = await all.connect();
    peer.socket.pause();
    peer.write(request());
    const writer = (await all.asked()).start(200, 'OK', []);
    const small = Buffer.alloc(4000);
    const [socket] = all.sockets;
    // less than what would block the socket stays in it
    while (socket.writableLength === 0) {
      writer.write(small);
      await turns(1);
    }
    expect(socket.writableNeedDrain).toBe(false);
    writer.end();
    await turns();
    expect(all.exchanges[0].over).toBe(true);
    all.clock.advance(60_000 + 4 * TICK);
    await allClosed(all);
  });
});

describe('keepAliveTimeout', () => {
  it('closes a kept connection by FIN, without a line in the log', async () => {
    const all = await serving(hello, { limits: { keepAliveTimeout: 90_000 } });
    const peer = await all.connect();
    peer.write(request(plainGet, keep));
    await peer.reply();
    passes(all, 90_000, () => expect(all.server.connections).toBe(1));
    await peer.when(() => peer.ended);
    await allClosed(all);
    expect(peer.error).toBeUndefined();
    expect(all.logs).toEqual([]);
  });

  it('closes a connection that never said anything', async () => {
    const all = await serving(hello, { limits: { keepAliveTimeout: 90_000 } });
    const peer = await all.connect();
    await until(
      () => all.server.connections,
      (count) => count === 1,
    );
    all.clock.advance(90_000 + 2 * TICK);
    await peer.when(() => peer.ended);
    expect(peer.size).toBe(0);
  });

  it('does not count while a request runs, and begins anew behind it', async () => {
    const all = await serving(silent, { limits: { keepAliveTimeout: 90_000, appTimeout: 0 } });
    const peer = await all.connect();
    peer.write(request(plainGet, keep));
    const exchange = await all.asked();
    all.clock.advance(600_000);
    expect(all.server.connections).toBe(1);
    hello(exchange);
    await peer.reply();
    all.clock.advance(89_000);
    peer.write(request(plainGet, keep));
    hello(await all.asked(2));
    await peer.replies(2);
    expect(all.server.connections).toBe(1);
  });
});

/** A request without KEEP_CONN that is answered before its body has come: the server half-closes. */
async function answeredEarly(all: Serving, peer: Peer, length: number): Promise<void> {
  peer.write(
    Buffer.concat([begin(1, 0), params(pairs({ ...post, CONTENT_LENGTH: String(length) })), params(), stdin('x')]),
  );
  (await all.asked()).respond(413, 'Content Too Large', [], 'too much');
  expect((await peer.reply()).stdout).toContain('too much');
  await peer.when(() => peer.ended);
}

describe('lingerTimeout', () => {
  it('closes a connection whose peer does not close its half', async () => {
    const all = await serving(silent, { limits: { lingerTimeout: 2000 } });
    const peer = await all.connect();
    await answeredEarly(all, peer, 100);
    passes(all, 2000, () => expect(all.server.connections).toBe(1));
    await allClosed(all);
    expect(all.logs).toEqual([]);
  });

  it('is a deadline: input does not put it off', async () => {
    const all = await serving(silent, { limits: { lingerTimeout: 2000 } });
    const peer = await all.connect();
    await answeredEarly(all, peer, 1_000_000);
    for (let i = 0; i < 3; i++) {
      all.clock.advance(600);
      peer.write(stdin(Buffer.alloc(1000)));
      await turns();
    }
    all.clock.advance(2 * TICK + 200);
    await allClosed(all);
  });
});

describe('lingerBytes', () => {
  it('bounds what is thrown away, and leaves the peer the time to read its reply', async () => {
    const all = await serving(silent, { limits: { lingerTimeout: 2000, lingerBytes: 100_000 } });
    const peer = await all.connect();
    peer.socket.pause();
    const length = 64 * 1024 * 1024;
    peer.write(Buffer.concat([begin(1, 0), params(pairs({ ...post, CONTENT_LENGTH: String(length) })), params()]));
    (await all.asked()).respond(413, 'Content Too Large', [], 'too much');
    const piece = stdin(Buffer.alloc(65_528));
    for (let at = 0; at < length; at += 65_528) peer.write(piece);
    await until(() => all.sockets[0].isPaused(), Boolean);
    await turns(20);
    expect(all.sockets[0].bytesRead).toBeLessThan(400_000);
    expect(all.server.connections).toBe(1);
    peer.socket.resume();
    expect((await peer.reply()).stdout).toContain('too much');
    all.clock.advance(2000 + 2 * TICK);
    await allClosed(all);
  });
});

describe('the watch', () => {
  it('sleeps when there is no connection', async () => {
    const all = await serving(hello);
    expect(all.clock.pending).toBe(0);
    const peer = await all.connect();
    await until(
      () => all.server.connections,
      (count) => count === 1,
    );
    expect(all.clock.pending).toBe(1);
    peer.socket.destroy();
    await allClosed(all);
    expect(all.clock.pending).toBe(0);
  });
});
