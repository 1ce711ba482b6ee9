import { describe, expect, it, jest } from '@jest/globals';
import type { BodyWriter } from '@postern/core';
import { begin, pairs, params, plainGet, record, request, stdin, until } from '@postern/testkit';
import { MemoryWatch } from './support/memory-watch.ts';
import type { Peer } from './support/peer.ts';
import { type Serving, serving, silent, turns } from './support/serving.ts';

const MIB = 1024 * 1024;
/** Of each transfer here. */
const SIZE = 384 * MIB;
/** How much more memory this process, both ends in it, may take meanwhile, with what waits for the garbage collector. */
const ROOM = 96 * MIB;

/** For one test, in milliseconds, on a machine that is busy with others. */
const PATIENCE = 100_000;

jest.setTimeout(PATIENCE + 20_000);

const piece = record(5, 1, Buffer.alloc(65_528));
const pieces = Math.ceil(SIZE / 65_528);

function uploadHead(flags = 1): Buffer {
  const variables = { ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: String(pieces * 65_528) };
  return Buffer.concat([begin(1, flags), params(pairs(variables)), params()]);
}

/** Sends the body as fast as the socket takes it; resolves when all of it is with the kernel. */
function upload(peer: Peer): Promise<void> {
  const { socket } = peer;
  return new Promise((resolve) => {
    let left = pieces;
    const send = (): void => {
      while (left > 0) {
        left--;
        if (!socket.write(piece)) {
          socket.once('drain', send);
          return;
        }
      }
      socket.write(stdin(), () => resolve());
    };
    send();
  });
}

/** A first small transfer, so that what is loaded and grown once does not count. */
async function warm(): Promise<void> {
  const all = await serving(async (exchange) => {
    for await (const chunk of exchange.input) void chunk.length;
    exchange.respond(200, 'OK', [], Buffer.alloc(8 * MIB));
  });
  const peer = await all.connect();
  const variables = { ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: String(100 * 65_528) };
  peer.write(Buffer.concat([begin(1, 0), params(pairs(variables)), params()]));
  for (let i = 0; i < 100; i++) peer.write(piece);
  await peer.when(() => peer.ended);
}

describe('an upload', () => {
  it('that the application never reads stops the socket, and memory stays level', async () => {
    await warm();
    const all = await serving(silent, { limits: { appTimeout: 0 } });
    const peer = await all.connect();
    const watch = new MemoryWatch();
    peer.write(uploadHead());
    const sending = upload(peer);
    await all.asked();
    await until(() => all.sockets[0].isPaused() && peer.socket.writableNeedDrain, Boolean);
    const { bytesRead } = all.sockets[0];
    await turns(200);
    expect(all.sockets[0].bytesRead).toBe(bytesRead);
    expect(bytesRead).toBeLessThan(MIB);
    // answered without a look at it: all of it is taken and thrown away
    all.exchanges[0].respond(200, 'OK', [], 'unread');
    await sending;
    expect((await peer.reply()).stdout).toContain('unread');
    const { rss, external } = watch.stop();
    expect(watch.samples).toBeGreaterThan(200);
    expect(external).toBeLessThan(ROOM);
    expect(rss).toBeLessThan(ROOM);
    // and the connection is in step
    peer.write(request(plainGet, { flags: 1 }));
    (await all.asked(2)).respond(200, 'OK', [], 'next');
    expect((await peer.replies(2))[1].stdout).toContain('next');
  });

  it('that the application reads slowly is slowed down, arrives whole, and memory stays level', async () => {
    await warm();
    let seen = 0;
    let ahead = 0;
    const all = await serving(async (exchange) => {
      for await (const chunk of exchange.input) {
        seen += chunk.length;
        // half a dozen turns of the loop for each chunk: the peer is quicker by far
        if (seen % 5 === 0) await turns(6);
        ahead = Math.max(ahead, all.sockets[0].bytesRead - seen);
      }
      exchange.respond(200, 'OK', [], String(seen));
    });
    const peer = await all.connect();
    const watch = new MemoryWatch();
    peer.write(uploadHead());
    const sending = upload(peer);
    expect((await peer.replies(1, PATIENCE))[0].stdout).toContain(`\r\n\r\n${pieces * 65_528}`);
    await sending;
    const { rss, external } = watch.stop();
    expect(external).toBeLessThan(ROOM);
    expect(rss).toBeLessThan(ROOM);
    // what was read and not given out: the high-water mark, a read or two, and the headers of all records
    expect(ahead).toBeLessThan(65_536 + 3 * 65_536 + pieces * 8);
  });
});

