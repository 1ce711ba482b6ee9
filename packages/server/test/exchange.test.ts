import { describe, expect, it, jest } from '@jest/globals';
import { AbortError, type Exchange, type LimitName, LocalProtocolError } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { begin, pairs, params, plainGet, request, stdin, until } from '@postern/testkit';
import type { Peer } from './support/peer.ts';
import { hello, type Serving, serving, silent, turns } from './support/serving.ts';

const keep = { flags: 1 };
const post = { ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '100' };
const postHead = Buffer.concat([begin(1, 1), params(pairs(post)), params()]);

/** A request that is running, and its peer. */
async function running(
  bytes: Buffer = request(plainGet, keep),
  limits: Partial<Record<LimitName, number>> = {},
): Promise<{ all: Serving; peer: Peer; exchange: Exchange }> {
  const all = await serving(silent, { limits });
  const peer = await all.connect();
  peer.write(bytes);
  return { all, peer, exchange: await all.asked() };
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return error instanceof LocalProtocolError ? error.code : `no LocalProtocolError: ${String(error)}`;
  }
  return 'nothing was thrown';
}

describe('an answer', () => {
  it('can be given once: a second respond or start throws ERR_HEADERS_SENT, and the wire has one reply', async () => {
    const { peer, exchange } = await running();
    exchange.respond(200, 'OK', [], 'first');
    expect(codeOf(() => exchange.respond(200, 'OK', [], 'second'))).toBe('ERR_HEADERS_SENT');
    expect(codeOf(() => exchange.start(200, 'OK', []))).toBe('ERR_HEADERS_SENT');
    await peer.reply();
    await turns();
    expect(peer.partial).toMatchObject([{ stdout: 'Status: 200 OK\r\n\r\nfirst' }]);
  });

  it('that has begun throws ERR_HEADERS_SENT at a further respond or start, and goes on', async () => {
    const { peer, exchange } = await running();
    const writer = exchange.start(200, 'OK', []);
    expect(codeOf(() => exchange.start(200, 'OK', []))).toBe('ERR_HEADERS_SENT');
    expect(codeOf(() => exchange.respond(200, 'OK', [], 'second'))).toBe('ERR_HEADERS_SENT');
    writer.write('first');
    writer.end();
    expect((await peer.reply()).stdout).toBe('Status: 200 OK\r\n\r\nfirst');
  });

  it('behind one that failed throws ERR_HEADERS_SENT', async () => {
    const { peer, exchange } = await running();
    exchange.fail(new Error('secret'));
    expect(codeOf(() => exchange.respond(200, 'OK', [], 'second'))).toBe('ERR_HEADERS_SENT');
    expect((await peer.reply()).stdout).toMatch(/^Status: 500 /);
  });

  it.each([
    ['a status below 200', 'ERR_STATUS', 199, 'OK', []],
    ['a status that is no whole number', 'ERR_STATUS', 200.5, 'OK', []],
    ['a status above 999', 'ERR_STATUS', 1000, 'OK', []],
    ['a line end in the reason', 'ERR_HEADER_VALUE', 200, 'OK\r\nA: b', []],
    ['a header name that is no token', 'ERR_HEADER_NAME', 200, 'OK', ['a b', 'c']],
    ['a line end in a value', 'ERR_HEADER_VALUE', 200, 'OK', ['A', 'b\r\nSet-Cookie: c']],
    ['NUL in a value', 'ERR_HEADER_VALUE', 200, 'OK', ['A', '\0']],
    ['a Content-Length that is no number', 'ERR_CONTENT_LENGTH', 200, 'OK', ['Content-Length', 'many']],
    ['two Content-Lengths', 'ERR_CONTENT_LENGTH', 200, 'OK', ['Content-Length', '5', 'content-length', '6']],
    ['a Content-Length that is too small', 'ERR_BODY_LONG', 200, 'OK', ['Content-Length', '4']],
    ['a Content-Length that is too large', 'ERR_BODY_CUT', 200, 'OK', ['Content-Length', '6']],
    ['too many headers', 'ERR_HEADER_BLOCK', 200, 'OK', Array.from({ length: 514 }, () => 'x')],
    ['too many bytes of headers', 'ERR_HEADER_BLOCK', 200, 'OK', ['A', 'x'.repeat(70_000)]],
  ])(
    'with %s throws %s before anything is sent, and a 500 is still possible',
    async (_, code, status, reason, headers) => {
      const { peer, exchange } = await running();
      expect(codeOf(() => exchange.respond(status, reason, headers, 'hello'))).toBe(code);
      if (!code.startsWith('ERR_BODY')) expect(codeOf(() => exchange.start(status, reason, headers))).toBe(code);
      expect(exchange.started).toBe(false);
      expect(exchange.over).toBe(false);
      await turns();
      expect(peer.size).toBe(0);
      exchange.fail(new Error('what was tried'));
      expect((await peer.reply()).stdout).toMatch(/^Status: 500 Internal Server Error\r\n/);
    },
  );

  it('leaves out the headers that the web server owns', async () => {
    const { peer, exchange } = await running();
    exchange.respond(
      200,
      'OK',
      ['Connection', 'close', 'A', 'b', 'Transfer-Encoding', 'chunked', 'Status', '500'],
      null,
    );
    expect((await peer.reply()).stdout).toBe('Status: 200 OK\r\nA: b\r\n\r\n');
  });

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 205],
    ['GET', 304],
  ])(
    'to %s with status %i goes without its body, whole and streamed, and the next request is in step',
    async (method, status) => {
      const { all, peer, exchange } = await running(request({ ...plainGet, REQUEST_METHOD: method }, keep));
      exchange.respond(status, 'Fine', ['Content-Length', '5'], 'hello');
      peer.write(request({ ...plainGet, REQUEST_METHOD: method }, keep));
      const writer = (await all.asked(2)).start(status, 'Fine', ['Content-Length', '5']);
      expect(writer.write('more than five bytes')).toBe(true);
      writer.end();
      peer.write(request(plainGet, keep));
      hello(await all.asked(3));
      const head = `Status: ${status} Fine\r\nContent-Length: 5\r\n\r\n`;
      expect((await peer.replies(3)).map(({ stdout }) => stdout)).toEqual([
        head,
        head,
        'Status: 200 OK\r\nContent-Type: text/plain\r\n\r\nhello',
      ]);
      expect(all.errors).toEqual([]);
    },
  );

  it('of text is UTF-8, whole and streamed', async () => {
    const { all, peer, exchange } = await running();
    exchange.respond(200, 'OK', ['Content-Length', '6'], '\u20acé\n');
    peer.write(request(plainGet, keep));
    const writer = (await all.asked(2)).start(200, 'OK', ['Content-Length', '6']);
    writer.write('\u20acé\n');
    writer.end();
    const bodies = (await peer.replies(2)).map(({ stdout }) =>
      Buffer.from(stdout.split('\r\n\r\n')[1], 'latin1').toString(),
    );
    expect(bodies).toEqual(['\u20acé\n', '\u20acé\n']);
  });

  it.each([65_535, 65_536, 65_537, 3_000_000])('of %i bytes in memory arrives as it was', async (size) => {
    const body = Buffer.alloc(size);
    for (let i = 0; i < size; i++) body[i] = i * 7;
    const { peer, exchange } = await running();
    exchange.respond(200, 'OK', ['Content-Length', String(size)], body);
    const { stdout } = await peer.reply();
    const got = Buffer.from(stdout.slice(stdout.indexOf('\r\n\r\n') + 4), 'latin1');
    expect(got.equals(body)).toBe(true);
  });

  it('has no interim form where it does not pass, and no upgrade where none is asked for', async () => {
    const { exchange } = await running();
    expect(exchange.inform(103, [])).toBe(false);
    expect(exchange.upgradable).toBe(false);
    expect(codeOf(() => exchange.upgrade(101, []))).toBe('ERR_UPGRADE');
    expect(exchange.started).toBe(false);
  });
});

