import { describe, expect, it } from '@jest/globals';
import { ChunkList, type Exchange } from '@postern/core';
import { begin, fiveProtocols, pairs, params, plainGet, requestInFive, stdin, until } from '@postern/testkit';
import { silent, turns } from '../../../packages/server/test/support/serving.ts';
import { allHits, answer, hits, hitsAre, limited, statusOf, times } from './limited.ts';

async function count(exchange: Exchange): Promise<void> {
  exchange.respond(200, 'OK', [], String((await exchange.input.bytes(10_000_000)).length));
}

const post = (length: number | '', id = 1): Buffer =>
  Buffer.concat([
    begin(id, 1),
    params(pairs({ ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: String(length) }), id),
    params('', id),
  ]);

describe('the length of a body', () => {
  it.each(fiveProtocols)('L19: 1000 bytes over %s pass, one more is 413', async (protocol) => {
    const all = await limited(protocol, { maxBody: 1000 }, count);
    for (const size of [999, 1000]) expect(await answer(all, requestInFive(protocol, '/', 'x'.repeat(size)))).toBe(200);
    expect(allHits(all)).toEqual({});
    expect(await answer(all, requestInFive(protocol, '/', 'x'.repeat(1001)))).toBe(413);
    expect(allHits(all)).toEqual({ maxBody: 1 });
  });

  it.each(fiveProtocols)(
    'L19: over %s the declared length is enough to refuse, nothing of the body is asked for',
    async (protocol) => {
      const all = await limited(protocol, { maxBody: 1000 }, count);
      const head = requestInFive(protocol, '/', '', 1001);
      // FastCGI ends STDIN behind the head, which is not sent here
      expect(await answer(all, protocol === 'fastcgi' ? head.subarray(0, -8) : head)).toBe(413);
      expect(all.exchanges).toEqual([]);
      expect(allHits(all)).toEqual({ maxBody: 1 });
    },
  );

  it.each(fiveProtocols)('L19: 0 is no limit over %s', async (protocol) => {
    const all = await limited(protocol, { maxBody: 0 }, count);
    // one packet of AJP carries less, and is enough to tell
    const size = protocol === 'ajp' ? 8000 : 60_000;
    expect(await answer(all, requestInFive(protocol, '/', 'x'.repeat(size)))).toBe(200);
    expect(allHits(all)).toEqual({});
  });

  it('L19: a body without a length is refused with the byte that is too much', async () => {
    for (const size of [999, 1000, 1001]) {
      const all = await limited('fastcgi', { maxBody: 1000 }, count);
      const peer = await all.connect();
      peer.write(Buffer.concat([post(''), times(size, stdin('x')), stdin()]));
      expect(await statusOf(peer, 'fastcgi')).toBe(size > 1000 ? 413 : 200);
      expect(hits(all, 'maxBody')).toBe(size > 1000 ? 1 : 0);
    }
  });

  it('L19: a body in chunks of HTTP is refused with the byte that is too much', async () => {
    const all = await limited('http', { maxBody: 1000 }, count);
    const chunked = (size: number): Buffer =>
      Buffer.from(
        `POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n${'x'.repeat(size)}\r\n0\r\n\r\n`,
      );
    expect(await answer(all, chunked(1000))).toBe(200);
    expect(await answer(all, chunked(1001))).toBe(413);
    expect(allHits(all)).toEqual({ maxBody: 1 });
  });
});

