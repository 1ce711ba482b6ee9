import { describe, expect, it } from '@jest/globals';
import { abort, begin, pairs, params, plainGet, readReplies, record, request, stdin, until } from '@postern/testkit';
import type { Peer } from '../../../packages/server/test/support/peer.ts';
import { silent } from '../../../packages/server/test/support/serving.ts';
import {
  allHits,
  answer,
  gone,
  hits,
  type Limited,
  limited,
  type SomeLimits,
  served,
  statusOf,
  times,
} from './limited.ts';
import { withFields } from './requests.ts';

const kept = request(plainGet, { flags: 1 });
const unknown = { junk: stdin('x', 9), management: record(9, 0), type: record(200, 0) };
const ping = Buffer.of(0x12, 0x34, 0, 1, 10);

async function connected(all: Limited, bytes: Uint8Array): Promise<Peer> {
  const peer = await all.connect();
  peer.write(bytes);
  return peer;
}

/** So many of one kind and then a request: the request is served. */
async function passes(protocol: 'fastcgi' | 'ajp', limits: SomeLimits, bytes: Uint8Array): Promise<Limited> {
  const all = await limited(protocol, limits);
  const peer = await connected(all, Buffer.concat([bytes, protocol === 'ajp' ? withFields('ajp') : kept]));
  await peer.when(() => /hello/.test(peer.text));
  expect(gone(peer)).toBe(false);
  expect(allHits(all)).toEqual({});
  return all;
}

/** The connection closes and no request is asked. */
async function closes(protocol: 'fastcgi' | 'ajp', limits: SomeLimits, bytes: Uint8Array): Promise<Limited> {
  const all = await limited(protocol, limits);
  const peer = await connected(all, bytes);
  await peer.gone();
  expect(all.exchanges).toEqual([]);
  return all;
}

describe('records that belong to no request', () => {
  it.each([
    [64, {}],
    [5, { maxJunkRecords: 5 }],
  ])('L24: %d of them pass, one more closes the connection', async (limit, limits) => {
    await passes('fastcgi', limits, Buffer.concat([times(limit - 1, unknown.junk)]));
    await passes('fastcgi', limits, times(limit, unknown.junk));
    const all = await closes('fastcgi', limits, Buffer.concat([begin(1, 1), times(limit + 1, unknown.junk), kept]));
    expect(allHits(all)).toEqual({ maxJunkRecords: 1 });
    expect(all.logs).toMatchObject([{ level: 'warn', code: 'ERR_FCGI_JUNK' }]);
  });

  it('L24: a request that is answered begins the count anew, late STDIN of it is free', async () => {
    const all = await limited('fastcgi', {});
    const head = [params(pairs(plainGet)), params()];
    const peer = await connected(all, Buffer.concat([begin(1, 1), times(64, unknown.junk), ...head]));
    await peer.replies(1);
    peer.write(Buffer.concat([times(200, stdin('late')), stdin(), times(64, unknown.junk), kept]));
    await peer.replies(2);
    expect(allHits(all)).toEqual({});
  });

  it('L24: junk without end costs one line of the log', async () => {
    const all = await closes('fastcgi', {}, Buffer.concat([kept.subarray(0, 16), times(100_000, unknown.junk)]));
    expect(allHits(all)).toEqual({ maxJunkRecords: 1 });
    expect(all.logs).toHaveLength(1);
  });

  it('L24: a packet of AJP that belongs to no request closes the connection at once', async () => {
    const all = await closes('ajp', {}, Buffer.concat([Buffer.of(0x12, 0x34, 0, 0), withFields('ajp')]));
    expect(all.logs).toMatchObject([{ code: 'ERR_AJP_MESSAGE' }]);
  });
});