describe('a failure', () => {
  it('before the head is a 500 without its text, with the cause on STDERR and to onError', async () => {
    const { all, peer, exchange } = await running();
    const error = new Error('the password is "hunter2"\nand more');
    exchange.fail(error);
    const reply = await peer.reply();
    expect(reply.stdout).toBe(
      'Status: 500 Internal Server Error\r\nContent-Type: text/plain\r\nContent-Length: 26\r\n\r\n500 Internal Server Error\n',
    );
    expect(reply.stderr).toContain('hunter2');
    expect(reply.stderr.trimEnd()).not.toContain('\n');
    expect(all.errors).toEqual([{ error, exchange }]);
    expect(exchange.over).toBe(true);
    // the connection is in order
    peer.write(request(plainGet, keep));
    hello(await all.asked(2));
    expect((await peer.replies(2))[1].stdout).toContain('hello');
  });

  it('behind the head poisons a connection on which nothing else runs: no END_REQUEST, and it closes', async () => {
    const { all, peer, exchange } = await running();
    const over: unknown[] = [];
    exchange.onOver((error) => over.push(error));
    const { signal } = exchange;
    const writer = exchange.start(200, 'OK', []);
    writer.write('begun');
    await peer.when(() => peer.text.includes('begun'));
    const error = new Error('half-way');
    exchange.fail(error);
    await peer.when(() => peer.ended);
    expect(peer.text.endsWith('\0\0\0\0\0\0\0\0')).toBe(true);
    const records = peer.bytes.subarray(0, -8);
    expect(records.includes(Buffer.from([1, 3, 0, 1, 0, 8]))).toBe(false);
    expect(all.errors).toEqual([{ error, exchange }]);
    expect(signal.reason).toBeInstanceOf(AbortError);
    expect((signal.reason as AbortError).cause).toBe(error);
    expect(over).toEqual([signal.reason]);
    expect(writer.closed).toBe(true);
  });

  it('behind the head ends its id alone where others run', async () => {
    const two = Buffer.concat([request(plainGet, { id: 1, flags: 1 }), request(plainGet, { id: 2, flags: 1 })]);
    const { all, peer } = await running(two);
    await all.asked(2);
    all.exchanges[0].start(200, 'OK', []).write('begun');
    await peer.when(() => peer.text.includes('begun'));
    all.exchanges[0].fail(new Error('half-way'));
    hello(all.exchanges[1]);
    const replies = await peer.replies(2);
    expect(replies.map(({ id, end }) => [id, end])).toEqual([
      [1, '0000000100000000'],
      [2, '0000000000000000'],
    ]);
    expect(peer.ended).toBe(false);
  });

  it.each([
    ['undefined', undefined],
    ['an object without a prototype', Object.create(null)],
    [
      'an error whose properties throw',
      Object.defineProperty(new Error('x'), 'stack', {
        get: () => {
          throw new Error('no');
        },
      }),
    ],
    ['a symbol', Symbol('x')],
    [
      'a proxy that throws',
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('no');
          },
        },
      ),
    ],
  ])('that is %s is answered 500 too', async (_, error) => {
    const { all, peer, exchange } = await running();
    expect(() => exchange.fail(error)).not.toThrow();
    expect((await peer.reply()).stdout).toMatch(/^Status: 500 /);
    expect(all.errors).toHaveLength(1);
    peer.write(request(plainGet, keep));
    hello(await all.asked(2));
    await peer.replies(2);
  });

  it('never throws, whatever state the exchange is in', async () => {
    const { all, peer, exchange } = await running();
    exchange.start(200, 'OK', []).end();
    await peer.reply();
    expect(() => exchange.fail(new Error('behind the end'))).not.toThrow();
    peer.socket.destroy();
    await until(
      () => all.server.connections,
      (count) => count === 0,
    );
    expect(() => exchange.fail(new Error('behind the connection'))).not.toThrow();
    expect(all.errors.map(({ error }) => (error as Error).message)).toEqual([
      'behind the end',
      'behind the connection',
    ]);
  });

  it('is answered 500 where the limits leave no room for a header', async () => {
    const { peer, exchange } = await running(undefined, { maxReplyHeaders: 1, maxReplyHeaderBytes: 1 });
    exchange.fail(new Error('x'));
    expect((await peer.reply()).stdout).toMatch(/^Status: 500 /);
  });

  it('to HEAD has no body', async () => {
    const { peer, exchange } = await running(request({ ...plainGet, REQUEST_METHOD: 'HEAD' }, keep));
    exchange.fail(new Error('x'));
    expect((await peer.reply()).stdout.endsWith('\r\n\r\n')).toBe(true);
  });

  it('of a body that is too long for its reader is 413, and no failure of the application', async () => {
    const { all, peer, exchange } = await running(postHead);
    exchange.input.bytes(10).catch((error: unknown) => exchange.fail(error));
    expect((await peer.reply()).stdout).toMatch(/^Status: 413 Content Too Large\r\n/);
    expect(all.errors).toEqual([]);
  });
});

