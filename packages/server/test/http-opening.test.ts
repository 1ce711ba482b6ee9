import { createServer } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { fastcgi } from '@postern/fastcgi';
import { requestInFive, until } from '@postern/testkit';
import { http } from '../src/http-protocol.ts';
import { httpReplies, httpRequest } from './support/http-peer.ts';
import type { Peer } from './support/peer.ts';
import { hello, type ServeOptions, type Serving, serving, turns } from './support/serving.ts';
import { allClosed } from './support/told.ts';

function httpServing(options: ServeOptions = {}): Promise<Serving> {
  return serving(hello, { protocol: http(), known: [fastcgi], ...options });
}

async function received(all: Serving, peer: Peer, bytes: Buffer): Promise<void> {
  peer.write(bytes);
  await until(
    () => all.sockets[0]?.bytesRead,
    (read) => read === bytes.length,
  );
  await turns();
}

describe('a connection to a port that speaks http', () => {
  it.each([
    ['TLS', Buffer.from('160301020001', 'hex'), 'TLS on a port that speaks http: let the peer connect without TLS'],
    ['FastCGI', requestInFive('fastcgi', '/'), 'FastCGI on a port that speaks http: in nginx use proxy_pass'],
    ['SSH', Buffer.from('SSH-2.0-x\r\n'), 'SSH on a port that speaks http'],
  ])('that speaks %s is closed without a byte, and named', async (_, bytes, message) => {
    for (const size of [1, bytes.length]) {
      const all = await httpServing();
      const peer = await all.connect();
      for (let at = 0; at < bytes.length && !peer.ended && !peer.closed; at += size) {
        peer.write(bytes.subarray(at, at + size));
        await turns(2);
      }
      await peer.gone();
      await allClosed(all);
      expect(peer.size).toBe(0);
      expect(all.logs).toMatchObject([
        { level: 'warn', code: 'ERR_WRONG_PROTOCOL', protocol: 'http', message: expect.stringContaining(message) },
      ]);
    }
  });

  it('is told what the server learns of while it listens', async () => {
    const all = await serving(hello, { protocol: http() });
    const first = await all.connect();
    first.write(httpRequest('GET /a'));
    expect((await httpReplies(first))[0]).toMatchObject({ status: 200 });
    all.server.know([fastcgi]);
    const peer = await all.connect();
    peer.write(requestInFive('fastcgi', '/'));
    await peer.gone();
    expect(all.logs).toMatchObject([{ code: 'ERR_WRONG_PROTOCOL', message: expect.stringContaining('FastCGI on a') }]);
  });

  it.each(['SEARCH /a', 'PROPFIND /a', 'POST /a', '\r\nPUT /a'])(
    'that asks %j in single bytes is served',
    async (line) => {
      const all = await httpServing();
      const peer = await all.connect();
      for (const byte of httpRequest(line)) {
        peer.write(Buffer.of(byte));
        await turns(1);
      }
      expect((await httpReplies(peer))[0]).toMatchObject({ status: 200, body: 'hello' });
      expect(all.logs).toEqual([]);
    },
  );

  it('that begins as no other protocol is refused in HTTP', async () => {
    const all = await httpServing();
    const peer = await all.connect();
    peer.write(Buffer.from('PROXYX\r\n\r\n'));
    expect((await httpReplies(peer))[0].status).toBe(400);
    await allClosed(all);
  });

  it('that leaves before it is known is forgotten', async () => {
    const all = await httpServing();
    const ended = await all.connect();
    await received(all, ended, Buffer.from('PR'));
    ended.socket.end();
    await ended.gone();
    const reset = await all.connect();
    reset.write(Buffer.from('PR'));
    await turns();
    reset.socket.resetAndDestroy();
    await allClosed(all);
    expect(ended.size).toBe(0);
    expect(all.logs).toEqual([]);
  });

  it('that stays undecided is answered 408 when headersTimeout is over', async () => {
    const all = await httpServing({ limits: { headersTimeout: 1000 } });
    const peer = await all.connect();
    await received(all, peer, Buffer.from('PR'));
    all.clock.advance(250);
    all.clock.advance(2000);
    expect((await httpReplies(peer))[0].status).toBe(408);
    await allClosed(all);
  });

  it('that is silent when the server closes is closed', async () => {
    const all = await httpServing();
    const peer = await all.connect();
    await until(
      () => all.server.connections,
      (count) => count === 1,
    );
    expect(await all.server.close(1000)).toBe(true);
    await peer.gone();
  });

  it("begins for the application's own server when its first bytes are there", async () => {
    const server = createServer((req, res) => res.end(req.url));
    const all = await httpServing({ protocol: http({ listener: server }) });
    const peer = await all.connect();
    peer.write(httpRequest('GET /one'));
    await httpReplies(peer, 1);
    peer.write(httpRequest('GET /two'));
    expect((await httpReplies(peer, 2)).map(({ body }) => body)).toEqual(['/one', '/two']);
  });
});