describe('requests that are aborted before their reply', () => {
  const aborted = Buffer.concat([begin(1, 1), abort()]);

  it.each([
    [100, {}],
    [3, { maxAbortedRequests: 3 }],
  ])('L25: %d of them in ten seconds pass, one more closes the connection', async (limit, limits) => {
    await passes('fastcgi', limits, times(limit - 1, aborted));
    await passes('fastcgi', limits, times(limit, aborted));
    const all = await limited('fastcgi', limits);
    const peer = await connected(all, times(limit + 1, aborted));
    await peer.gone();
    expect(allHits(all)).toEqual({ maxAbortedRequests: 1 });
    expect(all.logs).toMatchObject([{ level: 'warn', code: 'ERR_FLOOD' }]);
    expect(all.exchanges).toEqual([]);
  });

  it('L25: each of them is answered as aborted', async () => {
    const all = await limited('fastcgi', {});
    const peer = await connected(all, times(100, aborted));
    await peer.when(() => peer.size >= 1600);
    expect(readReplies(peer.bytes).replies).toHaveLength(100);
  });

  it('L25: requests that the application works on count, those that it has answered do not', async () => {
    const limits = { maxAbortedRequests: 2 };
    const all = await limited('fastcgi', limits, silent);
    const peer = await connected(all, times(3, Buffer.concat([kept, abort()])));
    await peer.gone();
    expect(allHits(all)).toEqual({ maxAbortedRequests: 1 });
    const answered = await limited('fastcgi', limits, (exchange) => exchange.start(200, 'OK', []).write('begun'));
    const other = await connected(answered, times(5, Buffer.concat([kept, abort()])));
    await until(
      () => answered.exchanges.length,
      (count) => count === 5,
    );
    expect(gone(other)).toBe(false);
    expect(hits(answered, 'maxAbortedRequests')).toBe(0);
  });

  it('L25: after ten seconds the count begins anew', async () => {
    const all = await limited('fastcgi', { maxAbortedRequests: 3 });
    const peer = await all.connect();
    for (let i = 1; i <= 4; i++) {
      peer.write(times(3, aborted));
      await peer.when(() => peer.size === i * 48);
      all.clock.advance(10_250);
    }
    peer.write(times(4, aborted));
    await peer.gone();
    expect(allHits(all)).toEqual({ maxAbortedRequests: 1 });
  });
});

it('L25: what was aborted just before ten seconds have passed still counts', async () => {
  const all = await limited('fastcgi', { maxAbortedRequests: 1 });
  const aborted = Buffer.concat([begin(1, 1), abort()]);
  const peer = await connected(all, aborted);
  await peer.when(() => peer.size === 16);
  all.clock.advance(9750);
  peer.write(aborted);
  await peer.gone();
  expect(allHits(all)).toEqual({ maxAbortedRequests: 1 });
});

describe('messages about the connection', () => {
  it.each([
    ['GET_VALUES', unknown.management],
    ['records of unknown types', unknown.type],
  ])('L26: 100 %s in ten seconds are answered, one more closes the connection', async (_, one) => {
    await passes('fastcgi', {}, times(99, one));
    await passes('fastcgi', {}, times(100, one));
    const all = await closes('fastcgi', {}, Buffer.concat([record(9, 0), times(10_000, one)]));
    expect(allHits(all)).toEqual({ maxManagementMessages: 1 });
    expect(all.logs).toMatchObject([{ level: 'warn', code: 'ERR_FLOOD' }]);
  });

  it('L26: 100 CPINGs that no request follows are answered, one more closes the connection', async () => {
    await passes('ajp', {}, times(99, ping));
    await passes('ajp', {}, times(100, ping));
    const all = await closes('ajp', {}, times(10_000, ping));
    expect(allHits(all)).toEqual({ maxManagementMessages: 1 });
    expect(all.logs).toMatchObject([{ level: 'warn', code: 'ERR_FLOOD' }]);
  });

  it('L26: a CPING in front of every request is free', async () => {
    const all = await limited('ajp', { maxManagementMessages: 2 });
    const peer = await all.connect();
    for (let i = 1; i <= 10; i++) {
      peer.write(Buffer.concat([ping, ping, withFields('ajp')]));
      const count = i;
      await peer.when(() => peer.text.split('hello').length === count + 1);
    }
    expect(allHits(all)).toEqual({});
  });

  it.each([
    ['fastcgi', unknown.management],
    ['ajp', ping],
  ] as const)('L26: after ten seconds the count begins anew over %s', async (protocol, one) => {
    const all = await limited(protocol, { maxManagementMessages: 3 });
    const peer = await connected(all, times(3, one));
    await peer.when(() => peer.size > 0);
    const { size } = peer;
    for (let i = 2; i <= 4; i++) {
      all.clock.advance(10_250);
      peer.write(times(3, one));
      await peer.when(() => peer.size === i * size);
    }
    peer.write(one);
    await peer.gone();
    expect(allHits(all)).toEqual({ maxManagementMessages: 1 });
  });
});