describe('the error log', () => {
  it('is STDERR, with controls made safe', async () => {
    const { peer, exchange } = await running();
    exchange.errors.write('one\u001b[31m\ntwo');
    exchange.errors.write('');
    hello(exchange);
    expect((await peer.reply()).stderr).toBe('one\\x1b[31m\ntwo\n');
  });

  it("is the process's own where the protocol reaches no other", async () => {
    const { carriesLog, ...deaf } = fastcgi;
    expect(carriesLog).toBe(true);
    const all = await serving(silent, { protocol: deaf });
    const peer = await all.connect();
    peer.write(request(plainGet, keep));
    const exchange = await all.asked();
    const write = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    exchange.errors.write('for the operator\u0007');
    const lines = write.mock.calls.map(([text]) => text);
    write.mockRestore();
    expect(lines).toEqual(['for the operator\\x07\n']);
    exchange.fail(new Error('x'));
    expect((await peer.reply()).stderr).toBe('');
    expect(all.errors).toHaveLength(1);
  });
});

describe('the end of an exchange', () => {
  it('is told once to each listener, undefined where the reply was complete', async () => {
    const { exchange } = await running();
    const told: unknown[] = [];
    exchange.onOver((error) => told.push(['a', error]));
    exchange.onOver((error) => told.push(['b', error]));
    exchange.onOver((error) => told.push(['c', error]));
    hello(exchange);
    exchange.onOver((error) => told.push(['d', error]));
    expect(told).toEqual(['a', 'b', 'c', 'd'].map((name) => [name, undefined]));
    expect(exchange.signal.aborted).toBe(false);
  });

  it('is told to the others although one of them throws', async () => {
    const { all, peer, exchange } = await running();
    const told: unknown[] = [];
    exchange.onOver(() => {
      throw new Error('a mistake in a listener');
    });
    exchange.onOver((error) => told.push(error));
    hello(exchange);
    expect(told).toEqual([undefined]);
    await peer.reply();
    expect(all.errors).toMatchObject([{ error: { message: 'a mistake in a listener' } }]);
  });

  it('by an abort lets a signal that is asked for later be aborted already', async () => {
    const { all, peer, exchange } = await running();
    peer.socket.destroy();
    await until(
      () => all.server.connections,
      (count) => count === 0,
    );
    expect(exchange.signal.aborted).toBe(true);
    expect(exchange.signal.reason).toMatchObject({ name: 'AbortError', code: 'ERR_ABORTED' });
    expect(() => exchange.signal.throwIfAborted()).toThrow(AbortError);
    exchange.respond(200, 'OK', [], 'for nobody');
    expect(exchange.start(200, 'OK', []).closed).toBe(true);
    await expect(exchange.input.bytes()).resolves.toHaveLength(0);
  });

  it('does not leave a reader of the body waiting', async () => {
    const { peer, exchange } = await running(postHead);
    hello(exchange);
    await peer.reply();
    await expect(exchange.input.bytes()).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });

  it('fails the reader that was at work, which is no failure of the application', async () => {
    const { all, peer, exchange } = await running(postHead);
    const reading = exchange.input.bytes();
    hello(exchange);
    await expect(reading).rejects.toMatchObject({ name: 'AbortError', code: 'ERR_ABORTED' });
    exchange.fail(await reading.catch((error: unknown) => error));
    await peer.reply();
    expect(all.errors).toEqual([]);
  });
});

