import { describe, expect, it } from '@jest/globals';
import { begin, fiveProtocols, type OneOfFive, plainGet, request, requestInFive, stdin } from '@postern/testkit';
import type { Peer } from '../../../packages/server/test/support/peer.ts';
import { silent, turns } from '../../../packages/server/test/support/serving.ts';
import { expectAbort, listenTo } from '../../../packages/server/test/support/told.ts';
import { allHits, gone, hits, type Limited, limited, statusOf } from './limited.ts';

/** A clock may be two looks late, and is never early. */
const LATE = 500;
const framed = ['fastcgi', 'scgi', 'uwsgi', 'ajp'] as const;

/** Half a head. */
function half(protocol: OneOfFive): Buffer {
  return requestInFive(protocol, '/').subarray(0, 30);
}

/** Waits until the server has read so much of its first connection. */
async function hasRead(all: Limited, bytes: number): Promise<void> {
  while ((all.sockets[0]?.bytesRead ?? 0) < bytes) await turns(1);
  await turns(2);
}

async function connected(all: Limited, bytes: Uint8Array): Promise<Peer> {
  const peer = await all.connect();
  peer.write(bytes);
  await hasRead(all, bytes.length);
  return peer;
}

/** At the limit nothing has happened; a look later it has. */
async function runsOut(all: Limited, limit: number): Promise<void> {
  all.clock.advance(limit);
  await turns(3);
  expect(allHits(all)).toEqual({});
  all.clock.advance(LATE);
}

describe('a head', () => {
  it.each([
    ['fastcgi', 408],
    ['scgi', 408],
    ['uwsgi', 408],
    ['ajp', 'closed'],
    ['http', 408],
  ] as const)('L10: has ten seconds over %s, then it is %s', async (protocol, status) => {
    const all = await limited(protocol, {});
    const peer = await connected(all, half(protocol));
    await runsOut(all, 10_000);
    expect(await statusOf(peer, protocol)).toBe(status);
    expect(allHits(all)).toEqual({ headersTimeout: 1 });
    expect(all.logs).toMatchObject([{ level: 'warn', event: 'timeout', code: 'ERR_TIMEOUT_HEAD' }]);
    expect(all.exchanges).toEqual([]);
  });

  it.each(fiveProtocols)('L10: over %s bytes that trickle buy no time', async (protocol) => {
    const all = await limited(protocol, { headersTimeout: 2000 });
    const bytes = half(protocol);
    const peer = await connected(all, bytes.subarray(0, 20));
    for (let at = 20; at < 28; at++) {
      peer.write(bytes.subarray(at, at + 1));
      await hasRead(all, at + 1);
      all.clock.advance(250);
    }
    expect(allHits(all)).toEqual({});
    all.clock.advance(LATE);
    await peer.gone();
    expect(allHits(all)).toEqual({ headersTimeout: 1 });
  });

  it('L10: where nothing can be answered yet the connection closes', async () => {
    for (const [protocol, bytes] of [
      ['fastcgi', begin().subarray(0, 5)],
      ['scgi', Buffer.from('12')],
      ['uwsgi', Buffer.of(0, 1)],
      ['ajp', Buffer.of(0x12, 0x34, 0)],
    ] as const) {
      const all = await limited(protocol, {});
      const peer = await connected(all, bytes);
      await runsOut(all, 10_000);
      await peer.gone();
      expect(peer.size).toBe(0);
      expect(allHits(all)).toEqual({ headersTimeout: 1 });
    }
  });
});