describe('requests of one connection', () => {
  it.each([
    [128, {}],
    [3, { maxConcurrentPerConnection: 3 }],
  ])('L4: %d at once run, one more is 503, and the connection goes on', async (limit, limits) => {
    const all = await limited('fastcgi', limits, silent);
    const open = (id: number): Buffer => request(plainGet, { id, flags: 1 });
    const peer = await connected(all, Buffer.concat(Array.from({ length: limit }, (_, i) => open(i + 1))));
    await all.asked(limit);
    expect(allHits(all)).toEqual({});
    peer.write(Buffer.concat([open(limit + 1), open(limit + 2)]));
    for (const { stdout } of await peer.replies(2))
      expect(stdout).toMatch(/^Status: 503 .*\r\n(.*\r\n)*Retry-After: 1\r\n/);
    expect(allHits(all)).toEqual({ maxConcurrentPerConnection: 2 });
    expect(all.logs).toMatchObject([{ level: 'warn', code: 'ERR_FCGI_CONCURRENT' }]);
    all.exchanges[0].respond(200, 'OK', [], 'hello');
    await peer.replies(3);
    peer.write(open(limit + 1));
    await all.asked(limit + 1);
  });

  it('L4: where the limit is 1, one more ends with CANT_MPX_CONN', async () => {
    const all = await limited('fastcgi', { maxConcurrentPerConnection: 1 }, silent);
    const peer = await connected(all, Buffer.concat([kept, request(plainGet, { id: 2, flags: 1 })]));
    expect(await peer.reply()).toMatchObject({ id: 2, stdout: '', end: '0000000001000000' });
    expect(allHits(all)).toEqual({ maxConcurrentPerConnection: 1 });
  });

  it('L4: ids that are begun and never completed count too', async () => {
    const all = await limited('fastcgi', {});
    const peer = await connected(all, Buffer.concat(Array.from({ length: 1000 }, (_, i) => begin(i + 1, 1))));
    await peer.replies(1000 - 128);
    expect(allHits(all)).toEqual({ maxConcurrentPerConnection: 872 });
  });

  it('L4: more requests of HTTP ahead of their replies close the connection', async () => {
    const all = await limited('http', { maxConcurrentPerConnection: 3 }, silent);
    const get = Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const peer = await connected(all, times(3, get));
    await all.asked(3);
    peer.write(get);
    await peer.gone();
    expect(allHits(all)).toEqual({ maxConcurrentPerConnection: 1 });
  });

  const again = {
    fastcgi: kept,
    ajp: withFields('ajp'),
    http: Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
  };

  it.each(['fastcgi', 'ajp', 'http'] as const)(
    'L16: over %s the last request ends the connection',
    async (protocol) => {
      const all = await limited(protocol, { maxConnectionRequests: 3 });
      const peer = await all.connect();
      for (let i = 1; i <= 3; i++) {
        expect(gone(peer)).toBe(false);
        expect(allHits(all)).toEqual({});
        peer.write(again[protocol]);
        const count = i;
        await peer.when(() => peer.text.split('hello').length === count + 1);
      }
      await peer.gone();
      if (protocol === 'ajp') expect(peer.bytes.subarray(-6)).toEqual(Buffer.of(0x41, 0x42, 0, 2, 5, 0));
      expect(allHits(all)).toEqual({ maxConnectionRequests: 1 });
    },
  );

  it('L16: what is sent behind the last one is not served', async () => {
    const all = await limited('fastcgi', { maxConnectionRequests: 3 });
    const peer = await connected(all, times(100, kept));
    await peer.gone();
    expect(all.exchanges).toHaveLength(3);
    expect(allHits(all)).toEqual({ maxConnectionRequests: 1 });
  });

  it.each(['scgi', 'uwsgi'] as const)('L16: a connection of %s carries one', async (protocol) => {
    const all = await limited(protocol, {});
    const peer = await connected(all, times(2, withFields(protocol)));
    expect(await statusOf(peer, protocol)).toBe(200);
    await peer.gone();
    expect(all.exchanges).toHaveLength(1);
  });
});

it('L3: requests that the whole server runs are counted over all connections and protocols', async () => {
  const all = await limited('fastcgi', { maxConcurrent: 2 }, silent, { protocol: served.auto });
  await connected(all, kept);
  await connected(all, withFields('scgi'));
  await all.asked(2);
  expect(await answer({ ...all, protocol: 'uwsgi' }, withFields('uwsgi'))).toBe(503);
  expect(all.server.stats()).toMatchObject({ requests: { begun: 3, running: 2 }, limits: { maxConcurrent: 1 } });
});
