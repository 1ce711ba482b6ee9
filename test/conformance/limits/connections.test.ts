import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { environHandler } from '@postern/core';
import { fetchHandler } from '@postern/fetch';
import { nodeHandler } from '@postern/node';
import {
  begin,
  fiveProtocols,
  type OneOfFive,
  pairs,
  params,
  plainGet,
  request,
  requestInFive,
  stdin,
  until,
} from '@postern/testkit';
import { defaultConnections, openFiles } from '../../../packages/server/src/server-limits.ts';
import type { Peer } from '../../../packages/server/test/support/peer.ts';
import { hello, silent, turns } from '../../../packages/server/test/support/serving.ts';
import { allHits, answer, gone, hits, hitsAre, type Limited, limited, served, statusOf } from './limited.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

/** So many connections that stay open. */
async function open(all: Limited, count: number): Promise<Peer[]> {
  const before = all.sockets.length;
  const peers = await Promise.all(Array.from({ length: count }, () => all.connect()));
  await until(
    () => all.sockets.length,
    (now) => now === before + count,
  );
  return peers;
}

describe('connections', () => {
  it.each(fiveProtocols)('L1: two over %s are served, the third is answered 503 and closed', async (protocol) => {
    const all = await limited(protocol, { maxConnections: 2 }, hello);
    const [first, second] = await open(all, 2);
    expect(allHits(all)).toEqual({});
    const [third] = await open(all, 1);
    expect(hits(all, 'maxConnections')).toBe(1);
    await turns(3);
    expect(gone(third)).toBe(false);
    third.write(requestInFive(protocol, '/'));
    expect(await statusOf(third, protocol)).toBe(503);
    if (protocol !== 'ajp') expect(third.text).toMatch(/\r\nRetry-After: 1\r\n/i);
    else expect(third.text).toContain('Retry-After\0\0\x011\0');
    await third.gone();
    if (protocol === 'ajp') expect(third.bytes.subarray(-6)).toEqual(Buffer.of(0x41, 0x42, 0, 2, 5, 0));
    expect(all.exchanges).toEqual([]);
    for (const peer of [first, second]) {
      peer.write(requestInFive(protocol, '/'));
      expect(await statusOf(peer, protocol)).toBe(200);
    }
    expect(allHits(all)).toEqual({ maxConnections: 1 });
    expect(all.server.stats()).toMatchObject({ connections: { accepted: 2, refused: 1 }, requests: { begun: 2 } });
  });

  it('L1: 64 more are told, those beyond are closed at once, and the log has one line a second', async () => {
    const all = await limited('fastcgi', { maxConnections: 1 });
    const [served] = await open(all, 1);
    const told = await open(all, 64);
    const beyond = await open(all, 20);
    await Promise.all(beyond.map((peer) => peer.gone()));
    for (const peer of beyond) expect(peer.size).toBe(0);
    for (const peer of told) expect(gone(peer)).toBe(false);
    expect(all.server.stats().connections).toEqual({ open: 65, accepted: 1, refused: 84 });
    expect(hits(all, 'maxConnections')).toBe(84);
    expect(all.logs).toMatchObject([{ level: 'warn', event: 'limit', code: 'ERR_CONNECTIONS' }]);
    all.clock.advance(999);
    await open(all, 1);
    expect(all.logs).toHaveLength(1);
    all.clock.advance(1);
    await open(all, 1);
    expect(all.logs).toHaveLength(2);
    for (const peer of told) {
      peer.write(request(plainGet, { flags: 1 }));
      expect((await peer.reply()).stdout).toMatch(/^Status: 503 /);
      await peer.gone();
      peer.socket.destroy();
    }
    served.socket.destroy();
    await until(
      () => all.server.connections,
      (count) => count === 0,
    );
    expect(await answer(all, request(plainGet))).toBe(200);
  });

  it('L1: one that is told and says nothing has the time that a head has', async () => {
    const all = await limited('fastcgi', { maxConnections: 1, headersTimeout: 3000 });
    await open(all, 1);
    const [silentPeer, slow] = await open(all, 2);
    slow.write(begin());
    await turns(5);
    all.clock.advance(3000);
    await turns(3);
    expect([gone(silentPeer), gone(slow)]).toEqual([false, false]);
    all.clock.advance(500);
    await silentPeer.gone();
    await slow.gone();
    expect(silentPeer.size).toBe(0);
    expect((await slow.reply()).stdout).toMatch(/^Status: 408 /);
  });

  it('L1: an upload on one that is told is answered without being read', async () => {
    const all = await limited('fastcgi', { maxConnections: 1 });
    await open(all, 1);
    const [peer] = await open(all, 1);
    const head = [begin(), params(pairs({ ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '1000000' })), params()];
    peer.write(Buffer.concat([...head, stdin('x'.repeat(60_000))]));
    expect((await peer.reply()).stdout).toMatch(/^Status: 503 /);
    expect(all.exchanges).toEqual([]);
  });

  it('L1: on an auto address too', async () => {
    const all = await limited('scgi', { maxConnections: 1 }, hello, { protocol: served.auto });
    await open(all, 1);
    for (const protocol of fiveProtocols)
      expect(await answer({ ...all, protocol }, requestInFive(protocol, '/'))).toBe(503);
    expect(hits(all, 'maxConnections')).toBe(5);
  });

  it('L1: by default there are 1024, or 80 % of the files that the system allows', () => {
    expect(defaultConnections(undefined)).toBe(1024);
    expect(defaultConnections(1_000_000)).toBe(1024);
    expect(defaultConnections(1280)).toBe(1024);
    expect(defaultConnections(1279)).toBe(1023);
    expect(defaultConnections(256)).toBe(204);
    expect(defaultConnections(1)).toBe(1);
    expect(openFiles('/there/is/none')).toBeUndefined();
  });
});

