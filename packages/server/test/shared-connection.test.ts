import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type Exchange, limitsWith } from '@postern/core';
import { begin, pairs, params, plainGet, record, request, stdin, until } from '@postern/testkit';
import { SpoolStore } from '../src/spool.ts';
import { TICK } from '../src/watchdog.ts';
import { MemoryWatch } from './support/memory-watch.ts';
import type { Peer } from './support/peer.ts';
import { type Serving, serving, silent, turns } from './support/serving.ts';

const MIB = 1_048_576;
const { sharedBodyHighWater, stallTimeout } = limitsWith();

const KINDS = 7;
const contents = Array.from({ length: KINDS }, (_, i) => Buffer.alloc(65_528, i));

/** The records of a body, over and over: each differs from the one before. */
function piecesOf(id: number): Buffer[] {
  return contents.map((content) => record(5, id, content));
}

function uploadHead(id: number, pieces: number, extra: Record<string, string> = {}): Buffer {
  const variables = { ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: String(pieces * 65_528), ...extra };
  return Buffer.concat([begin(id, 1), params(pairs(variables), id), params('', id)]);
}

function get(id: number): Buffer {
  return request(plainGet, { flags: 1, id });
}

/** Sends a body as fast as the socket takes it, whole or without its end. */
async function upload({ socket }: Peer, id: number, pieces: number, ends = true): Promise<void> {
  const records = piecesOf(id);
  for (let i = 0; i < pieces; i++) {
    if (!socket.write(records[i % KINDS])) await new Promise((resolve) => socket.once('drain', resolve));
  }
  if (ends) socket.write(stdin('', id));
}

function digestOf(pieces: number): string {
  const hash = createHash('sha256');
  for (let i = 0; i < pieces; i++) hash.update(contents[i % KINDS]);
  return hash.digest('hex');
}

/** A peer, an upload that nobody reads on id 1, and a request that runs beside it on id 2. */
async function shared(
  pieces: number,
  limits = {},
  folder?: string,
): Promise<{ all: Serving; peer: Peer; sent: Promise<void> }> {
  const all = await serving(silent, { limits: { appTimeout: 0, ...limits } });
  if (folder !== undefined) Object.assign(all.server, { spools: new SpoolStore(all.server, folder) });
  const peer = await all.connect();
  peer.write(Buffer.concat([get(2), uploadHead(1, pieces)]));
  await all.asked(2);
  return { all, peer, sent: upload(peer, 1, pieces) };
}

/** Asks once more on the connection of the upload, and gets the answer. */
async function askBeside({ all, peer }: { all: Serving; peer: Peer }, id: number): Promise<void> {
  const { length } = all.exchanges;
  const replies = peer.partial.filter(({ end }) => end !== undefined).length;
  peer.write(get(id));
  (await all.asked(length + 1)).respond(200, 'OK', [], 'beside');
  expect((await peer.replies(replies + 1)).at(-1)).toMatchObject({ id });
}