/** Streams a reply the way an application should: it stops where `write` says so. */
async function stream(writer: BodyWriter, chunks: number): Promise<void> {
  const chunk = Buffer.alloc(65_536, 120);
  for (let i = 0; i < chunks && !writer.closed; i++) {
    if (!writer.write(chunk)) await new Promise<void>((resolve) => writer.onDrain(resolve));
  }
  writer.end();
}

/** Counts what comes, and keeps nothing of it. */
async function plainPeer(all: Serving): Promise<{ peer: Peer; counted(): number }> {
  const peer = await all.connect();
  let bytes = 0;
  peer.socket.removeAllListeners('data');
  peer.socket.on('data', ({ length }) => {
    bytes += length;
  });
  return { peer, counted: () => bytes };
}

describe('a reply', () => {
  it('to a peer that does not read stops its writer, goes on when it reads, and memory stays level', async () => {
    await warm();
    const all = await serving(silent, { limits: { appTimeout: 0 } });
    const { peer, counted } = await plainPeer(all);
    peer.socket.pause();
    peer.write(request(plainGet, { flags: 1 }));
    const exchange = await all.asked();
    const watch = new MemoryWatch();
    const writer = exchange.start(200, 'OK', []);
    const chunk = Buffer.alloc(16_384, 120);
    let accepted = 0;
    do {
      if (writer.write(chunk)) accepted++;
      await turns(1);
    } while (!all.sockets[0].writableNeedDrain);
    // the socket is full: sixteen more chunks make up this reply's own queue
    let more = 0;
    while (writer.write(chunk) && more < 100) more++;
    expect(more).toBeLessThan(17);
    let drained = false;
    writer.onDrain(() => {
      drained = true;
    });
    const taken = all.sockets[0].bytesWritten;
    await turns(200);
    expect(all.sockets[0].bytesWritten).toBe(taken);
    expect(drained).toBe(false);
    expect(accepted).toBeGreaterThan(0);
    peer.socket.resume();
    await until(() => drained, Boolean);
    const total = SIZE / 65_536;
    await stream(writer, total);
    await until(counted, (bytes) => bytes > SIZE, PATIENCE);
    const { rss, external } = watch.stop();
    expect(external).toBeLessThan(ROOM);
    expect(rss).toBeLessThan(ROOM);
  });

  it('to a peer that reads slowly is slowed down, and memory stays level', async () => {
    await warm();
    const all = await serving((exchange) => void stream(exchange.start(200, 'OK', []), SIZE / 65_536));
    const { peer, counted } = await plainPeer(all);
    peer.socket.on('data', () => {
      peer.socket.pause();
      setImmediate(() => setImmediate(() => peer.socket.resume()));
    });
    const watch = new MemoryWatch();
    peer.write(request(plainGet, { flags: 1 }));
    await until(counted, (bytes) => bytes > SIZE, PATIENCE);
    const { rss, external } = watch.stop();
    expect(external).toBeLessThan(ROOM);
    expect(rss).toBeLessThan(ROOM);
    expect(all.exchanges[0].over).toBe(true);
  });

  it('to a peer that does not read does not stop the reply to another id', async () => {
    const all = await serving(silent);
    const peer = await all.connect();
    peer.write(Buffer.concat([request(plainGet, { id: 1, flags: 1 }), request(plainGet, { id: 2, flags: 1 })]));
    await all.asked(2);
    const large = stream(all.exchanges[0].start(200, 'OK', []), 64);
    all.exchanges[1].respond(200, 'OK', [], 'small');
    const replies = await peer.replies(1);
    expect(replies[0]).toMatchObject({ id: 2, stdout: 'Status: 200 OK\r\n\r\nsmall' });
    await large;
    expect((await peer.replies(2))[1].stdout).toHaveLength(64 * 65_536 + 'Status: 200 OK\r\n\r\n'.length);
  });
});
