import { connect, type Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { begin, pairs, params, plainGet, request, stdin, until } from '@postern/testkit';
import { Server } from '../src/server.ts';
import { Peer } from './support/peer.ts';
import { atEnd, hello } from './support/serving.ts';

/** A peer that closes its half only when it is told to. */
async function serving(): Promise<{ server: Server; peer: Peer; socket: Socket }> {
  const server = new Server(hello, { limits: limitsWith({ lingerTimeout: 30_000 }) });
  const address = await server.listen(fastcgi, { transport: 'tcp', host: '127.0.0.1', port: 0 });
  const { port } = address as { port: number };
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  atEnd(async () => {
    socket.destroy();
    server.closeAll();
    await server.close(0);
  });
  return { server, peer: new Peer(socket), socket };
}

describe('a connection that is not kept', () => {
  it('is closed as soon as its one request is answered, whatever the peer does', async () => {
    const { server, peer } = await serving();
    peer.write(request());
    expect((await peer.reply()).stdout).toContain('200 OK');
    await peer.when(() => peer.ended);
    await until(
      () => server.connections,
      (count) => count === 0,
    );
    expect(peer.error).toBeUndefined();
  });

  it('is drained where a part of its request is still to come, until the peer closes', async () => {
    const { server, peer, socket } = await serving();
    const variables = pairs({ ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '1000000' });
    peer.write(Buffer.concat([begin(1, 0), params(variables), params()]));
    expect((await peer.reply()).stdout).toContain('200 OK');
    await peer.when(() => peer.ended);
    for (let i = 0; i < 20; i++) peer.write(stdin(Buffer.alloc(50_000)));
    await new Promise<void>((resolve) => socket.write(stdin(), () => resolve()));
    expect([server.connections, peer.error]).toEqual([1, undefined]);
    socket.end();
    await until(
      () => server.connections,
      (count) => count === 0,
    );
    expect(peer.error).toBeUndefined();
  });
});
