import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { request } from '@postern/testkit';
import { acceptLight } from '../src/light-socket.ts';
import { connectTo } from './support/peer.ts';
import { atEnd, listening } from './support/serving.ts';

describe('a server that accepts light sockets', () => {
  it('keeps what an application enters into an AsyncLocalStorage from other connections', async () => {
    const storage = new AsyncLocalStorage<number>();
    const found: unknown[] = [];
    const { address } = await listening(
      (exchange) => {
        found.push(storage.getStore());
        storage.enterWith(found.length);
        // more than the kernel takes, so that a write waits
        exchange.respond(200, 'OK', [], Buffer.alloc(8_000_000));
      },
      { transport: 'tcp', host: '127.0.0.1', port: 0 },
    );
    const peers = [await connectTo(address), await connectTo(address)];
    atEnd(() => peers.map(({ socket }) => socket.destroy()));
    for (const peer of [...peers, await connectTo(address)]) {
      peer.write(request());
      await peer.reply();
      peer.socket.destroy();
    }
    expect(found).toEqual([undefined, undefined, undefined]);
  });

  it('tells of what it could not accept as before', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    atEnd(() => server.close());
    acceptLight(server, () => {});
    const failed = once(server, 'error');
    const { _handle } = server as unknown as { _handle: { onconnection(status: number): void } };
    _handle.onconnection(-24);
    expect((await failed)[0]).toMatchObject({ code: 'EMFILE' });
  });

  it('goes on with sockets where what it is handed is no stream', async () => {
    const server = createServer();
    const handle = { onconnection: () => calls.push('before') };
    const calls: string[] = [];
    Object.defineProperty(server, '_handle', { value: handle, writable: true });
    acceptLight(server, () => calls.push('light'));
    (handle.onconnection as (status: number, client?: object) => void)(0, {});
    expect(calls).toEqual(['before']);
    Object.defineProperty(server, '_handle', { value: null, writable: true });
    acceptLight(server, () => calls.push('light'));
    expect(calls).toEqual(['before']);
  });
});
