import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { echo } from '../../packages/server/test/support/auto.ts';
import type { Peer } from '../../packages/server/test/support/peer.ts';
import { serving, turns } from '../../packages/server/test/support/serving.ts';
import {
  begin,
  fiveProtocols,
  type OneOfFive,
  pairs,
  params,
  plainGet,
  request,
  stdin,
  until,
} from '../../packages/testkit/src/index.ts';
import { type FaultServer, faultServer, replyOf } from './support/fault-child.ts';
import { bodyInFive, endInFive, headInFive, protocols } from './support/wires.ts';

const BODY_IDLE_TIMEOUT = 30_000;
const APP_TIMEOUT = 55_000;
const LENGTH = 20;

let server: FaultServer;

beforeAll(async () => {
  server = await faultServer({ standing: true });
});

afterAll(() => server.stop());

interface Upload {
  readonly protocol: OneOfFive;
  readonly peer: Peer;
  /** Stops half-way. */
  readonly stops: boolean;
}

describe('five hundred connections', () => {
  it('fault 39: each with a byte of its body in a second, are served, or answered 408 when they stop', async () => {
    await server.reset();
    const uploads: Upload[] = [];
    for (const protocol of fiveProtocols) {
      const some = await Promise.all(Array.from({ length: 100 }, () => server.connect(protocol)));
      for (const [i, peer] of some.entries()) {
        peer.write(headInFive(protocol, '/echo', LENGTH));
        uploads.push({ protocol, peer, stops: i % 2 === 0 });
      }
    }
    await server.when(({ running }) => running === 500);
    for (let at = 0; at < LENGTH; at++) {
      for (const { protocol, peer, stops } of uploads) {
        if (stops && at >= LENGTH / 2) continue;
        peer.write(bodyInFive(protocol, Buffer.from('x')));
        if (at === LENGTH - 1) peer.write(endInFive(protocol));
      }
      await server.state();
      await server.advance(1000);
      if (at % 5 === 0) expect((await server.probe(fiveProtocols[at % 4])).status).toBe(200);
    }
    const whole = { status: 200, body: 'x'.repeat(LENGTH) };
    for (const { protocol, peer, stops } of uploads) if (!stops) expect(await replyOf(peer, protocol)).toEqual(whole);
    expect((await server.state()).running).toBe(250);
    await server.advance(BODY_IDLE_TIMEOUT - LENGTH * 500 - 1000);
    expect((await server.state()).running).toBe(250);
    await server.advance(2000);
    for (const { protocol, peer, stops } of uploads)
      if (stops) expect((await replyOf(peer, protocol)).status).toBe(408);
    for (const { peer } of uploads) peer.socket.destroy();
    const { errors, running, aborted } = await server.when(({ connections }) => connections === 0);
    const growth = await server.grown();
    expect(growth.rss).toBeLessThan(64);
    expect(growth.external).toBeLessThan(64);
    expect({ errors, running, aborted }).toEqual({ errors: [], running: 0, aborted: 250 });
  });
});

describe.each(fiveProtocols)('over %s', (protocol) => {
  it('D2: a body that stops is answered 408 when its time is over, and the reading application is told', async () => {
    await server.reset();
    const peer = await server.connect(protocol);
    peer.write(headInFive(protocol, '/echo', LENGTH));
    peer.write(bodyInFive(protocol, Buffer.from('half')));
    await server.when(({ running }) => running === 1);
    await server.advance(BODY_IDLE_TIMEOUT - 1000);
    expect((await server.state()).running).toBe(1);
    await server.advance(2000);
    expect((await replyOf(peer, protocol)).status).toBe(408);
    peer.socket.destroy();
    const { aborted, rejected, logs } = await server.when(({ connections }) => connections === 0);
    expect({ aborted, rejected }).toEqual({ aborted: 1, rejected: 1 });
    expect(logs).toMatchObject([{ level: 'warn', event: 'timeout', code: 'ERR_TIMEOUT_BODY', protocol }]);
  });

  it('F17: an upload that nobody reads stops, and takes no memory', async () => {
    await server.reset();
    const peer = await server.connect(protocol);
    const size = protocol === 'ajp' ? 8000 : 60_000;
    const piece = bodyInFive(protocol, Buffer.alloc(size));
    peer.write(headInFive(protocol, '/never', 1_000_000_000));
    const fill = (): void => {
      for (let i = 0; i < 100 && !peer.socket.writableNeedDrain; i++) peer.write(piece);
    };
    // AJP's body is asked for piece by piece: nobody asks, so that one packet is all that a web server sends
    if (protocol === 'ajp') peer.write(piece);
    else {
      peer.socket.on('drain', fill);
      fill();
    }
    await server.when(({ running }) => running === 1);
    let before = -1;
    await until(
      async () => {
        await server.state();
        return peer.socket.bytesWritten;
      },
      (now) => {
        const still = now === before;
        before = now;
        return still;
      },
    );
    const growth = await server.grown();
    expect(growth.external).toBeLessThan(2);
    expect(growth.rss).toBeLessThan(16);
    expect((await server.probe()).status).toBe(200);
    // as long as it is not read, its socket does not tell that the peer has left either: the clock of the application does
    peer.socket.resetAndDestroy();
    await server.advance(APP_TIMEOUT + 1000);
    const { running, aborted } = await server.when(({ connections }) => connections === 0);
    expect({ running, aborted }).toEqual({ running: 0, aborted: 1 });
  });
});

