import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Peer } from '../../packages/server/test/support/peer.ts';
import { fiveProtocols, type OneOfFive, requestInFive, until } from '../../packages/testkit/src/index.ts';
import { type FaultServer, faultServer, replyOf } from './support/fault-child.ts';

const HEADERS_TIMEOUT = 10_000;
const KEEP_ALIVE_TIMEOUT = 90_000;

let server: FaultServer;

beforeAll(async () => {
  server = await faultServer({ standing: true });
});

afterAll(() => server.stop());

function isGone({ ended, closed, error }: Peer): boolean {
  return ended || closed || error !== undefined;
}

/** Waits until the server has so many connections. */
async function connections(count: number): Promise<void> {
  await server.when((state) => state.connections === count);
}

/** What a peer is told whose head was begun and not completed: a status as soon as the request can be named. */
const told: Record<OneOfFive, RegExp> = {
  fastcgi: /Status: 408 Request Timeout\r\n/,
  scgi: /^Status: 408 Request Timeout\r\n/,
  // AJP knows no reply to half a packet
  ajp: /^$/,
  uwsgi: /^HTTP\/1\.1 408 Request Timeout\r\n/,
  http: /^HTTP\/1\.1 408 Request Timeout\r\n/,
};

const places = fiveProtocols.flatMap((protocol) => [
  { protocol, port: protocol, where: 'on its own address' },
  { protocol, port: 'auto' as const, where: 'on an address for all' },
]);

describe.each(places)('over $protocol $where', ({ protocol, port }) => {
  const whole = requestInFive(protocol, '/hello');
  /** All of the head but so much that it would take three minutes at a byte in ten seconds. */
  const most = whole.subarray(0, whole.length - (protocol === 'fastcgi' ? 40 : 18));

  it.each([
    ['from its first byte on', 0],
    ['of which most has come', most.length],
  ])('D1: a head at a byte a second, %s, is ended ten seconds after its first byte', async (_, first) => {
    await server.reset();
    const peer = await server.connect(port);
    await connections(1);
    // a connection may be old when its first byte comes
    await server.advance(5000);
    let at = Math.max(first, 1);
    peer.write(whole.subarray(0, at));
    for (let seconds = 0; seconds < HEADERS_TIMEOUT / 1000 - 1; seconds++) {
      await server.state();
      await server.advance(1000);
      peer.write(whole.subarray(at, ++at));
    }
    await server.state();
    await server.advance(999);
    expect(isGone(peer)).toBe(false);
    expect((await server.state()).connections).toBe(1);
    await server.advance(1001);
    await peer.when(() => isGone(peer));
    if (first > 0) expect(peer.text).toMatch(told[protocol]);
    peer.socket.destroy();
    await connections(0);
    const { asked, logs, timers } = await server.state();
    expect(asked).toBe(0);
    expect(timers).toBe(0);
    expect(logs).toMatchObject([{ level: 'warn', code: 'ERR_TIMEOUT_HEAD', protocol }]);
  });

  it('D1: a slow head that is complete just in time is served', async () => {
    const peer = await server.connect(port);
    peer.write(whole.subarray(0, 2));
    await connections(1);
    await server.state();
    await server.advance(HEADERS_TIMEOUT - 500);
    peer.write(whole.subarray(2));
    expect(await replyOf(peer, protocol)).toEqual({ status: 200, body: 'hello' });
    peer.socket.destroy();
    await connections(0);
  });
});

describe('a thousand connections', () => {
  it('fault 38: half of them idle and half with slow heads, are closed in time, and others are served all the while', async () => {
    await server.reset();
    const before = server.descriptors();
    const idle: Peer[] = [];
    const slow: { protocol: OneOfFive; peer: Peer; rest: Buffer }[] = [];
    for (const protocol of fiveProtocols) {
      const whole = requestInFive(protocol, '/hello');
      const some = await Promise.all(Array.from({ length: 200 }, () => server.connect(protocol)));
      for (const [i, peer] of some.entries()) {
        if (i % 2 === 0) idle.push(peer);
        else slow.push({ protocol, peer, rest: whole });
      }
    }
    await connections(1000);
    const trickle = (): void => {
      for (const one of slow) {
        if (isGone(one.peer)) continue;
        one.peer.write(one.rest.subarray(0, 1));
        one.rest = one.rest.subarray(1);
      }
    };
    const slowOnes = (): number => slow.filter(({ peer }) => !isGone(peer)).length;
    for (let second = 0; second < HEADERS_TIMEOUT / 1000 - 1; second++) {
      trickle();
      await server.advance(1000);
      expect(await server.probe(fiveProtocols[second % 5])).toEqual({ status: 200, body: 'hello' });
    }
    expect(slowOnes()).toBe(500);
    await server.advance(2000);
    await until(slowOnes, (count) => count === 0);
    for (const { peer } of slow) peer.socket.destroy();
    expect(await server.probe()).toEqual({ status: 200, body: 'hello' });
    await connections(500);
    const idleOnes = (): number => idle.filter((peer) => !isGone(peer)).length;
    await server.advance(KEEP_ALIVE_TIMEOUT - HEADERS_TIMEOUT - 2000);
    expect(await server.probe()).toEqual({ status: 200, body: 'hello' });
    expect(idleOnes()).toBe(500);
    await server.advance(2000);
    await until(idleOnes, (count) => count === 0);
    for (const peer of idle) peer.socket.destroy();
    expect(await server.probe()).toEqual({ status: 200, body: 'hello' });
    await connections(0);
    const growth = await server.grown();
    const { asked, errors } = await server.state();
    expect(asked).toBe(HEADERS_TIMEOUT / 1000 - 1 + 3);
    expect(errors).toEqual([]);
    expect(growth.rss).toBeLessThan(64);
    expect(server.descriptors()).toBe(before);
  });
});
