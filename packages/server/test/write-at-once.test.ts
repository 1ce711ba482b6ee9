import { once } from 'node:events';
import { connect, createServer, type Server, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { canWriteAtOnce, writeAtOnce } from '../src/write-at-once.ts';

/** As much as is written at once. */
const text = 'x\xe9'.repeat(8000);

describe('writeAtOnce', () => {
  let server: Server;
  let peer: Socket;
  let socket: Socket;
  let heard: number;

  beforeEach(async () => {
    // a socket that is not read hears of a reset when it writes
    server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const accepted = once(server, 'connection');
    peer = connect((server.address() as { port: number }).port, '127.0.0.1');
    [socket] = (await accepted) as [Socket];
    // the stream's own write shows how it is done, once in a process
    if (writeAtOnce(socket, 'first') === undefined) socket.write('first', 'latin1');
    heard = 0;
  });

  afterEach(() => {
    peer.destroy();
    socket.destroy();
    server.close();
  });

  /** Resolves when the peer has heard so many bytes, with them. */
  function hear(count: number): Promise<string> {
    let all = '';
    return new Promise((resolve) => {
      peer.on('data', (chunk: Buffer) => {
        heard += chunk.length;
        all += chunk.toString('latin1');
        if (heard >= count) resolve(all);
      });
    });
  }

  it('sends the bytes behind those of the stream', async () => {
    expect(writeAtOnce(socket, ' second\xff')).toBe(true);
    expect(socket.writableLength).toBe(0);
    socket.write(' third');
    expect(await hear(19)).toBe('first second\xff third');
  });

  it('says that a peer does not read, and emits drain when it does', async () => {
    let written = 1;
    while (writeAtOnce(socket, text) === true) written++;
    // what is written meanwhile has its turn behind it
    expect(writeAtOnce(socket, 'end')).toBe(false);
    const drained = once(socket, 'drain');
    const all = await hear(5 + text.length * written + 3);
    await drained;
    expect(all === `first${text.repeat(written)}end`).toBe(true);
    expect(writeAtOnce(socket, 'again')).toBe(true);
  });

  it('leaves it to a stream that holds something', async () => {
    socket.cork();
    socket.write(' one');
    expect(writeAtOnce(socket, ' two')).toBeUndefined();
    socket.uncork();
    expect(await hear(9)).toBe('first one');
  });

  it('leaves a long text to the stream', () => {
    expect(writeAtOnce(socket, 'x'.repeat(16_385))).toBeUndefined();
    expect(writeAtOnce(socket, 'x'.repeat(16_384))).toBe(true);
  });

  it('leaves it to a stream that has ended, or is destroyed', () => {
    socket.end();
    expect(writeAtOnce(socket, 'x')).toBeUndefined();
    socket.destroy();
    expect(writeAtOnce(socket, 'x')).toBeUndefined();
  });

  it('leaves an error to the stream', async () => {
    const failed = once(socket, 'error');
    peer.resetAndDestroy();
    await once(peer, 'close');
    expect(writeAtOnce(socket, 'x')).toBeUndefined();
    socket.write('x');
    expect((await failed)[0]).toMatchObject({ syscall: 'write' });
  });

  it('destroys a socket whose peer is gone before it has all', async () => {
    while (writeAtOnce(socket, text) === true);
    const failed = once(socket, 'error');
    peer.resetAndDestroy();
    const [error] = await failed;
    expect((error as NodeJS.ErrnoException).syscall).toBe('write');
    expect(['ECONNRESET', 'EPIPE']).toContain((error as NodeJS.ErrnoException).code);
    expect(socket.destroyed).toBe(true);
  });

  it('is silent about a socket that was destroyed while it was waiting', async () => {
    socket.on('error', (error) => expect(error).toBeUndefined());
    while (writeAtOnce(socket, text) === true);
    const closed = once(socket, 'close');
    socket.destroy();
    expect(await closed).toEqual([false]);
  });

  it('is not for sockets that encrypt', () => {
    class Other extends Socket {}
    expect(canWriteAtOnce(socket)).toBe(true);
    expect(canWriteAtOnce(new Other())).toBe(false);
  });
});
