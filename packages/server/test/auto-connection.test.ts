import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  cutAt,
  fiveProtocols,
  randomNumbers,
  replyInFive,
  requestInFive,
  singleBytes,
  temporaryFolder,
} from '@postern/testkit';
import { auto } from '../src/auto-protocol.ts';
import { http } from '../src/http-protocol.ts';
import { echo, framed, opened, replyOf, sendPieces, served } from './support/auto.ts';
import { atEnd, hello, silent, turns } from './support/serving.ts';

describe('a connection whose first bytes choose', () => {
  it.each(fiveProtocols)('%s, in one piece', async (protocol) => {
    const all = await served(echo);
    const peer = await opened(all);
    peer.write(requestInFive(protocol, '/a?b', 'some body'));
    expect(await replyOf(peer, protocol)).toEqual({ status: 200, body: `${protocol} /a?b some body` });
    expect(all.exchanges).toHaveLength(1);
    expect(all.logs).toEqual([]);
  });

  it.each(['scgi', 'uwsgi', 'http'] as const)(
    '%s, with more of a body than is to wait here: the rest waits in the web server',
    async (protocol) => {
      const all = await served(silent, { limits: { bodyHighWater: 1000 } });
      const peer = await opened(all);
      peer.write(requestInFive(protocol, '/', 'x'.repeat(30_000), 20_030_000));
      await all.asked();
      peer.write(Buffer.alloc(20_000_000));
      await turns(200);
      expect(all.sockets[0].bytesRead).toBeLessThan(200_000);
    },
  );

  it.each(fiveProtocols)('%s, in single bytes', async (protocol) => {
    const all = await served(echo);
    const peer = await opened(all);
    const bytes = requestInFive(protocol, '/', 'x');
    await sendPieces(all, peer, singleBytes(bytes));
    expect(await replyOf(peer, protocol)).toEqual({ status: 200, body: `${protocol} / x` });
  });

  it.each(fiveProtocols)('%s, cut in two at each of its first bytes', async (protocol) => {
    const all = await served(echo);
    const bytes = requestInFive(protocol, '/two', 'body');
    for (let at = 1; at <= 16; at++) {
      const peer = await opened(all);
      await sendPieces(all, peer, cutAt(bytes, [at]));
      expect([at, await replyOf(peer, protocol)]).toEqual([at, { status: 200, body: `${protocol} /two body` }]);
      peer.socket.destroy();
    }
    expect(all.logs).toEqual([]);
  });

  it('all five at once, cut at random', async () => {
    const all = await served(echo);
    const next = randomNumbers(5);
    const asked = Array.from({ length: 50 }, async (_, i) => {
      const protocol = fiveProtocols[i % 5];
      const body = 'z'.repeat(next() % 3000);
      const bytes = requestInFive(protocol, `/${i}`, body);
      const cuts = Array.from({ length: 3 }, () => 1 + (next() % (i % 2 === 0 ? 6 : bytes.length - 1)));
      const peer = await all.connect();
      for (const piece of cutAt(bytes, cuts)) {
        peer.write(piece);
        await turns(1 + (next() % 3));
      }
      expect(await replyOf(peer, protocol)).toEqual({ status: 200, body: `${protocol} /${i} ${body}` });
      peer.socket.destroy();
    });
    await Promise.all(asked);
    expect(all.exchanges).toHaveLength(50);
    expect(all.logs).toEqual([]);
  });

  it.each(fiveProtocols)('%s on a unix socket', async (protocol) => {
    const folder = temporaryFolder();
    atEnd(folder.remove);
    const all = await served(echo, { path: join(folder.path, 's') });
    const peer = await opened(all);
    peer.write(requestInFive(protocol, '/'));
    expect((await replyOf(peer, protocol)).body).toBe(`${protocol} / `);
  });

  it('is chosen and answered in the turn in which the bytes came', async () => {
    let turn = 0;
    const turnsOf: number[] = [];
    const all = await served((exchange) => {
      turnsOf.push(turn);
      hello(exchange);
    });
    for (const protocol of fiveProtocols) {
      const peer = await opened(all);
      const socket = all.sockets.at(-1) as (typeof all.sockets)[0];
      // runs before the listener that looks at the first bytes, and what it plans runs behind this turn
      socket.prependOnceListener('data', () => {
        turn = turnsOf.length + 1;
        process.nextTick(() => {
          turn = -1;
        });
      });
      peer.write(requestInFive(protocol, '/'));
      await replyOf(peer, protocol);
    }
    expect(turnsOf).toEqual([1, 2, 3, 4, 5]);
  });

  it('goes on as that protocol: a kept connection takes a second request', async () => {
    const all = await served(echo);
    const peer = await opened(all);
    peer.write(requestInFive('ajp', '/one'));
    await replyOf(peer, 'ajp');
    const first = peer.size;
    peer.write(requestInFive('ajp', '/two'));
    await peer.when(() => replyInFive('ajp', peer.bytes.subarray(first), false) !== undefined);
    expect(replyInFive('ajp', peer.bytes.subarray(first), false)?.body).toBe('ajp /two ');
  });

  it('reads what comes behind the first bytes without a copy for its own', async () => {
    const all = await served(echo);
    const peer = await opened(all);
    const body = 'b'.repeat(900_000);
    peer.write(requestInFive('scgi', '/', body));
    expect(await replyOf(peer, 'scgi')).toEqual({ status: 200, body: `scgi / ${body}` });
    const [socket] = all.sockets as unknown as Record<symbol, unknown>[];
    const buffer = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'kBuffer');
    // the socket reads into the buffer that all framed connections share
    expect(socket[buffer as symbol]).toBeInstanceOf(Buffer);
  });

  it('gives HTTP to the listener of the application, with the socket that was accepted', async () => {
    const server = createServer((req, res) => {
      res.end(`${req.url} ${req.socket === all.sockets[0]}`);
    });
    const all = await served(silent, { protocol: auto(framed, http({ listener: server })) });
    const peer = await opened(all);
    await sendPieces(all, peer, singleBytes(requestInFive('http', '/node')));
    expect(await replyOf(peer, 'http')).toEqual({ status: 200, body: '/node true' });
    expect(all.exchanges).toEqual([]);
  });

  it('gives upgrades to the listener of the application, with every byte behind them', async () => {
    const server = createServer().on('upgrade', (_req, socket, head) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.write(head);
      socket.on('data', (chunk: Buffer) => socket.write(chunk));
    });
    const all = await served(silent, { protocol: auto(framed, http({ listener: server })) });
    const peer = await opened(all);
    peer.write(
      Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nfirst bytes, then '),
    );
    await peer.when(() => peer.text.endsWith('first bytes, then '));
    peer.write(Buffer.from('more of them'));
    await peer.when(() => peer.text.endsWith('\r\n\r\nfirst bytes, then more of them'));
  });
});

describe('the address of a server with auto', () => {
  it('off loopback takes allow, also with a secret', async () => {
    const all = await served();
    const target = { transport: 'tcp', host: '0.0.0.0', port: 0 } as const;
    await expect(all.server.listen(auto(framed, http()), target, { secret: 'x' })).rejects.toMatchObject({
      code: 'ERR_ADDRESS_OPEN',
    });
    await all.server.listen(auto(framed, http()), { ...target, allow: ['127.0.0.0/8'] }, { secret: 'x' });
    await all.server.close(0);
  });
});

it('what the address says of a peer holds for the protocol that is chosen', async () => {
  const all = await served(echo, { peer: { strict: true, secret: 'word' } });
  const refused = await opened(all);
  refused.write(requestInFive('ajp', '/'));
  expect((await replyOf(refused, 'ajp')).status).toBe(403);
  const lax = await opened(all);
  const block = 'CONTENT_LENGTH\x000\0REQUEST_METHOD\0GET\0';
  lax.write(Buffer.from(`${block.length}:${block},`));
  expect((await replyOf(lax, 'scgi')).status).toBe(400);
});
