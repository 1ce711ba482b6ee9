import { once } from 'node:events';
import { connect, createServer, Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { readIntoShared } from '../src/read-buffer.ts';

describe('readIntoShared', () => {
  it('gives each read of each socket in order, and pauses and ends like any socket', async () => {
    const got = new Map<Socket, string>();
    const ended: string[] = [];
    const server = createServer({ allowHalfOpen: true });
    server.on('connection', (socket) => {
      got.set(socket, '');
      const taken = readIntoShared(socket, function onRead(this: Socket, count, buffer) {
        got.set(this, got.get(this) + buffer.toString('latin1', 0, count));
        if (count > 1) {
          this.pause();
          setImmediate(() => this.resume());
        }
        return true;
      });
      expect(taken).toBe(true);
      socket.on('end', () => {
        ended.push(got.get(socket) as string);
        socket.end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const peers = ['a', 'b'].map((letter) => {
      const peer = connect(port, '127.0.0.1');
      for (let i = 0; i < 200; i++) peer.write(letter.repeat(1000));
      peer.end();
      return once(peer.resume(), 'close');
    });
    await Promise.all(peers);
    server.close();
    expect(ended.sort()).toEqual(['a'.repeat(200_000), 'b'.repeat(200_000)]);
  });

  it('leaves a socket alone that cannot do it', () => {
    const socket = new Socket();
    expect(readIntoShared(socket, () => true)).toBe(false);
    socket.destroy();
  });
});
