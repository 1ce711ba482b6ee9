import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { limitCounts, limitsWith, type Output, type ServerConnection } from '@postern/core';
import { temporaryFolder, until } from '@postern/testkit';
import { Outlet } from '../src/outlet.ts';
import { connectTo, type Peer } from './support/peer.ts';
import { atEnd, turns } from './support/serving.ts';

const bound = { limits: limitsWith({ lingerBytes: 10 }), counts: limitCounts() };

/** A connection that has just this to say. */
function saying(...outputs: Output[]): ServerConnection {
  const said = {
    takeOutput: () => outputs.shift(),
    queued: () => 0,
  };
  return said as unknown as ServerConnection;
}

async function pair(path?: string): Promise<{ socket: Socket; peer: Peer }> {
  const server = createServer({ allowHalfOpen: true });
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => server.listen(path ?? { host: '127.0.0.1', port: 0 }, resolve));
  const peer = await connectTo(path === undefined ? { port: (server.address() as AddressInfo).port } : { path });
  const socket = await accepted;
  socket.on('error', () => {});
  atEnd(() => {
    socket.destroy();
    peer.socket.destroy();
    server.close();
  });
  return { socket, peer };
}

/** Writes until nothing more goes to the kernel. */
async function fill(socket: Socket): Promise<void> {
  while (!socket.writableNeedDrain) {
    socket.write(Buffer.alloc(65_536));
    await turns(1);
  }
}

describe('what is written', () => {
  it('is latin-1 text, bytes, or a vector of bytes, in order', async () => {
    const { socket, peer } = await pair();
    const outlet = new Outlet(socket, saying('a\xff', Buffer.from('b'), [Buffer.from('c'), Buffer.from('d')]));
    outlet.writeOut();
    expect(outlet.blocked).toBe(false);
    await peer.when(() => peer.size === 5);
    expect(peer.text).toBe('a\xffbcd');
  });

  it('is no more than the socket takes', async () => {
    const { socket, peer } = await pair();
    peer.socket.pause();
    let taken = 0;
    const endless = saying();
    endless.takeOutput = () => {
      taken++;
      return Buffer.alloc(65_536);
    };
    const outlet = new Outlet(socket, endless);
    while (!socket.writableNeedDrain) {
      outlet.unblock();
      outlet.writeOut();
      await turns(1);
    }
    expect(outlet.blocked).toBe(true);
    expect(outlet.unsent).toBe(true);
    const before = taken;
    outlet.writeOut();
    expect(taken).toBe(before);
  });

  it('is known as taken when the kernel has it', async () => {
    const { socket, peer } = await pair();
    const outlet = new Outlet(socket, saying());
    outlet.write('12345');
    expect(outlet.taken).toBe(5);
    peer.socket.pause();
    await fill(socket);
    const { taken } = outlet;
    await turns();
    expect(outlet.taken).toBe(taken);
    expect(taken).toBeLessThan(socket.bytesWritten);
    peer.socket.resume();
    await until(
      () => outlet.taken,
      (now) => now === socket.bytesWritten,
    );
    await until(
      () => outlet.unsent,
      (unsent) => !unsent,
    );
  });
});

describe('linger', () => {
  it('closes our half, and goes on reading', async () => {
    const { socket, peer } = await pair();
    const outlet = new Outlet(socket, saying('never'));
    expect(outlet.lingering).toBe(false);
    outlet.linger(false);
    expect(outlet.lingering).toBe(true);
    await peer.when(() => peer.ended);
    outlet.writeOut();
    await turns();
    expect(peer.size).toBe(0);
    expect(socket.destroyed).toBe(false);
    outlet.throwAway(10, bound);
    expect(socket.isPaused()).toBe(false);
    outlet.throwAway(1, bound);
    expect(bound.counts.lingerBytes).toBe(1);
    expect(socket.isPaused()).toBe(true);
  });

  it('closes the whole connection where nothing can be on its way', async () => {
    const { socket, peer } = await pair();
    new Outlet(socket, saying()).linger(true);
    await until(() => socket.destroyed, Boolean);
    await peer.when(() => peer.ended);
    expect(peer.error).toBeUndefined();
  });
});

describe('reset', () => {
  it('is RST on TCP: the peer sees an error', async () => {
    const { socket, peer } = await pair();
    new Outlet(socket, saying()).reset();
    await peer.when(() => peer.closed);
    expect(peer.error).toBe('ECONNRESET');
    expect(socket.destroyed).toBe(true);
  });

  it('throws away what the peer did not read', async () => {
    const { socket, peer } = await pair();
    peer.socket.pause();
    await fill(socket);
    new Outlet(socket, saying()).reset();
    await until(() => socket.destroyed, Boolean);
    peer.socket.resume();
    await peer.gone();
    expect(peer.size).toBeLessThan(socket.bytesWritten);
  });

  it('closes a unix socket, which has no RST', async () => {
    const { path: folder, remove } = temporaryFolder();
    atEnd(remove);
    const path = join(folder, 's');
    const { socket, peer } = await pair(path);
    new Outlet(socket, saying()).reset();
    await until(() => socket.destroyed, Boolean);
    await peer.gone();
  });

  it('closes the connection also while the FIN is on its way, and behind it', async () => {
    for (const wait of [0, 3]) {
      const { socket, peer } = await pair();
      const outlet = new Outlet(socket, saying());
      outlet.linger(false);
      await turns(wait);
      const closed = new Promise((resolve) => socket.on('close', resolve));
      outlet.reset();
      outlet.reset();
      await closed;
      await peer.gone();
    }
  });
});
