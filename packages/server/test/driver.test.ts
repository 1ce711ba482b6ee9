import type { Socket } from 'node:net';
import { describe, expect, it, jest } from '@jest/globals';
import type { ServerProtocol } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { begin, pairs, params, plainGet, request, stdin, until } from '@postern/testkit';
import { hello, serving, silent, turns } from './support/serving.ts';
import { allClosed, expectAbort, listenTo } from './support/told.ts';

const keep = { flags: 1 };
const post = { ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '100' };

/** How often bytes were handed to the kernel. */
function countWrites(socket: Socket): () => number {
  const handle = (socket as unknown as { _handle: Record<string, (...args: unknown[]) => unknown> })._handle;
  let count = 0;
  for (const name of ['writeBuffer', 'writev', 'writeLatin1String', 'writeUtf8String', 'writeAsciiString']) {
    const original = handle[name];
    handle[name] = function write(this: unknown, ...args: unknown[]) {
      count++;
      return original.apply(this, args);
    };
  }
  return () => count;
}

describe('what goes out', () => {
  it('is one write to the kernel for a text, without the stream in between', async () => {
    const { connect, sockets } = await serving(hello);
    const peer = await connect();
    peer.write(request(plainGet, keep));
    await peer.replies(1);
    const write = jest.spyOn(sockets[0], 'write');
    const writes = countWrites(sockets[0]);
    peer.write(request(plainGet, keep));
    await peer.replies(2);
    expect([writes(), write.mock.calls.length]).toEqual([1, 0]);
  });

  it.each([1, 1000, 16_000, 60_000])('is one write to the kernel for a reply of %i bytes', async (size) => {
    const { connect, sockets } = await serving((exchange) => exchange.respond(200, 'OK', [], Buffer.alloc(size, 120)));
    const peer = await connect();
    peer.write(request(plainGet, keep));
    await peer.replies(1);
    const writes = countWrites(sockets[0]);
    peer.write(request(plainGet, keep));
    const replies = await peer.replies(2);
    expect(replies[1].stdout).toBe(`Status: 200 OK\r\n\r\n${'x'.repeat(size)}`);
    expect(writes()).toBe(1);
  });

  it('is one write for a head, a body and an end of one turn', async () => {
    const { connect, sockets } = await serving((exchange) => {
      const writer = exchange.start(200, 'OK', ['A', 'b']);
      writer.write('one ');
      writer.write('two');
      writer.end();
    });
    const peer = await connect();
    peer.write(request(plainGet, keep));
    await peer.replies(1);
    const writes = countWrites(sockets[0]);
    peer.write(request(plainGet, keep));
    expect((await peer.replies(2))[1].stdout).toBe('Status: 200 OK\r\nA: b\r\n\r\none two');
    expect(writes()).toBe(1);
  });

  it('is one write for a head, a body and an end of one turn of an application that answers later', async () => {
    const { connect, sockets, asked } = await serving(silent);
    const peer = await connect();
    peer.write(request(plainGet, keep));
    const exchange = await asked();
    await turns();
    const writes = countWrites(sockets[0]);
    const writer = exchange.start(200, 'OK', []);
    writer.write('one ');
    writer.write('two');
    writer.end();
    expect((await peer.reply()).stdout).toBe('Status: 200 OK\r\n\r\none two');
    expect(writes()).toBe(1);
  });

  it('is one write for all requests that came in one read', async () => {
    const { connect, sockets } = await serving(hello);
    const peer = await connect();
    peer.write(request(plainGet, keep));
    await peer.replies(1);
    const writes = countWrites(sockets[0]);
    peer.write(Buffer.concat([1, 2, 3].map((id) => request(plainGet, { id, flags: 1 }))));
    expect((await peer.replies(4)).map(({ id }) => id)).toEqual([1, 1, 2, 3]);
    expect(writes()).toBe(1);
  });

  it('is a head at once although the body is not there yet', async () => {
    const { connect, asked } = await serving((exchange) => {
      exchange.start(200, 'OK', []);
    });
    const peer = await connect();
    peer.write(request());
    await asked();
    await peer.when(() => peer.text.includes('Status: 200 OK'));
    expect(peer.partial[0].end).toBeUndefined();
  });
});

