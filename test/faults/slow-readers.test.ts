import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Peer } from '../../packages/server/test/support/peer.ts';
import { fiveProtocols, record, requestInFive, until } from '../../packages/testkit/src/index.ts';
import { type FaultServer, faultServer, type State } from './support/fault-child.ts';

const WRITE_TIMEOUT = 60_000;
const GIB = 1_073_741_824;

let server: FaultServer;

beforeAll(async () => {
  server = await faultServer({ standing: true });
  // what is loaded and grown once, for a large reply, does not count
  const peer = await server.connect('fastcgi');
  peer.socket.removeAllListeners('data');
  peer.socket.resume();
  peer.write(requestInFive('fastcgi', '/large'));
  await server.when(({ sent }) => sent > 100_000_000);
  peer.socket.destroy();
  await server.when(({ connections }) => connections === 0);
});

afterAll(() => server.stop());

/** A peer that asks for a gibibyte, and reads none of it. */
async function deaf(protocol: (typeof fiveProtocols)[number]): Promise<Peer> {
  const peer = await server.connect(protocol);
  peer.socket.pause();
  peer.write(requestInFive(protocol, '/large'));
  return peer;
}

/** Waits until the applications have stopped writing. */
async function standstill(running: number): Promise<State> {
  let before = -1;
  return server.when((state) => {
    const still = state.running === running && state.sent > 0 && state.sent === before;
    before = state.sent;
    return still;
  });
}

describe.each(fiveProtocols)('over %s', (protocol) => {
  it('fault 36: a peer that does not read a reply of 1 GiB costs little memory, and is reset behind writeTimeout', async () => {
    await server.reset();
    const peer = await deaf(protocol);
    const { sent, aborted } = await standstill(1);
    expect(aborted).toBe(0);
    expect(sent).toBeLessThan(GIB / 16);
    await server.advance(250);
    await server.advance(WRITE_TIMEOUT - 1000);
    expect(await server.state()).toMatchObject({ running: 1, aborted: 0, rejected: 0, sent });
    await server.advance(2000);
    const { logs, errors } = await server.when(({ connections, rejected }) => connections === 0 && rejected === 1);
    const growth = await server.grown();
    expect(growth.rss).toBeLessThan(8);
    expect(growth.external).toBeLessThan(8);
    expect(await server.state()).toMatchObject({ running: 0, aborted: 1, rejected: 1 });
    expect(logs).toMatchObject([{ level: 'warn', event: 'timeout', code: 'ERR_TIMEOUT_WRITE', protocol }]);
    expect(errors).toEqual([]);
    // what was on its way is thrown away: the peer cannot take what it has for all of it
    peer.socket.resume();
    await peer.gone();
    expect(peer.size).toBeLessThan(sent - 262_144);
    expect((await server.probe(protocol)).status).toBe(200);
  });
});

describe('two hundred peers', () => {
  it('fault 37: that read nothing cost at most 256 KiB each, and others are served all the while', async () => {
    await server.reset();
    const peers: Peer[] = [];
    for (const protocol of fiveProtocols) for (let i = 0; i < 40; i++) peers.push(await deaf(protocol));
    const { sent } = await standstill(200);
    for (let i = 0; i < 200; i++) expect((await server.probe(fiveProtocols[i % 5])).status).toBe(200);
    const growth = await server.grown();
    const { asked, running } = await server.state();
    expect(growth.rss).toBeLessThan((200 * 256) / 1024 + 32);
    expect({ asked, running }).toEqual({ asked: 400, running: 200 });
    expect((await server.state()).sent).toBe(sent);
    for (const { socket } of peers) socket.destroy();
    expect(await server.when(({ connections }) => connections === 0)).toMatchObject({ aborted: 200, rejected: 200 });
  });
});

describe('answers to what is no request', () => {
  const valuesAsked = record(9, 0, '\x0f\0FCGI_MPXS_CONNS');
  const ping = Buffer.of(0x12, 0x34, 0, 1, 10);

  it.each([
    { protocol: 'fastcgi' as const, message: valuesAsked },
    { protocol: 'ajp' as const, message: ping },
  ])('D7: that nobody reads are not piled up, over $protocol', async ({ protocol, message }) => {
    await server.reset();
    const peer = await server.connect(protocol);
    peer.socket.pause();
    const many = Buffer.concat(Array.from({ length: 10_000 }, () => message));
    for (let i = 0; i < 100 && !peer.closed; i++) peer.write(many);
    // either the peer is turned away for it, or it has to wait until it reads
    await until(
      () => peer.closed || peer.error !== undefined || peer.socket.writableNeedDrain,
      (stopped) => stopped,
    );
    const growth = await server.grown();
    expect(growth.external).toBeLessThan(2);
    expect(growth.rss).toBeLessThan(8);
    expect((await server.probe(protocol)).status).toBe(200);
    peer.socket.destroy();
    await server.when(({ connections }) => connections === 0);
  });
});

describe('what an application logs', () => {
  it('D11: over FastCGI is cut off, with a mark, before it takes memory', async () => {
    await server.reset();
    const peer = await server.connect('fastcgi');
    peer.write(requestInFive('fastcgi', '/log'));
    const { stdout, stderr } = await peer.reply();
    expect(stdout).toMatch(/logged$/);
    expect(stderr.length).toBeLessThan(70_000);
    expect(stderr.slice(-60)).toContain('[the rest is dropped]');
    expect((await server.grown()).rss).toBeLessThan(16);
  });
});