describe('an upload that the application does not read, beside other requests', () => {
  it('keeps nobody waiting, costs no memory, and is there when it is read', async () => {
    const pieces = 4800;
    const watch = new MemoryWatch();
    const both = await shared(pieces);
    await both.sent;
    await askBeside(both, 3);
    const { all, peer } = both;
    const [, exchange] = all.exchanges;
    expect(all.server.spools.used).toBeGreaterThan(280 * MIB);
    const { rss, external } = watch.stop();
    expect(external).toBeLessThan(96 * MIB);
    expect(rss).toBeLessThan(96 * MIB);
    const hash = createHash('sha256');
    for await (const chunk of exchange.input) hash.update(chunk);
    expect(hash.digest('hex')).toBe(digestOf(pieces));
    exchange.respond(200, 'OK', [], 'read');
    await peer.when(() => peer.text.includes('read'));
    expect(all.server.spools.used).toBe(0);
    expect(all.logs).toEqual([]);
  });

  it('is read from the first byte while it comes', async () => {
    const pieces = 400;
    const both = await shared(pieces);
    const [, exchange] = both.all.exchanges;
    const hash = createHash('sha256');
    for await (const chunk of exchange.input) {
      hash.update(chunk);
      await turns(2);
    }
    expect(hash.digest('hex')).toBe(digestOf(pieces));
    await askBeside(both, 3);
    expect(both.all.server.spools.used).toBe(0);
  });

  it('leaves nothing behind when it is answered unread, aborted, or its connection breaks', async () => {
    const both = await shared(400);
    const { all, peer } = both;
    await both.sent;
    await askBeside(both, 3);
    expect(all.server.spools.used).toBeGreaterThan(0);
    all.exchanges[1].respond(200, 'OK', [], 'unread');
    await until(
      () => all.server.spools.used,
      (used) => used === 0,
    );
    peer.write(uploadHead(5, 400));
    await all.asked(4);
    await upload(peer, 5, 400);
    await until(
      () => all.server.spools.used,
      (used) => used > 20 * MIB,
    );
    peer.write(record(2, 5, ''));
    await until(
      () => all.server.spools.used,
      (used) => used === 0,
    );
    peer.write(uploadHead(7, 400));
    await all.asked(5);
    await upload(peer, 7, 399, false);
    await until(
      () => all.server.spools.used,
      (used) => used > 20 * MIB,
    );
    peer.socket.destroy();
    await until(
      () => all.server.spools.used,
      (used) => used === 0,
    );
  });

  it('of which a reader has taken a part is the same behind it, when the end has come already', async () => {
    const both = await shared(64);
    const { input } = both.all.exchanges[1];
    const reader = input[Symbol.asyncIterator]();
    const hash = createHash('sha256');
    hash.update((await reader.next()).value as Uint8Array);
    await both.sent;
    await askBeside(both, 3);
    for (let next = await reader.next(); !next.done; next = await reader.next()) hash.update(next.value);
    expect(hash.digest('hex')).toBe(digestOf(64));
  });

  it.each([
    ['no room for it', 0],
    ['little room for it', 2 * MIB],
  ])('with %s in files stops the connection, and is answered 503 after stallTimeout', async (_, maxSpoolBytes) => {
    const both = await shared(200, { maxSpoolBytes });
    const { all, peer } = both;
    const { signal } = all.exchanges[1];
    const full = (): boolean => all.server.spools.full && all.sockets[0].isPaused() && peer.socket.writableNeedDrain;
    await until(full, Boolean);
    peer.write(get(3));
    expect(all.sockets[0].bytesRead).toBeGreaterThan(sharedBodyHighWater + maxSpoolBytes);
    all.clock.advance(stallTimeout - 1);
    await turns(20);
    expect(all.exchanges).toHaveLength(2);
    all.clock.advance(2 * TICK + 1);
    expect((await peer.reply()).stdout).toMatch(/^Status: 503 Service Unavailable\r\n(?:.*\r\n)*Retry-After: 1\r\n/);
    expect(signal.reason).toMatchObject({ code: 'ERR_TIMEOUT_STALL' });
    // the rest of it is thrown away, and the one behind it gets its turn
    (await all.asked(3)).respond(200, 'OK', [], 'behind it');
    await peer.when(() => peer.text.includes('behind it'));
    await both.sent;
    expect(all.logs).toMatchObject([{ level: 'warn', event: 'timeout', code: 'ERR_TIMEOUT_STALL', id: 1 }]);
    all.exchanges[0].respond(200, 'OK', [], 'beside it');
    await peer.when(() => peer.text.includes('beside it'));
  });

  it('is answered 503 as well where no file can be made, which is logged', async () => {
    const { all, peer } = await shared(200, {}, '/does/not/exist');
    await until(() => all.sockets[0].isPaused() && peer.socket.writableNeedDrain, Boolean);
    await until(
      () => all.logs.length,
      (length) => length > 0,
    );
    all.clock.advance(stallTimeout + 2 * TICK);
    expect((await peer.reply()).stdout).toMatch(/^Status: 503 /);
    expect(all.logs.map(({ code }) => code)).toEqual(['ERR_SPOOL', 'ERR_TIMEOUT_STALL']);
  });
});