describe('what comes in', () => {
  it('is answered however it is cut', async () => {
    const { connect } = await serving(async (exchange) =>
      exchange.respond(200, 'OK', [], await exchange.input.bytes()),
    );
    const bytes = request({ ...post, CONTENT_LENGTH: '5' }, { body: 'bytes' });
    const peer = await connect();
    for (const byte of bytes) {
      peer.write(Buffer.of(byte));
      await turns(1);
    }
    expect((await peer.reply()).stdout).toBe('Status: 200 OK\r\n\r\nbytes');
  });

  it('can be two requests at once on one connection, answered in any order', async () => {
    const { connect, exchanges, asked } = await serving(silent);
    const peer = await connect();
    peer.write(Buffer.concat([request({ ...plainGet, REQUEST_URI: '/one' }, { id: 1, flags: 1 }), begin(2, 1)]));
    peer.write(Buffer.concat([params(pairs({ ...plainGet, REQUEST_URI: '/two' }), 2), params('', 2), stdin('', 2)]));
    await asked(2);
    exchanges[1].respond(200, 'OK', [], 'second');
    await peer.replies(1);
    exchanges[0].respond(200, 'OK', [], 'first');
    const replies = await peer.replies(2);
    expect(replies.map(({ id, stdout }) => [id, stdout])).toEqual([
      [2, 'Status: 200 OK\r\n\r\nsecond'],
      [1, 'Status: 200 OK\r\n\r\nfirst'],
    ]);
    expect(exchanges.map(({ head }) => head.target)).toEqual(['/one', '/two']);
  });

  it('starts the request that waits behind a body nobody reads, as soon as that one is answered', async () => {
    const { connect, asked } = await serving((exchange) => {
      if (exchange.head.target === '/next') hello(exchange);
    });
    const peer = await connect();
    const upload = stdin(Buffer.alloc(60_000), 1);
    peer.write(
      Buffer.concat([
        begin(1, 1),
        params(pairs({ ...post, CONTENT_LENGTH: '240000' }), 1),
        params('', 1),
        ...[upload, upload, upload, upload, stdin('', 1)],
        request({ ...plainGet, REQUEST_URI: '/next' }, { id: 2, flags: 1 }),
      ]),
    );
    const first = await asked(1);
    // everything has come: what frees the second request is the answer alone
    await until(
      () => peer.socket.writableLength,
      (left) => left === 0,
    );
    await turns();
    first.respond(200, 'OK', [], 'unread');
    expect((await peer.replies(2)).map(({ id }) => id)).toEqual([1, 2]);
  });

  it('holds further requests back when the peer reads no replies', async () => {
    const body = Buffer.alloc(60_000, 120);
    const { connect, exchanges, sockets } = await serving((exchange) => exchange.respond(200, 'OK', [], body));
    const peer = await connect();
    peer.socket.pause();
    const count = 400;
    peer.write(Buffer.concat(Array.from({ length: count }, () => request(plainGet, keep))));
    await until(() => sockets[0]?.writableNeedDrain === true, Boolean);
    const held = (): number => sockets[0].writableLength;
    await turns(20);
    expect(held()).toBeLessThan(2 * 1024 * 1024);
    expect(exchanges.length).toBeLessThan(count);
    peer.socket.resume();
    await peer.when(() => peer.size > count * body.length);
    expect(exchanges).toHaveLength(count);
  });
});