describe('what is not touched', () => {
  it('is not built: no environ, body, signal', async () => {
    const { exchange } = await running();
    const controller = jest.spyOn(globalThis, 'AbortController');
    hello(exchange);
    expect(controller).not.toHaveBeenCalled();
    controller.mockRestore();
    expect(exchange.environ).toBe(exchange.environ);
    expect(exchange.input).toBe(exchange.input);
    expect(exchange.signal).toBe(exchange.signal);
  });

  it('is told whether all of the body has come', async () => {
    const { peer, exchange } = await running(postHead);
    expect(exchange.inputComplete).toBe(false);
    peer.write(Buffer.concat([stdin('x'.repeat(100)), stdin()]));
    expect(await until(() => exchange.inputComplete, Boolean)).toBe(true);
    expect((await running()).exchange.inputComplete).toBe(true);
  });

  it('is told of its connection by the environ', async () => {
    const all = await serving(silent, { mount: '/app' });
    const peer = await all.connect();
    peer.write(request({ ...plainGet, REQUEST_URI: '/app/x?q', PATH_INFO: '', SCRIPT_NAME: '/app/x' }, keep));
    const { environ, protocol, id } = await all.asked();
    expect([environ.SCRIPT_NAME, environ.PATH_INFO, protocol, id]).toEqual(['/app', '/x', 'fastcgi', 1]);
    expect(environ['gateway.protocol']).toBe('fastcgi');
  });
});

