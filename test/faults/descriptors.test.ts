import net from 'node:net';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { fastcgi } from '../../packages/fastcgi/src/index.ts';
import { type LogEntry, Server } from '../../packages/server/src/index.ts';
import { connectTo, type Peer } from '../../packages/server/test/support/peer.ts';
import { hello } from '../../packages/server/test/support/serving.ts';
import { fiveProtocols, requestInFive, until } from '../../packages/testkit/src/index.ts';
import { type FaultOptions, type FaultServer, faultServer, replyOf } from './support/fault-child.ts';

let server: FaultServer | undefined;

async function started(options: FaultOptions): Promise<FaultServer> {
  server = await faultServer({ watched: false, ...options });
  return server;
}

afterEach(async () => {
  await server?.stop();
  server = undefined;
});

function isGone({ ended, closed, error }: Peer): boolean {
  return ended || closed || error !== undefined;
}

describe('a process that may open few files', () => {
  it('fault 41, F21: turns peers away when there are none left, says so once a second, and serves again', async () => {
    const { connect, probe, state, when, cpu } = await started({ shell: 'ulimit -n 64' });
    const began = performance.now();
    const peers: Peer[] = [];
    for (let i = 0; i < 100; i++) peers.push(await connect(fiveProtocols[i % 4]));
    await until(
      () => peers.filter(isGone).length,
      (gone) => gone > 0,
    );
    // whoever has a connection keeps it
    const index = peers.findIndex((peer) => !isGone(peer));
    // those that wait, and those that come now and then, keep it no busier than others
    const [from, at] = [performance.now(), cpu()];
    await until(
      async () => {
        const peer = await connectTo(optionsOf(peers[index]));
        peer.socket.destroy();
        return performance.now() - from;
      },
      (passed) => passed > 2000,
    );
    expect((cpu() - at) / ((performance.now() - from) / 1000)).toBeLessThan(0.2);
    const protocol = fiveProtocols[index % 4];
    peers[index].write(requestInFive(protocol, '/hello'));
    expect(await replyOf(peers[index], protocol)).toEqual({ status: 200, body: 'hello' });
    const { logs } = await state();
    const seconds = (performance.now() - began) / 1000;
    expect(logs.length).toBeGreaterThan(0);
    expect(logs.length).toBeLessThanOrEqual(seconds + 1);
    for (const entry of logs) expect(entry).toMatchObject({ level: 'warn', event: 'limit', code: 'ERR_ACCEPT' });
    expect(logs[0].message).toContain('EMFILE');
    for (const { socket } of peers) socket.destroy();
    await when(({ connections }) => connections === 0);
    for (const one of fiveProtocols) expect(await probe(one)).toEqual({ status: 200, body: 'hello' });
  });

  it('fault 42: answers 500 where the application can open none, and serves others', async () => {
    const { probe, state, tell } = await started({ shell: 'ulimit -n 64' });
    const statuses: number[] = [];
    while (statuses.at(-1) !== 500 && statuses.length < 100) statuses.push((await probe('fastcgi', '/open')).status);
    expect(statuses.at(-1)).toBe(500);
    expect(await probe('scgi')).toEqual({ status: 200, body: 'hello' });
    const { errors } = await state();
    expect(errors).toEqual(['EMFILE']);
    await tell('/close');
    expect((await probe('fastcgi', '/open')).status).toBe(200);
  });

  it('F2: serves fifteen hundred connections at once', async () => {
    const { connect, when, descriptors } = await started({
      shell: 'ulimit -n 4096',
      limits: { maxConnections: 2000 },
    });
    const before = descriptors();
    const peers: Peer[] = [];
    for (let i = 0; i < 1500; i++) peers.push(await connect(fiveProtocols[i % 5]));
    await when(({ connections }) => connections === 1500);
    for (const [i, peer] of peers.entries()) peer.write(requestInFive(fiveProtocols[i % 5], '/hello'));
    for (const [i, peer] of peers.entries())
      expect(await replyOf(peer, fiveProtocols[i % 5])).toEqual({ status: 200, body: 'hello' });
    for (const { socket } of peers) socket.destroy();
    await when(({ connections }) => connections === 0);
    expect(descriptors()).toBe(before);
  });
});

describe('a connection that ended before it was accepted', () => {
  it('fault 44: costs nothing but a line in the log, and listening goes on', async () => {
    const listeners: net.Server[] = [];
    const { createServer } = net;
    const spy = jest.spyOn(net, 'createServer').mockImplementation((...args: unknown[]) => {
      const listener = (createServer as (...args: unknown[]) => net.Server)(...args);
      listeners.push(listener);
      return listener;
    });
    const logs: LogEntry[] = [];
    const here = new Server(hello, { log: (entry) => logs.push(entry) });
    try {
      const address = await here.listen(fastcgi, { transport: 'tcp', host: '127.0.0.1', port: 0 });
      // as libuv tells Node.js of it
      const handle = (listeners[0] as unknown as { _handle: { onconnection(status: number): void } })._handle;
      for (let i = 0; i < 10; i++) handle.onconnection(-103);
      expect(logs).toMatchObject([
        { level: 'warn', code: 'ERR_ACCEPT', message: expect.stringContaining('ECONNABORTED') },
      ]);
      const peer = await connectTo(address);
      peer.write(requestInFive('fastcgi', '/'));
      expect(await replyOf(peer, 'fastcgi')).toEqual({ status: 200, body: 'hello' });
      peer.socket.destroy();
    } finally {
      spy.mockRestore();
      await here.close(0);
    }
  });
});

/** Where it is connected to. */
function optionsOf({ socket }: Peer): { host: string; port: number } {
  return { host: '127.0.0.1', port: socket.remotePort as number };
}
