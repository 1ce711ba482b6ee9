import { createServer, IncomingMessage, type RequestListener, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { until } from '@postern/testkit';
import { type HttpListener, http } from '../src/http-protocol.ts';
import { TICK } from '../src/watchdog.ts';
import { asked, httpReplies, httpRequest, repliesOf } from './support/http-peer.ts';
import { type ServeOptions, type Serving, serving, silent, turns } from './support/serving.ts';
import { allClosed } from './support/told.ts';

function listenerServing(listener: HttpListener, options: ServeOptions = {}): Promise<Serving> {
  return serving(silent, { protocol: http({ listener }), ...options });
}

/** The first request that a listener is given, with a promise of it. */
function kept(): { listener: RequestListener; given: Promise<{ req: IncomingMessage; res: ServerResponse }> } {
  let give: (pair: { req: IncomingMessage; res: ServerResponse }) => void;
  const given = new Promise<{ req: IncomingMessage; res: ServerResponse }>((resolve) => {
    give = resolve;
  });
  return { listener: (req, res) => give({ req, res }), given };
}

describe('a (req, res) app over HTTP', () => {
  it("gets Node's own objects, as node:http makes them", async () => {
    const all = await listenerServing((req, res) => {
      const own = [req, res].flatMap((object) => Object.keys(object)).filter((name) => name === 'push');
      const plain = req.constructor === IncomingMessage && res.constructor === ServerResponse;
      res.setHeader('X-A', '1');
      res.end(JSON.stringify([plain, own, req.url, req.socket.remoteAddress, req.httpVersion]));
    });
    const { body, fields } = await asked(all, 'GET /a?b');
    expect(JSON.parse(body)).toEqual([true, [], '/a?b', '127.0.0.1', '1.1']);
    expect(fields).toMatchObject({ 'x-a': '1', connection: 'keep-alive' });
    expect(all.exchanges).toEqual([]);
  });

  it("may be a server that does not listen: its 'request' is emitted", async () => {
    const app = createServer();
    app.on('request', async (req, res) => res.end(`got ${await text(req)}`));
    const all = await listenerServing(app);
    expect((await asked(all, 'POST /', ['Content-Length: 3'], 'abc')).body).toBe('got abc');
    expect(app.listening).toBe(false);
  });

  it('that throws, or rejects, is answered with a bare 500; the connection goes on', async () => {
    const all = await listenerServing((req, res) => {
      res.setHeader('X-Half', 'done');
      if (req.url === '/throw') throw new Error('secret');
      if (req.url === '/reject') return Promise.reject(new Error('secret'));
      return res.end('fine');
    });
    const peer = await all.connect();
    for (const path of ['/throw', '/reject', '/']) peer.write(httpRequest(`GET ${path}`));
    const replies = await httpReplies(peer, 3);
    expect(replies.map(({ status }) => status)).toEqual([500, 500, 200]);
    expect(replies[0].body).toBe('500 Internal Server Error\n');
    expect(replies[0].fields).not.toHaveProperty('x-half');
    expect(all.errors).toMatchObject([{ error: { message: 'secret' } }, { error: { message: 'secret' } }]);
  });

  it('that throws behind the head of its reply breaks it off', async () => {
    const all = await listenerServing((_req, res) => {
      res.write('half');
      throw new Error('x');
    });
    const peer = await all.connect();
    peer.write(httpRequest('GET /'));
    await peer.gone();
    expect(repliesOf(peer)).toEqual([]);
  });

  it('that nothing listens in is told', async () => {
    const all = await listenerServing(createServer());
    expect((await asked(all, 'GET /')).status).toBe(500);
    expect(all.errors).toMatchObject([{ error: { code: 'ERR_APP_EXPORT' } }]);
  });

  it('hears when its client leaves', async () => {
    const { listener, given } = kept();
    const all = await listenerServing(listener);
    const peer = await all.connect();
    peer.write(httpRequest('GET /'));
    const { res } = await given;
    const closed = new Promise<void>((resolve) => res.on('close', () => resolve()));
    peer.socket.destroy();
    await closed;
    await allClosed(all);
    expect(all.logs).toMatchObject([{ level: 'info', event: 'abort', id: 1 }]);
  });
});

describe('maxBody of a (req, res) app', () => {
  const limits = { maxBody: 1000 };
  const echo: RequestListener = async (req, res) => res.end(String((await text(req)).length));

  it('refuses a longer declared length before the app is called', async () => {
    let called = 0;
    const all = await listenerServing(
      (req, res) => {
        called++;
        echo(req, res);
      },
      { limits },
    );
    expect((await asked(all, 'POST /', ['Content-Length: 1001'])).status).toBe(413);
    expect((await asked(all, 'POST /', ['Content-Length: 1001', 'Expect: 100-continue'])).status).toBe(413);
    expect(called).toBe(0);
    expect((await asked(all, 'POST /', ['Content-Length: 1000'], 'x'.repeat(1000))).body).toBe('1000');
    expect((await asked(all, 'GET /')).body).toBe('0');
  });

  it('refuses a chunked body when it becomes longer', async () => {
    const all = await listenerServing(echo, { limits });
    const body = `3e8\r\n${'x'.repeat(1000)}\r\n`;
    const fine = await asked(all, 'POST /', ['Transfer-Encoding: chunked'], `${body}0\r\n\r\n`);
    expect(fine.body).toBe('1000');
    const { status, fields } = await asked(all, 'POST /', ['Transfer-Encoding: chunked'], `${body}1\r\nx\r\n`);
    expect([status, fields.connection]).toEqual([413, 'close']);
  });

  it.each([
    ['that is refused', echo, 413],
    ['that an app has answered without it', ((_req, res) => res.end('early')) as RequestListener, 200],
  ])('lets a client send the rest of a longer body %s', async (_, listener, status) => {
    const all = await listenerServing(listener, { limits });
    const peer = await all.connect();
    const head = httpRequest('POST /', ['Transfer-Encoding: chunked'], '400000\r\n');
    peer.write(head);
    peer.write(Buffer.alloc(2000));
    expect((await httpReplies(peer))[0].status).toBe(status);
    for (let i = 0; i < 20; i++) peer.write(Buffer.alloc(100_000));
    await until(
      () => all.sockets[0].bytesRead,
      (read) => read === head.length + 2_002_000,
    );
    await peer.when(() => peer.ended);
    expect(peer.error).toBeUndefined();
    peer.socket.end();
    await allClosed(all);
  });

  it('does not break off the whole reply of an app that has answered before too much came', async () => {
    const reply = 'x'.repeat(8_000_000);
    const all = await listenerServing((_req, res) => res.end(reply), { limits });
    const peer = await all.connect();
    const head = httpRequest('POST /', ['Transfer-Encoding: chunked'], '400000\r\n');
    peer.write(Buffer.concat([head, Buffer.alloc(2000)]));
    expect((await httpReplies(peer))[0].body.length).toBe(reply.length);
    // nothing more of the body comes
    await peer.when(() => peer.ended);
    expect(peer.error).toBeUndefined();
    peer.socket.end();
    await allClosed(all);
    expect(all.logs).toEqual([]);
  });
});

describe('the clocks of a (req, res) app', () => {
  it('appTimeout answers 504 in its place, and what it says later is lost', async () => {
    const { listener, given } = kept();
    const all = await listenerServing(listener, { limits: { appTimeout: 5000 } });
    const peer = await all.connect();
    peer.write(httpRequest('GET /'));
    const { res } = await given;
    all.clock.advance(TICK);
    all.clock.advance(5000 - 1);
    expect(peer.size).toBe(0);
    all.clock.advance(3 * TICK);
    res.setHeader('X-A', '1');
    res.end('too late');
    expect((await httpReplies(peer))[0]).toMatchObject({ status: 504, fields: { connection: 'close' } });
    await allClosed(all);
    expect(peer.text).not.toContain('late');
    expect(all.logs[0]).toMatchObject({ code: 'ERR_TIMEOUT_APP', id: 1 });
  });

  it('appTimeout counts from the latest bytes of the body, and not while a reply is sent', async () => {
    const { listener, given } = kept();
    const all = await listenerServing(listener, { limits: { appTimeout: 5000, bodyIdleTimeout: 50_000 } });
    const peer = await all.connect();
    peer.write(httpRequest('POST /', ['Content-Length: 10'], '0'));
    const { req, res } = await given;
    let received = 0;
    req.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    for (let i = 1; i < 10; i++) {
      all.clock.advance(4000);
      peer.write(Buffer.from('x'));
      await until(
        () => received,
        (count) => count === i + 1,
      );
    }
    res.write('begun');
    await peer.when(() => peer.text.includes('begun'));
    all.clock.advance(60_000);
    res.end();
    expect((await httpReplies(peer))[0].body).toBe('begun');
    expect(all.logs).toEqual([]);
  });

  it('bodyIdleTimeout answers 408 when it reads and nothing comes, but not when it does not read', async () => {
    const { listener, given } = kept();
    const all = await listenerServing(listener, { limits: { bodyIdleTimeout: 5000, appTimeout: 0 } });
    const peer = await all.connect();
    peer.write(httpRequest('POST /', ['Content-Length: 10'], 'half'));
    const { req } = await given;
    all.clock.advance(20_000);
    await turns();
    expect(peer.size).toBe(0);
    req.on('error', () => {});
    req.resume();
    await turns();
    all.clock.advance(20_000);
    expect((await httpReplies(peer))[0].status).toBe(408);
    await allClosed(all);
  });
});