describe('a body', () => {
  const read = (all: Limited): Promise<string> =>
    all.exchanges[0].input.bytes().then(
      () => 'read',
      (error) => error.code,
    );

  async function uploading(
    protocol: OneOfFive,
    limits = {},
  ): Promise<{ all: Limited; peer: Peer; body: Promise<string> }> {
    const all = await limited(protocol, limits, silent);
    const bytes = requestInFive(protocol, '/', 'some', 5000);
    // FastCGI ends STDIN behind what there is of it, which is not sent here
    const peer = await connected(all, protocol === 'fastcgi' ? bytes.subarray(0, -8) : bytes);
    await all.asked();
    const body = read(all);
    // it has taken what there was, and waits for more
    await turns(3);
    return { all, peer, body };
  }

  it.each(fiveProtocols)('L11: may be silent for 30 seconds over %s, then it is 408', async (protocol) => {
    const { all, peer, body } = await uploading(protocol);
    await runsOut(all, 30_000);
    expect(await statusOf(peer, protocol)).toBe(408);
    expect(await body).toBe('ERR_TIMEOUT_BODY');
    expect(allHits(all)).toEqual({ bodyIdleTimeout: 1 });
    expect(all.logs).toMatchObject([{ level: 'warn', event: 'timeout', code: 'ERR_TIMEOUT_BODY' }]);
  });

  it.each(framed)('L11: a reply that has begun over %s breaks off', async (protocol) => {
    const { all, peer, body } = await uploading(protocol);
    const told = listenTo(all.exchanges[0]);
    all.exchanges[0].start(200, 'OK', []).write('begun');
    await peer.when(() => peer.text.includes('begun'));
    await runsOut(all, 30_000);
    expect(await body).toBe('ERR_TIMEOUT_BODY');
    expectAbort(told);
    await peer.gone();
    expect(allHits(all)).toEqual({ bodyIdleTimeout: 1 });
  });

  it.each(['fastcgi', 'scgi', 'uwsgi', 'http'] as const)(
    'L12: at 64 bytes a second it goes on over %s, below that it is 408',
    async (protocol) => {
      for (const rate of [63, 64, 65]) {
        const { all, peer } = await uploading(protocol, { minBodyRate: 64 });
        // from the first look on ten seconds are measured
        all.clock.advance(250);
        let { bytesRead } = all.sockets[0];
        for (let second = 0; second < 10; second++) {
          const bytes = 'x'.repeat(rate);
          const piece = protocol === 'fastcgi' ? stdin(bytes) : Buffer.from(bytes);
          peer.write(piece);
          bytesRead += piece.length;
          await hasRead(all, bytesRead);
          expect(allHits(all)).toEqual({});
          all.clock.advance(1000);
        }
        if (rate < 64) expect(await statusOf(peer, protocol)).toBe(408);
        else expect(gone(peer)).toBe(false);
        expect(allHits(all)).toEqual(rate < 64 ? { minBodyRate: 1 } : {});
      }
    },
  );

  it('L12: without it a byte in 20 seconds is enough', async () => {
    const { all, peer } = await uploading('scgi');
    let { bytesRead } = all.sockets[0];
    for (let i = 0; i < 10; i++) {
      peer.write(Buffer.from('x'));
      await hasRead(all, ++bytesRead);
      all.clock.advance(20_000);
    }
    expect(allHits(all)).toEqual({});
    expect(gone(peer)).toBe(false);
  });

  it('L12: an application that is slow by itself is not the fault of the peer', async () => {
    const all = await limited('scgi', { minBodyRate: 64, appTimeout: 0 }, silent);
    const peer = await connected(all, requestInFive('scgi', '/', 'some', 5000));
    await all.asked();
    all.clock.advance(60_000);
    expect(allHits(all)).toEqual({});
    expect(gone(peer)).toBe(false);
  });
});

describe('an application', () => {
  it.each(fiveProtocols)('L13: has 55 seconds to begin its reply over %s, then it is 504', async (protocol) => {
    const all = await limited(protocol, {}, silent);
    const peer = await connected(all, requestInFive(protocol, '/'));
    const told = listenTo(await all.asked());
    await runsOut(all, 55_000);
    expect(await statusOf(peer, protocol)).toBe(504);
    expectAbort(told);
    expect(allHits(all)).toEqual({ appTimeout: 1 });
    expect(all.logs).toMatchObject([{ level: 'warn', event: 'timeout', code: 'ERR_TIMEOUT_APP' }]);
  });

  it('L13: 0 is no limit', async () => {
    const all = await limited('fastcgi', { appTimeout: 0 }, silent);
    const peer = await connected(all, requestInFive('fastcgi', '/'));
    await all.asked();
    all.clock.advance(86_400_000);
    expect(gone(peer)).toBe(false);
    expect(allHits(all)).toEqual({});
  });
});

describe('a peer', () => {
  it.each(fiveProtocols)('L14: that reads nothing of a reply for 60 seconds over %s is cut off', async (protocol) => {
    const all = await limited(protocol, { replyHighWater: 16_777_216 }, silent);
    const peer = await all.connect();
    peer.socket.pause();
    peer.write(requestInFive(protocol, '/'));
    const exchange = await all.asked();
    const told = listenTo(exchange);
    const writer = exchange.start(200, 'OK', []);
    writer.write(Buffer.alloc(16_000_000));
    await turns(50);
    await runsOut(all, 60_000);
    expectAbort(told);
    expect(allHits(all)).toEqual({ writeTimeout: 1 });
    expect(all.logs).toMatchObject([{ level: 'warn', event: 'timeout', code: 'ERR_TIMEOUT_WRITE' }]);
    peer.socket.resume();
    await peer.gone();
  });

  const again: Partial<Record<OneOfFive, Buffer>> = {
    fastcgi: request(plainGet, { flags: 1 }),
    ajp: requestInFive('ajp', '/'),
    http: Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
  };

  it.each(['fastcgi', 'ajp', 'http'] as const)(
    'L15: that sends nothing on a kept connection of %s for 90 seconds sees its end',
    async (protocol) => {
      const all = await limited(protocol, {});
      const peer = await connected(all, again[protocol] as Buffer);
      await peer.when(() => peer.text.includes('hello'));
      await turns(3);
      const { size } = peer;
      await runsOut(all, 90_000);
      await peer.gone();
      expect(peer.size).toBe(size);
      expect(allHits(all)).toEqual({ keepAliveTimeout: 1 });
      expect(all.logs).toEqual([]);
    },
  );

  it.each(fiveProtocols)('L15: that has sent nothing at all over %s sees the end too', async (protocol) => {
    const all = await limited(protocol, {});
    const peer = await all.connect();
    while (all.sockets.length === 0) await turns(1);
    await runsOut(all, 90_000);
    await peer.gone();
    expect(allHits(all)).toEqual({ keepAliveTimeout: 1 });
  });
});

