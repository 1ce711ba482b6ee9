import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Peer } from '../../packages/server/test/support/peer.ts';
import {
  abort,
  begin,
  fiveProtocols,
  pairs,
  params,
  plainGet,
  requestInFive,
  until,
} from '../../packages/testkit/src/index.ts';
import { type FaultServer, faultServer, replyOf } from './support/fault-child.ts';

const MOST = 50;
/** So many more are told why they are not served. */
const TOLD = 64;

let server: FaultServer;

beforeAll(async () => {
  server = await faultServer({ standing: true, limits: { maxConnections: MOST, maxConcurrent: 40 } });
});

afterAll(() => server.stop());

function isGone({ ended, closed, error }: Peer): boolean {
  return ended || closed || error !== undefined;
}

describe.each(fiveProtocols)('a flood over %s', (protocol) => {
  it('fault 40: of connections gets 503 for 64 of them, closes the rest, and leaves those that were there alone', async () => {
    await server.reset();
    // the line of an earlier second does not count
    await server.advance(1000);
    const first: Peer[] = [];
    for (let i = 0; i < MOST; i++) first.push(await server.connect(protocol));
    await server.when(({ connections }) => connections === MOST);
    first[0].write(requestInFive(protocol, '/begun'));
    await first[0].when(() => first[0].text.includes('begun'));
    const flood: Peer[] = [];
    for (let i = 0; i < 200; i++) flood.push(await server.connect(protocol));
    await until(
      () => flood.filter(isGone).length,
      (gone) => gone === 200 - TOLD,
    );
    await server.advance(1000);
    const late = await server.connect(protocol);
    await late.when(() => isGone(late));
    const waiting = flood.filter((peer) => !isGone(peer));
    for (const peer of flood) if (isGone(peer)) expect(peer.size).toBe(0);
    for (const peer of waiting) peer.write(requestInFive(protocol, '/hello'));
    for (const peer of waiting) {
      expect((await replyOf(peer, protocol)).status).toBe(503);
      expect(peer.text).toMatch(/Retry-After(?:: |\0..)1/s);
    }
    for (const { socket } of flood) socket.destroy();
    expect(isGone(first[0])).toBe(false);
    for (const peer of first.slice(1)) {
      peer.write(requestInFive(protocol, '/hello'));
      expect(await replyOf(peer, protocol)).toEqual({ status: 200, body: 'hello' });
    }
    for (const { socket } of first) socket.destroy();
    const { logs, asked, running } = await server.when(({ connections }) => connections === 0);
    const lines = logs.filter(({ code }) => code === 'ERR_CONNECTIONS');
    expect(lines).toHaveLength(2);
    expect({ asked, running }).toEqual({ asked: MOST, running: 0 });
    expect(await server.probe(protocol)).toEqual({ status: 200, body: 'hello' });
  });

  it('D6: of clients that ask and leave has no more requests at work than maxConcurrent', async () => {
    await server.reset();
    // no more of them at once than there may be connections
    for (let round = 1; round <= 3; round++) {
      const peers = await Promise.all(Array.from({ length: 30 }, () => server.connect(protocol)));
      for (const { socket } of peers) socket.end(requestInFive(protocol, '/work'));
      await server.when(({ asked, connections }) => connections === 0 && asked === Math.min(30 * round, 40));
    }
    const growth = await server.grown();
    const { working, running, aborted } = await server.state();
    expect({ working, running, aborted }).toEqual({ working: 40, running: 0, aborted: 40 });
    expect(growth.rss).toBeLessThan(32);
    expect((await server.probe(protocol)).status).toBe(503);
    await server.tell('/finish');
    expect((await server.when((state) => state.working === 0)).asked).toBe(40);
    expect(await server.probe(protocol)).toEqual({ status: 200, body: 'hello' });
  });
});

describe('a FastCGI connection', () => {
  it('D6: on which requests are begun and aborted over and over is closed', async () => {
    await server.reset();
    const peer = await server.connect('fastcgi');
    const variables = { ...plainGet, REQUEST_URI: '/never' };
    const one = Buffer.concat([begin(1, 1), params(pairs(variables)), params(), abort()]);
    peer.write(Buffer.concat(Array.from({ length: 1000 }, () => one)));
    await peer.when(() => isGone(peer));
    const { asked, running, working, logs } = await server.when(({ connections }) => connections === 0);
    expect(asked).toBeGreaterThan(50);
    expect(asked).toBeLessThanOrEqual(101);
    expect({ running, working }).toEqual({ running: 0, working: 0 });
    expect(logs.filter(({ level }) => level !== 'info')).toMatchObject([{ level: 'warn', code: 'ERR_FLOOD' }]);
    expect(await server.probe()).toEqual({ status: 200, body: 'hello' });
  });
});