describe('running requests', () => {
  const kept: Partial<Record<OneOfFive, Buffer>> = { fastcgi: request(plainGet, { flags: 1 }) };

  it.each(fiveProtocols)('L3: two over %s run, the third is 503, and room is made when one ends', async (protocol) => {
    const all = await limited(protocol, { maxConcurrent: 2 }, silent);
    const bytes = kept[protocol] ?? requestInFive(protocol, '/');
    const peers = await Promise.all([all.connect(), all.connect()]);
    for (const peer of peers) peer.write(bytes);
    await all.asked(2);
    expect(allHits(all)).toEqual({});
    expect(all.server.stats().requests).toEqual({ begun: 2, running: 2 });
    const third = await all.connect();
    third.write(bytes);
    expect(await statusOf(third, protocol)).toBe(503);
    expect(all.exchanges).toHaveLength(2);
    expect(allHits(all)).toEqual({ maxConcurrent: 1 });
    expect(all.logs).toMatchObject([{ level: 'warn', event: 'limit', code: 'ERR_CONCURRENT' }]);
    all.exchanges[0].respond(200, 'OK', [], 'hello');
    expect(all.server.stats().requests).toEqual({ begun: 3, running: 1 });
    const fourth = await all.connect();
    fourth.write(bytes);
    await all.asked(3);
    expect(allHits(all)).toEqual({ maxConcurrent: 1 });
  });

  it('L3: AJP keeps its connection where no body is on its way', async () => {
    const all = await limited('ajp', { maxConcurrent: 1 }, silent);
    const busy = await all.connect();
    busy.write(requestInFive('ajp', '/'));
    await all.asked();
    const peer = await all.connect();
    peer.write(requestInFive('ajp', '/'));
    expect(await statusOf(peer, 'ajp')).toBe(503);
    expect(peer.bytes.subarray(-6)).toEqual(Buffer.of(0x41, 0x42, 0, 2, 5, 1));
  });

  it('L3: a flood logs one line a second', async () => {
    const all = await limited('fastcgi', { maxConcurrent: 1 }, silent);
    const peer = await all.connect();
    peer.write(Buffer.concat(Array.from({ length: 100 }, (_, i) => request(plainGet, { id: i + 1, flags: 1 }))));
    await peer.replies(99);
    expect(hits(all, 'maxConcurrent')).toBe(99);
    expect(all.logs).toHaveLength(1);
  });

  const working = {
    environ: (work: Promise<string>) => environHandler(async () => ({ status: 200, headers: {}, body: await work })),
    fetch: (work: Promise<string>) => fetchHandler(async () => new Response(await work)),
    node: (work: Promise<string>) => nodeHandler(async (_, res) => res.end(await work)),
  };

  it.each(['environ', 'fetch', 'node'] as const)(
    'L3: a request that was aborted counts until the promise of its %s application settles',
    async (kind) => {
      let finish: (body: string) => void = () => {};
      const work = new Promise<string>((resolve) => {
        finish = resolve;
      });
      const all = await limited('fastcgi', { maxConcurrent: 1 }, working[kind](work));
      const peer = await all.connect();
      peer.write(request(plainGet, { flags: 1 }));
      const exchange = await all.asked();
      peer.socket.destroy();
      await until(
        () => exchange.over,
        (over) => over,
      );
      expect(all.server.stats().requests.running).toBe(1);
      expect(await answer(all, request(plainGet))).toBe(503);
      finish('done');
      await until(
        () => all.server.stats().requests.running,
        (running) => running === 0,
      );
      expect(await answer(all, request(plainGet))).toBe(200);
      await hitsAre(all, 'maxConcurrent', 1);
    },
  );
});