describe('what comes behind an error', () => {
  const tooLarge = Buffer.of(0x12, 0x34, 0x1f, 0xfd);

  it.each(['fastcgi', 'scgi', 'uwsgi', 'ajp'] as const)(
    'L27: is read for two seconds over %s, then the connection is destroyed',
    async (protocol) => {
      const all = await limited(protocol, { maxBody: 1000 });
      // a body does not end a connection of AJP, a packet that is too large does
      const bytes = protocol === 'ajp' ? tooLarge : requestInFive(protocol, '/', 'x'.repeat(1001), 100_000);
      const peer = await connected(all, bytes);
      expect(await statusOf(peer, protocol)).toBe(protocol === 'ajp' ? 400 : 413);
      await peer.when(() => peer.ended);
      expect(all.sockets[0].destroyed).toBe(false);
      all.clock.advance(2000);
      expect(all.sockets[0].destroyed).toBe(false);
      all.clock.advance(LATE);
      expect(all.sockets[0].destroyed).toBe(true);
      expect(hits(all, 'lingerTimeout')).toBe(1);
    },
  );

  it('L27: is read up to lingerBytes', async () => {
    for (const [bytes, count] of [
      [9999, 0],
      [10_000, 0],
      [10_001, 1],
      [5_000_000, 1],
    ]) {
      const all = await limited('scgi', { maxBody: 1000, lingerBytes: 10_000 });
      const head = requestInFive('scgi', '/', '', 100_000_000);
      const peer = await connected(all, head);
      expect(await statusOf(peer, 'scgi')).toBe(413);
      peer.write(Buffer.alloc(bytes));
      await hasRead(all, head.length + Math.min(bytes, 10_001));
      expect(hits(all, 'lingerBytes')).toBe(count);
      expect(all.sockets[0].isPaused()).toBe(count > 0);
      expect(all.sockets[0].bytesRead).toBeLessThan(200_000);
    }
  });
});

describe('a stop', () => {
  it.each(fiveProtocols)('L29: lets a request that runs over %s end within the grace', async (protocol) => {
    const all = await limited(protocol, {}, silent);
    const peer = await connected(all, requestInFive(protocol, '/'));
    const exchange = await all.asked();
    const closing = all.server.close();
    all.clock.advance(29_999);
    exchange.respond(200, 'OK', [], 'hello');
    expect(await statusOf(peer, protocol)).toBe(200);
    peer.socket.destroy();
    expect(await closing).toBe(true);
    expect(allHits(all)).toEqual({});
  });

  it.each(fiveProtocols)(
    'L29: cuts a request over %s when the grace has run out, and its signal fires',
    async (protocol) => {
      const all = await limited(protocol, { appTimeout: 0 }, silent);
      const peer = await connected(all, requestInFive(protocol, '/'));
      const told = listenTo(await all.asked());
      const closing = all.server.close();
      all.clock.advance(29_999);
      expect(told.aborted).toEqual([]);
      all.clock.advance(1);
      expectAbort(told);
      await peer.gone();
      expect(await closing).toBe(false);
      expect(allHits(all)).toEqual({ grace: 1 });
    },
  );

  it('L29: a request that comes meanwhile is 503 over FastCGI, and AJP says that it takes no other', async () => {
    const all = await limited('fastcgi', {}, silent);
    const peer = await connected(all, request(plainGet, { flags: 1 }));
    const exchange = await all.asked();
    void all.server.close();
    peer.write(request(plainGet, { id: 2, flags: 1 }));
    const [{ id, stdout }] = await peer.replies(1);
    expect(id).toBe(2);
    expect(stdout).toMatch(/^Status: 503 /);
    exchange.respond(200, 'OK', [], 'hello');
    await peer.gone();
    const other = await limited('ajp', {}, silent);
    const kept = await connected(other, requestInFive('ajp', '/'));
    const last = await other.asked();
    void other.server.close();
    last.respond(200, 'OK', [], 'hello');
    await kept.gone();
    expect(kept.bytes.subarray(-6)).toEqual(Buffer.of(0x41, 0x42, 0, 2, 5, 0));
  });
});