describe('half-close=serve', () => {
  it('answers a whole request behind which the peer half-closed, then closes', async () => {
    const all = await serving(silent, { peer: { halfCloseServes: true } });
    const peer = await all.connect();
    peer.socket.end(request(plainGet, keep));
    const exchange = await all.asked();
    await until(() => all.sockets[0].readableEnded, Boolean);
    expect(exchange.over).toBe(false);
    exchange.respond(200, 'OK', [], 'served');
    expect((await peer.reply()).stdout).toContain('served');
    await allClosed(all);
    expect(peer.error).toBeUndefined();
  });

  it('delivers a large reply whole although the FIN is long there', async () => {
    const body = Buffer.alloc(8 * 1024 * 1024, 120);
    const all = await serving((exchange) => exchange.respond(200, 'OK', [], body), { peer: { halfCloseServes: true } });
    const peer = await all.connect();
    peer.socket.pause();
    peer.socket.end(request());
    await until(() => all.sockets[0]?.readableEnded, Boolean);
    await turns();
    peer.socket.resume();
    expect((await peer.reply()).stdout).toHaveLength(body.length + 'Status: 200 OK\r\n\r\n'.length);
    await allClosed(all);
  });

  it('lets a peer go that half-closed in the middle of its request', async () => {
    const all = await serving(silent, { peer: { halfCloseServes: true } });
    const peer = await all.connect();
    peer.socket.end(Buffer.concat([begin(1, 1), params(pairs(post)), params(), stdin('x')]));
    const told = listenTo(await all.asked());
    await allClosed(all);
    expectAbort(told);
  });
});