describe('a body that waits', () => {
  const limits = { bodyHighWater: 1000 };

  it('L17: over FastCGI 1000 bytes wait, then the socket is not read', async () => {
    for (const size of [999, 1000]) {
      const all = await limited('fastcgi', limits, silent);
      const peer = await all.connect();
      peer.write(Buffer.concat([post(size), stdin('x'.repeat(size)), stdin()]));
      const exchange = await all.asked();
      expect((await exchange.input.bytes()).length).toBe(size);
      expect(allHits(all)).toEqual({});
    }
    const all = await limited('fastcgi', limits, silent);
    const peer = await all.connect();
    peer.write(Buffer.concat([post(1001), stdin('x'.repeat(1000)), stdin('x'), stdin()]));
    await all.asked();
    await hitsAre(all, 'bodyHighWater', 1);
    expect(all.sockets[0].isPaused()).toBe(true);
    expect((await all.exchanges[0].input.bytes()).length).toBe(1001);
    expect(all.sockets[0].isPaused()).toBe(false);
    expect(allHits(all)).toEqual({ bodyHighWater: 1 });
  });

  it.each(['scgi', 'uwsgi'] as const)('L17: over %s 1000 bytes wait, then the socket is not read', async (protocol) => {
    for (const size of [999, 1000, 1001]) {
      const all = await limited(protocol, limits, silent);
      const peer = await all.connect();
      peer.write(requestInFive(protocol, '/', 'x'.repeat(size)));
      const exchange = await all.asked();
      await turns(5);
      expect(all.sockets[0].isPaused()).toBe(size > 1000);
      expect((await exchange.input.bytes()).length).toBe(size);
      expect(hits(all, 'bodyHighWater')).toBe(size > 1000 ? 1 : 0);
    }
  });

  it('L17: AJP asks for no more of a body than is wanted', async () => {
    const all = await limited('ajp', limits, silent);
    const peer = await all.connect();
    peer.write(requestInFive('ajp', '/', 'x'.repeat(5000), 10_000));
    await all.asked();
    await turns(5);
    expect(peer.size).toBe(0);
    const reading = all.exchanges[0].input.bytes();
    await peer.when(() => peer.size === 7);
    expect(peer.bytes.subarray(0, 5)).toEqual(Buffer.of(0x41, 0x42, 0, 3, 6));
    peer.write(Buffer.concat([Buffer.of(0x12, 0x34, 0x13, 0x8a, 0x13, 0x88), Buffer.alloc(5000, 'x')]));
    expect((await reading).length).toBe(10_000);
  });

  it('L17: an upload without end costs what may wait, and not more', async () => {
    const all = await limited('fastcgi', {}, silent);
    const peer = await all.connect();
    peer.write(Buffer.concat([post(''), times(64, stdin(Buffer.alloc(65_528, 'x')))]));
    await hitsAre(all, 'bodyHighWater', 1);
    expect(all.sockets[0].bytesRead).toBeLessThan(65_536 * 4);
  });

  it('L17: beside other requests a body goes to a file, then waits, and is 503 when it has kept them waiting', async () => {
    const all = await limited(
      'fastcgi',
      { bodyHighWater: 1000, sharedBodyHighWater: 4000, maxSpoolBytes: 16_384, stallTimeout: 5000 },
      silent,
    );
    const peer = await all.connect();
    const beside = Buffer.concat([begin(2, 1), params(pairs(plainGet), 2), params('', 2), stdin('', 2)]);
    peer.write(Buffer.concat([beside, post('')]));
    await all.asked(2);
    peer.write(times(3, stdin('x'.repeat(1000))));
    await until(
      () => all.sockets[0].bytesRead,
      (read) => read > 3000,
    );
    expect(allHits(all)).toEqual({});
    peer.write(times(2, stdin('x'.repeat(1000))));
    await hitsAre(all, 'sharedBodyHighWater', 1);
    expect(hits(all, 'maxSpoolBytes')).toBe(0);
    peer.write(times(2000, stdin('x'.repeat(1000))));
    await hitsAre(all, 'maxSpoolBytes', 1);
    await until(
      () => all.sockets[0].isPaused(),
      (paused) => paused,
    );
    all.clock.advance(5000);
    expect(hits(all, 'stallTimeout')).toBe(0);
    all.clock.advance(1000);
    const [{ id, stdout }] = await peer.replies(1);
    expect(id).toBe(1);
    expect(stdout).toMatch(/^Status: 503 /);
    expect(hits(all, 'stallTimeout')).toBe(1);
    expect(all.exchanges[0].over).toBe(false);
  });
});

describe('the pieces of a body that wait', () => {
  function waiting(count: number, size: number): number {
    const list = new ChunkList();
    for (let i = 0; i < count; i++) list.push(Buffer.alloc(size, i));
    let pieces = 0;
    while (list.shift() !== undefined) pieces++;
    return pieces;
  }

  it('L18: 1024 pieces wait as they came, those behind are put together', () => {
    expect(waiting(1023, 2000)).toBe(1023);
    expect(waiting(1024, 2000)).toBe(1024);
    expect(waiting(1025, 2000)).toBe(1025);
    expect(waiting(1024 + 32, 2000)).toBe(1025);
    expect(waiting(8000, 2000)).toBeLessThan(1024 + 250);
  });

  it('L18: a byte at a time costs no piece each', () => {
    expect(waiting(65_536, 1)).toBeLessThan(40);
  });
});
