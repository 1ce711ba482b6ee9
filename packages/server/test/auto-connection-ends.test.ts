import { describe, expect, it } from '@jest/globals';
import { fiveProtocols, requestInFive, singleBytes, until } from '@postern/testkit';
import { TICK } from '../src/watchdog.ts';
import { opened, replyOf, sendPieces, served } from './support/auto.ts';
import { hello, turns } from './support/serving.ts';
import { allClosed } from './support/told.ts';

describe('a connection whose first bytes choose nothing', () => {
  it.each([
    [
      'TLS',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc',
      'TLS on a port that tells FastCGI, SCGI, AJP, uwsgi and HTTP apart',
    ],
    ['the PROXY protocol', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET / HTTP/1.1\r\n\r\n', 'PROXY protocol on a port'],
    ['its version 2', '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c', 'PROXY protocol on a port'],
    ['SSH', 'SSH-2.0-x\r\n', 'SSH on a port'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'HTTP/2 on a port'],
    ['zeros', '\0\0\0\0\0\0', 'the first bytes are of none of FastCGI, SCGI, AJP, uwsgi and HTTP: 00 00 00 00'],
    ['0xff', '\xff\xff', ': ff'],
    ['a record that no connection begins with', '\x01\x05\0\x01\0\0\0\0', ': 01 05'],
    ['digits without a colon', '1111111111', ': 31 31'],
    ['lower-case letters', 'get / HTTP/1.1\r\n\r\n', ': 67'],
  ])('is closed without a byte, and named: %s', async (_, text, message) => {
    const all = await served();
    for (const pieces of [[Buffer.from(text, 'latin1')], singleBytes(Buffer.from(text, 'latin1'))]) {
      const peer = await opened(all);
      for (const piece of pieces) {
        if (peer.closed || peer.ended) break;
        peer.write(piece);
        await turns(2);
      }
      await peer.gone();
      expect(peer.size).toBe(0);
    }
    await allClosed(all);
    expect(all.exchanges).toEqual([]);
    const told = { level: 'warn', event: 'protocol_error', code: 'ERR_WRONG_PROTOCOL', protocol: 'auto' };
    expect(all.logs).toMatchObject([told, told]);
    for (const log of all.logs) expect(log.message).toContain(message);
  });

  it('is closed when it is silent for headersTimeout, and nothing is said of that', async () => {
    const all = await served(hello, { limits: { headersTimeout: 1000 } });
    const peer = await opened(all);
    all.clock.advance(1000);
    expect(all.server.connections).toBe(1);
    all.clock.advance(2 * TICK);
    await allClosed(all);
    await peer.gone();
    expect([peer.size, all.logs]).toEqual([0, []]);
  });

  it('is closed when headersTimeout passes behind its first byte', async () => {
    const all = await served(hello, { limits: { headersTimeout: 1000 } });
    const peer = await opened(all);
    all.clock.advance(750);
    await sendPieces(all, peer, [Buffer.of(0)]);
    await turns();
    all.clock.advance(1000);
    expect(all.server.connections).toBe(1);
    all.clock.advance(2 * TICK);
    await allClosed(all);
    expect(peer.size).toBe(0);
    expect(all.logs).toMatchObject([{ event: 'timeout', code: 'ERR_TIMEOUT_HEAD', protocol: 'auto' }]);
  });

  it.each([
    ['scgi', '24:CONTENT_LENGTH'],
    ['http', 'GET / HTTP/1.1\r\n'],
  ])('but then does, has no more than headersTimeout for its head from its first byte on: %s', async (_, text) => {
    const all = await served(hello, { limits: { headersTimeout: 1000 } });
    const peer = await opened(all);
    if (text.startsWith('G')) await sendPieces(all, peer, [Buffer.from('\r\n')]);
    else await sendPieces(all, peer, [Buffer.from(text.slice(0, 1))]);
    await turns();
    all.clock.advance(750);
    peer.write(Buffer.from(text.startsWith('G') ? text : text.slice(1)));
    await until(
      () => all.sockets[0].bytesRead,
      (read) => read >= text.length,
    );
    await turns();
    expect(all.server.connections).toBe(1);
    all.clock.advance(250 + 2 * TICK);
    await peer.when(() => peer.text.includes('408'));
    expect(all.logs).toMatchObject([{ code: 'ERR_TIMEOUT_HEAD' }]);
  });

  it('is closed at a FIN: without a word when nothing came, with one when something did', async () => {
    const all = await served();
    const quiet = await opened(all);
    quiet.socket.end();
    await quiet.gone();
    const cut = await opened(all);
    cut.socket.end(Buffer.from('12'));
    await cut.gone();
    await allClosed(all);
    expect([quiet.size, cut.size]).toEqual([0, 0]);
    expect(all.logs).toMatchObject([
      { code: 'ERR_WRONG_PROTOCOL', message: expect.stringContaining('ended before it was known') },
    ]);
  });

  it('survives a reset', async () => {
    const all = await served();
    const peer = await opened(all);
    await sendPieces(all, peer, [Buffer.from('1')]);
    peer.socket.resetAndDestroy();
    await allClosed(all);
  });

  it('counts as a connection', async () => {
    const all = await served(hello, { limits: { maxConnections: 2 } });
    await opened(all);
    await opened(all);
    for (const protocol of fiveProtocols) {
      const third = await opened(all);
      third.write(requestInFive(protocol, '/'));
      expect(await replyOf(third, protocol)).toMatchObject({ status: 503 });
      await third.gone();
      third.socket.destroy();
    }
    expect(all.exchanges).toHaveLength(0);
    await until(
      () => all.server.connections,
      (count) => count === 2,
    );
    expect(all.logs).toMatchObject([{ code: 'ERR_CONNECTIONS', protocol: 'auto' }]);
  });
});

describe('a server that closes', () => {
  it('closes a silent connection at once', async () => {
    const all = await served();
    const peer = await opened(all);
    expect(await all.server.close(1000)).toBe(true);
    await peer.gone();
  });

  it.each(['fastcgi', 'http'] as const)('serves the request whose first byte has come: %s', async (protocol) => {
    const all = await served();
    const peer = await opened(all);
    // not enough to tell
    const bytes = requestInFive(protocol, '/');
    const text = protocol === 'http' ? Buffer.concat([Buffer.from('\r\n'), bytes]) : bytes;
    await sendPieces(all, peer, [text.subarray(0, 1)]);
    await turns();
    const closing = all.server.close(60_000);
    await turns();
    peer.write(text.subarray(1));
    expect((await replyOf(peer, protocol)).status).toBe(200);
    peer.socket.end();
    expect(await closing).toBe(true);
  });

  it('cuts what has not chosen when the grace is over', async () => {
    const all = await served();
    const peer = await opened(all);
    await sendPieces(all, peer, [Buffer.from('1')]);
    await turns();
    const closing = all.server.close(1000);
    all.clock.advance(1000);
    expect(await closing).toBe(false);
    await peer.gone();
  });
});