describe('another protocol', () => {
  it.each([1, 2, 5, 1000])('that is HTTP is told what to change, in pieces of %i bytes too', async (size) => {
    const { connect, logs, exchanges } = await serving(hello);
    const peer = await connect();
    const bytes = Buffer.from('GET /a%20b?c HTTP/1.1\r\nHost: x\r\n\r\n');
    for (let at = 0; at < bytes.length && !peer.ended; at += size) {
      peer.write(bytes.subarray(at, at + size));
      await turns(2);
    }
    await peer.when(() => peer.ended);
    expect(peer.text).toMatch(/^HTTP\/1\.1 421 Misdirected Request\r\n/);
    expect(peer.text).toContain('fastcgi_pass');
    expect(peer.bytes.length).toBeLessThan(1024);
    expect(exchanges).toEqual([]);
    expect(logs.map(({ level, code }) => [level, code])).toEqual([['warn', 'ERR_WRONG_PROTOCOL']]);
  });

  it.each([
    ['a TLS hello', '16030102000100', 'ERR_WRONG_PROTOCOL'],
    ['AJP', '1234000f02', 'ERR_FCGI_VERSION'],
    ['zeros', '0000000000000000', 'ERR_FCGI_VERSION'],
    ['an SSH banner', '5353482d322e300d0a', 'ERR_WRONG_PROTOCOL'],
    ['the preface of HTTP/2', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n').toString('hex'), 'ERR_WRONG_PROTOCOL'],
  ])('that is %s is closed without a byte', async (_, hex, code) => {
    const all = await serving(hello);
    const peer = await all.connect();
    peer.write(Buffer.from(hex, 'hex'));
    await peer.gone();
    await allClosed(all);
    expect(peer.bytes).toHaveLength(0);
    expect(all.logs.map((entry) => entry.code)).toEqual([code]);
  });

  it('that begins like HTTP and goes on otherwise is closed without a byte', async () => {
    const all = await serving(hello);
    const peer = await all.connect();
    peer.write(Buffer.from('GET'));
    await until(
      () => all.sockets[0]?.bytesRead,
      (bytes) => bytes === 3,
    );
    await turns();
    expect(peer.ended).toBe(false);
    peer.write(Buffer.from('\0\0'));
    await peer.gone();
    await allClosed(all);
    expect(peer.bytes).toHaveLength(0);
    expect(all.logs.map(({ code }) => code)).toEqual(['ERR_FCGI_VERSION']);
  });

  it('that begins like HTTP and stays silent is closed when headersTimeout is over', async () => {
    const all = await serving(hello, { limits: { headersTimeout: 1000 } });
    const peer = await all.connect();
    peer.write(Buffer.from('GET /'));
    await until(
      () => all.sockets[0]?.bytesRead,
      (bytes) => bytes === 5,
    );
    await turns();
    all.clock.advance(750);
    expect(all.server.connections).toBe(1);
    all.clock.advance(750);
    await peer.gone();
    await allClosed(all);
  });
});

describe('a broken rule of the protocol', () => {
  it('behind a whole request does not take its reply away', async () => {
    const all = await serving(hello);
    const peer = await all.connect();
    peer.write(Buffer.concat([request(plainGet, keep), Buffer.from('\x02 this is no record', 'latin1')]));
    const reply = await peer.reply();
    expect(reply.stdout).toContain('hello');
    await peer.gone();
    expect(all.logs.map(({ code }) => code)).toEqual(['ERR_FCGI_VERSION']);
  });

  it('aborts what runs and says so, without a byte for it', async () => {
    const all = await serving(silent);
    const peer = await all.connect();
    peer.write(request(plainGet, keep));
    const told = listenTo(await all.asked());
    peer.write(Buffer.from('\x02 this is no record', 'latin1'));
    await allClosed(all);
    expectAbort(told);
    expect(peer.bytes).toHaveLength(0);
    expect((told.over[0] as Error).cause).toMatchObject({ code: 'ERR_FCGI_VERSION' });
  });

  it('in one request is answered without the application', async () => {
    const all = await serving(hello);
    const peer = await all.connect();
    peer.write(request({ ...plainGet, CONTENT_LENGTH: 'many' }, keep));
    expect((await peer.reply()).stdout).toMatch(/^Status: 400 Bad Request\r\n/);
    expect(all.exchanges).toEqual([]);
    expect(all.logs).toMatchObject([{ level: 'warn', code: 'ERR_ENV_LENGTH', id: 1, protocol: 'fastcgi' }]);
  });

  it('by a body that is too short is answered 400, and the reader is told', async () => {
    const all = await serving(silent);
    const peer = await all.connect();
    peer.write(Buffer.concat([begin(1, 1), params(pairs(post)), params(), stdin('x')]));
    const exchange = await all.asked();
    const reading = exchange.input.bytes();
    peer.write(stdin());
    await expect(reading).rejects.toMatchObject({ code: 'ERR_BODY_SHORT' });
    expect((await peer.reply()).stdout).toMatch(/^Status: 400 /);
    expect(all.logs.map(({ code }) => code)).toEqual(['ERR_BODY_SHORT']);
  });
});

describe('a defect', () => {
  it('of a codec ends its connection alone, once, and tells the operator', async () => {
    const broken: ServerProtocol = {
      ...fastcgi,
      server: (limits, peer) => {
        const connection = fastcgi.server(limits, peer);
        connection.next = () => {
          throw new TypeError('a mistake in a codec');
        };
        return connection;
      },
    };
    const all = await serving(hello, { protocol: broken });
    const peer = await all.connect();
    peer.write(request());
    await peer.gone();
    await allClosed(all);
    expect(all.logs).toMatchObject([{ level: 'error', code: 'ERR_INTERNAL' }]);
    expect(all.errors).toMatchObject([{ error: { message: 'a mistake in a codec' } }]);
  });

  it('of a handler that throws is answered 500, and its neighbours go on', async () => {
    const all = await serving((exchange) => {
      if (exchange.id === 1) throw new Error('a mistake in an app');
      hello(exchange);
    });
    const peer = await all.connect();
    peer.write(Buffer.concat([request(plainGet, { id: 1, flags: 1 }), request(plainGet, { id: 2, flags: 1 })]));
    const replies = await peer.replies(2);
    expect(replies.map(({ stdout }) => stdout.slice(0, 12))).toEqual(['Status: 500 ', 'Status: 200 ']);
    expect(all.errors).toMatchObject([{ error: { message: 'a mistake in an app' } }]);
  });

  it('of a taker of a body that throws is answered 500', async () => {
    const all = await serving((exchange) => {
      exchange.input.attach({
        data() {
          throw new Error('a mistake in a taker');
        },
        end() {},
        error() {},
      });
      exchange.input.pull();
    });
    const peer = await all.connect();
    peer.write(request(post, { flags: 1, body: 'x'.repeat(100) }));
    expect((await peer.reply()).stdout).toMatch(/^Status: 500 /);
    expect(all.errors).toMatchObject([{ error: { message: 'a mistake in a taker' } }]);
  });
});