describe('maxBody', () => {
  it('is answered 413 from the declared length, without the application', async () => {
    const all = await serving(hello, { limits: { maxBody: 99 } });
    const peer = await all.connect();
    peer.write(postHead);
    expect((await peer.reply()).stdout).toMatch(/^Status: 413 Content Too Large\r\n/);
    expect(all.exchanges).toEqual([]);
  });

  it('lets a body of just that length through', async () => {
    const all = await serving(async (exchange) => exchange.respond(200, 'OK', [], await exchange.input.bytes()), {
      limits: { maxBody: 100 },
    });
    const peer = await all.connect();
    peer.write(request(post, { flags: 1, body: 'x'.repeat(100) }));
    expect((await peer.reply()).stdout).toBe(`Status: 200 OK\r\n\r\n${'x'.repeat(100)}`);
  });

  const open = { ...plainGet, REQUEST_METHOD: 'POST' };
  const openHead = Buffer.concat([begin(1, 1), params(pairs(open)), params()]);

  it('is answered 413 when a body of unknown length grows above it, and its reader is told', async () => {
    const { all, peer, exchange } = await running(openHead, { maxBody: 100 });
    const reading = exchange.input.bytes();
    peer.write(stdin('x'.repeat(100)));
    await turns();
    expect(exchange.over).toBe(false);
    peer.write(stdin('x'));
    await expect(reading).rejects.toMatchObject({ code: 'ERR_BODY_LIMIT', statusHint: 413 });
    expect((await peer.reply()).stdout).toMatch(/^Status: 413 /);
    expect(exchange.signal.reason).toMatchObject({ code: 'ERR_BODY_LIMIT' });
    // the rest is thrown away, and the connection is in order
    peer.write(Buffer.concat([stdin('x'.repeat(1000)), stdin(), request(plainGet, keep)]));
    hello(await all.asked(2));
    expect((await peer.replies(2))[1].stdout).toContain('hello');
  });

  it('is answered 413 also where nobody reads the body', async () => {
    const { peer } = await running(openHead, { maxBody: 100 });
    peer.write(stdin('x'.repeat(101)));
    expect((await peer.reply()).stdout).toMatch(/^Status: 413 /);
  });

  it('breaks a reply off that has begun', async () => {
    const { peer, exchange } = await running(openHead, { maxBody: 100 });
    exchange.start(200, 'OK', []).write('begun');
    await peer.when(() => peer.text.includes('begun'));
    peer.write(stdin('x'.repeat(101)));
    await peer.when(() => peer.ended);
    expect(peer.text.endsWith('\0\0\0\0\0\0\0\0')).toBe(true);
  });
});

describe('a 413 of the application while a 2 MB upload goes on', () => {
  const length = 2_000_000;
  const variables = { ...post, CONTENT_LENGTH: String(length) };

  it.each([
    ['kept open', 1],
    ['to be closed', 0],
  ])('is delivered, and the rest is taken, on a connection that is %s', async (_, flags) => {
    const all = await serving((exchange) => exchange.respond(413, 'Content Too Large', [], 'too much'));
    const peer = await all.connect();
    peer.write(Buffer.concat([begin(1, flags), params(pairs(variables)), params()]));
    expect((await peer.reply()).stdout).toContain('too much');
    let sent = 0;
    const piece = stdin(Buffer.alloc(50_000));
    for (let at = 0; at < length; at += 50_000) {
      await new Promise((resolve) => peer.socket.write(piece, resolve));
      sent += 50_000;
    }
    await new Promise((resolve) => peer.socket.write(stdin(), resolve));
    expect(sent).toBe(length);
    expect(peer.error).toBeUndefined();
    if (flags === 1) {
      peer.write(request(plainGet, keep));
      await all.asked(2);
      expect(await peer.replies(2)).toHaveLength(2);
    } else {
      await peer.when(() => peer.ended);
      peer.socket.end();
      // above lingerBytes nothing is read, not even the end: the clock sees to it
      all.clock.advance(2500);
      await until(
        () => all.server.connections,
        (count) => count === 0,
      );
    }
  });
});
