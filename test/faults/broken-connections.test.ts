import { readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { BodyWriter, Exchange } from '../../packages/core/src/index.ts';
import type { Peer } from '../../packages/server/test/support/peer.ts';
import { hello, type Serving, serving, turns } from '../../packages/server/test/support/serving.ts';
import { expectAbort, listenTo, type Told } from '../../packages/server/test/support/told.ts';
import { fiveProtocols, requestInFive, until } from '../../packages/testkit/src/index.ts';
import { replyOf } from './support/fault-child.ts';
import { headInFive, protocols } from './support/wires.ts';

const ways = ['FIN', 'RST'] as const;
const places = fiveProtocols.flatMap((protocol) => ways.map((way) => ({ protocol, way })));

/** All paths have the same length, so that all requests have. */
function pathOf(at: number): string {
  return `/${String(at).padStart(4, '0')}`;
}

function leave({ socket }: Peer, way: (typeof ways)[number]): void {
  if (way === 'FIN') socket.end();
  else socket.resetAndDestroy();
}

/** Waits until the server has read what its peers wrote. */
async function allRead(all: Serving, peers: Peer[]): Promise<void> {
  const read = new Map(all.sockets.map((socket) => [socket.remotePort, socket]));
  await until(
    () => peers.filter(({ socket }) => read.get(socket.localPort)?.bytesRead !== socket.bytesWritten).length,
    (behind) => behind === 0,
  );
  await turns();
}

async function connectionsAre({ server }: Serving, count: number): Promise<void> {
  await until(
    () => server.connections,
    (now) => now === count,
  );
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

describe.each(places)('$way over $protocol', ({ protocol, way }) => {
  const length = requestInFive(protocol, pathOf(0), 'body').length;
  const head = headInFive(protocol, pathOf(0), 4).length;

  it('fault 33, 34, 35: behind each byte of a request ends this request alone, and nothing is written', async () => {
    const before = descriptors();
    const told = new Map<string, Told>();
    const bodies = new Map<string, string>();
    const all = await serving(
      async (exchange) => {
        const { target } = exchange.head;
        if (target === '/other') return;
        told.set(target, listenTo(exchange));
        try {
          bodies.set(target, Buffer.from(await exchange.input.bytes()).toString());
        } catch (error) {
          bodies.set(target, (error as { code: string }).code);
        }
      },
      { protocol: protocols[protocol] },
    );
    const other = await all.connect();
    other.write(requestInFive(protocol, '/other'));
    const waiting = await all.asked();
    const peers: Peer[] = [];
    for (let cut = 0; cut <= length; cut++) {
      const peer = await all.connect();
      if (cut > 0) peer.write(requestInFive(protocol, pathOf(cut), 'body').subarray(0, cut));
      peers.push(peer);
    }
    await connectionsAre(all, length + 2);
    await allRead(all, peers);
    for (const peer of peers) leave(peer, way);
    await connectionsAre(all, 1);
    await turns();

    const complete = Array.from({ length: length - head + 1 }, (_, i) => pathOf(head + i));
    expect([...told.keys()].sort()).toEqual(complete);
    for (const one of told.values()) expectAbort(one);
    for (const [target, body] of bodies)
      expect([target, body]).toEqual([target, body === 'body' ? 'body' : 'ERR_ABORTED']);
    expect(bodies.size).toBe(complete.length);
    expect(bodies.get(pathOf(length))).toBe('body');
    for (const [cut, { text }] of peers.entries()) expect([cut, text]).toEqual([cut, '']);
    expect(all.errors).toEqual([]);
    expect(all.logs.filter(({ level }) => level === 'error')).toEqual([]);

    hello(waiting);
    expect(await replyOf(other, protocol)).toEqual({ status: 200, body: 'hello' });
    other.socket.destroy();
    await connectionsAre(all, 0);
    for (const { socket } of peers) socket.destroy();
    // the listening socket alone is more
    await until(descriptors, (count) => count <= before + 1);
    expect(all.clock.pending).toBe(0);
  });

  it.each([
    ['the head', 1],
    ['a piece of the body', 2],
    ['all but the end', 3],
  ])('fault 35: behind %s of a reply is told once, and the application may go on writing', async (_, pieces) => {
    let writer: BodyWriter | undefined;
    const all = await serving(
      (exchange: Exchange) => {
        writer = exchange.start(200, 'OK', ['X-Begun', 'yes']);
        writer.flush();
      },
      { protocol: protocols[protocol] },
    );
    const peer = await all.connect();
    peer.write(requestInFive(protocol, '/'));
    const told = listenTo(await all.asked());
    await peer.when(() => peer.text.includes('yes'));
    for (let i = 1; i < pieces; i++) {
      writer?.write(`piece ${i}`);
      await peer.when(() => peer.text.includes(`piece ${i}`));
    }
    const { size } = peer;
    leave(peer, way);
    await connectionsAre(all, 0);
    expectAbort(told);
    expect(writer?.closed).toBe(true);
    writer?.write('for nobody');
    writer?.end();
    await turns();
    expect(peer.size).toBe(size);
    expect(all.errors).toEqual([]);
    expect(all.logs).toMatchObject([{ level: 'info', event: 'abort', code: 'ERR_ABORTED' }]);
    expect(all.clock.pending).toBe(0);
  });
});