describe('FastCGI records', () => {
  it('D4: of a byte each, which nobody reads, take little more memory than their bytes', async () => {
    await server.reset();
    const bytes = Buffer.concat(Array.from({ length: 60_000 }, () => stdin('x')));
    const peers = await Promise.all(Array.from({ length: 40 }, () => server.connect('fastcgi')));
    for (const peer of peers) {
      peer.write(headInFive('fastcgi', '/never', 100_000));
      peer.write(bytes);
    }
    await until(
      () => peers.filter(({ socket }) => socket.writableLength === 0).length,
      (count) => count === peers.length,
    );
    await server.when(({ running }) => running === peers.length);
    const growth = await server.grown();
    // 40 x 60,000 bytes, twice, and what reading them takes
    expect(growth.external).toBeLessThan(5);
    expect(growth.rss).toBeLessThan(32);
    for (const { socket } of peers) socket.destroy();
    await server.when(({ connections }) => connections === 0);
  });
});

describe('several requests on one connection', () => {
  it('F18: one of which does not read its body do not keep the others waiting', async () => {
    await server.reset();
    const peer = await server.connect('fastcgi');
    const variables = { ...plainGet, REQUEST_METHOD: 'POST', REQUEST_URI: '/never', CONTENT_LENGTH: '4000000' };
    peer.write(request({ ...plainGet, REQUEST_URI: '/never' }, { id: 12, flags: 1 }));
    peer.write(Buffer.concat([begin(1, 1), params(pairs(variables)), params()]));
    await server.when(({ running }) => running === 2);
    const piece = stdin(Buffer.alloc(60_000));
    for (let i = 0; i < 60; i++) peer.write(piece);
    for (let id = 2; id < 12; id++)
      peer.write(request({ ...plainGet, REQUEST_URI: '/hello', PATH_INFO: '/hello' }, { id, flags: 1 }));
    const replies = await peer.replies(10);
    expect(replies.map(({ id }) => id)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    const growth = await server.grown();
    expect(growth.rss).toBeLessThan(16);
    peer.socket.destroy();
    await server.when(({ connections }) => connections === 0);
  });
});

describe('a packet of AJP', () => {
  it('D2: that comes a byte a second is no body as long as it is not whole: 408 behind bodyIdleTimeout', async () => {
    await server.reset();
    const peer = await server.connect('ajp');
    peer.write(headInFive('ajp', '/echo', 100));
    const packet = bodyInFive('ajp', Buffer.alloc(100));
    await server.when(({ running }) => running === 1);
    for (let second = 0; second < BODY_IDLE_TIMEOUT / 1000 - 1; second++) {
      peer.write(packet.subarray(second, second + 1));
      await server.advance(1000);
    }
    expect((await server.state()).running).toBe(1);
    await server.advance(2000);
    expect((await replyOf(peer, 'ajp')).status).toBe(408);
    peer.socket.destroy();
    await server.when(({ connections }) => connections === 0);
  });
});

describe.each(fiveProtocols)('with a minBodyRate, over %s', (protocol) => {
  it('D2: a body at a byte a second is answered 408 soon behind its first ten seconds', async () => {
    const all = await serving(echo, { protocol: protocols[protocol], limits: { minBodyRate: 64 } });
    const peer = await all.connect();
    peer.write(headInFive(protocol, '/', 1000));
    await all.asked();
    let seconds = 0;
    while (!all.exchanges[0].over && seconds < 30) {
      const before = all.sockets[0].bytesRead;
      peer.write(bodyInFive(protocol, Buffer.from('x')));
      await until(
        () => all.sockets[0].bytesRead,
        (bytes) => bytes > before,
      );
      all.clock.advance(1000);
      seconds++;
      await turns();
    }
    expect((await replyOf(peer, protocol)).status).toBe(408);
    expect(seconds).toBeGreaterThanOrEqual(10);
    expect(seconds).toBeLessThanOrEqual(12);
  });
});