describe('an upload that the application does not read, alone on its connection', () => {
  it.each<[string, Record<string, string>, string | undefined, boolean]>([
    ['waits in the socket behind nginx', { SERVER_SOFTWARE: 'nginx/1.22.1' }, undefined, false],
    ['waits in the socket behind what does not say its name', {}, undefined, false],
    ['is kept behind HAProxy, which may send others behind it', { SERVER_SOFTWARE: 'HAProxy 2.6.12' }, undefined, true],
    ['is kept behind peer=haproxy', {}, 'haproxy', true],
    ['waits in the socket with peer=none', { SERVER_SOFTWARE: 'HAProxy 2.6.12' }, 'none', false],
  ])('%s', async (_, extra, peerName, isKept) => {
    const peer = peerName === undefined ? {} : { peer: peerName };
    const all = await serving(silent, { limits: { appTimeout: 0 }, peer });
    const web = await all.connect();
    web.write(uploadHead(1, 200, extra));
    const sent = upload(web, 1, 200);
    const exchange = await all.asked();
    if (isKept) {
      await sent;
      web.write(get(3));
      await all.asked(2);
    } else {
      await until(() => all.sockets[0].isPaused() && web.socket.writableNeedDrain, Boolean);
      all.clock.advance(10 * stallTimeout);
      await turns(20);
      expect(all.sockets[0].bytesRead).toBeLessThan(MIB);
      expect(all.logs).toEqual([]);
    }
    expect(exchange.over).toBe(false);
    expect(await exchange.input.bytes(200 * 65_528)).toHaveLength(200 * 65_528);
  });

  it('waits in the socket where the connection takes one request at a time', async () => {
    const all = await serving(silent, { limits: { appTimeout: 0, maxConcurrentPerConnection: 1 } });
    const peer = await all.connect();
    peer.write(uploadHead(1, 200, { SERVER_SOFTWARE: 'HAProxy 2.6.12' }));
    void upload(peer, 1, 200);
    await all.asked();
    await until(() => all.sockets[0].isPaused() && peer.socket.writableNeedDrain, Boolean);
    expect(all.sockets[0].bytesRead).toBeLessThan(MIB);
  });
});

describe('replies on one connection', () => {
  /** Streams 64 KiB pieces as fast as they are taken, until it is told to stop. */
  async function stream(exchange: Exchange, stopped: () => boolean): Promise<void> {
    const writer = exchange.start(200, 'OK', []);
    const chunk = Buffer.alloc(65_536, 120);
    while (!stopped()) {
      if (!writer.write(chunk)) await new Promise<void>((resolve) => writer.onDrain(resolve));
    }
    writer.end();
  }

  it('take turns: a small one is not behind a large one, and two large ones get the same', async () => {
    const all = await serving(silent, { limits: { appTimeout: 0 } });
    const peer = await all.connect();
    peer.write(Buffer.concat([get(1), get(2)]));
    await all.asked(2);
    let stopped = false;
    for (const exchange of all.exchanges) void stream(exchange, () => stopped);
    await peer.when(() => peer.size > 4 * MIB);
    peer.write(get(3));
    const third = await all.asked(3);
    const before = all.sockets[0].bytesWritten;
    third.respond(200, 'OK', [], 'small');
    // what is written already, and one write more
    expect(all.sockets[0].bytesWritten - before).toBeLessThan(2 * 131_072);
    stopped = true;
    const replies = await peer.replies(3);
    expect(replies.find(({ id }) => id === 3)?.stdout).toContain('small');
    const [one, two] = [1, 2].map((id) => replies.find((reply) => reply.id === id)?.stdout.length ?? 0);
    expect(Math.abs(one - two)).toBeLessThanOrEqual(2 * 65_536);
  });
});
