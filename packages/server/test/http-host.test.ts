import { describe, expect, it } from '@jest/globals';
import type { BodyWriter, Exchange, Handler } from '@postern/core';
import { until } from '@postern/testkit';
import { http } from '../src/http-protocol.ts';
import { asked, httpReplies, httpRequest, repliesOf } from './support/http-peer.ts';
import { hello, type ServeOptions, type Serving, serving, silent, turns } from './support/serving.ts';
import { allClosed, expectAbort, listenTo } from './support/told.ts';

function httpServing(handler: Handler, options: ServeOptions = {}): Promise<Serving> {
  return serving(handler, { protocol: http(), ...options });
}

/** Answers with all of the request's body. */
async function echo(exchange: Exchange): Promise<void> {
  try {
    exchange.respond(200, 'OK', [], await exchange.input.bytes(100_000_000));
  } catch (error) {
    exchange.fail(error);
  }
}

describe('a reply in memory', () => {
  it('has the length of its body, and keeps status, reason and repeated fields', async () => {
    const all = await httpServing((exchange) =>
      exchange.respond(299, 'Quite Fine', ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Y', '\xe9'], 'caf\u00e9'),
    );
    const { status, reason, fields, body } = await asked(all, 'GET /');
    expect([status, reason, body]).toEqual([299, 'Quite Fine', 'caf\xc3\xa9']);
    expect(fields).toMatchObject({ 'set-cookie': 'a=1\nb=2', 'x-y': '\xe9', 'content-length': '5' });
    expect(fields.date).toMatch(/GMT$/);
    expect(all.exchanges[0].protocol).toBe('http');
  });

  it.each<[string, number, string[], string | null, Record<string, string | undefined>]>([
    ['GET', 200, [], null, { 'content-length': '0' }],
    ['HEAD', 200, ['Content-Length', '5'], null, { 'content-length': '5' }],
    ['HEAD', 200, [], 'hello', { 'content-length': undefined, 'transfer-encoding': undefined }],
    ['GET', 204, ['Content-Length', '5'], null, { 'content-length': undefined, 'transfer-encoding': undefined }],
    ['GET', 205, ['Content-Length', '5'], null, { 'content-length': '0' }],
    ['GET', 304, ['Content-Length', '5'], null, { 'content-length': '5' }],
  ])(
    'to %s with status %i and %j has no body, and the connection goes on',
    async (method, status, headers, body, sent) => {
      const all = await httpServing((exchange) => exchange.respond(status, 'X', [...headers], body));
      const peer = await all.connect();
      for (let i = 1; i <= 2; i++) {
        peer.write(httpRequest(`${method} /`));
        const replies = await httpReplies(peer, i, [method, method]);
        expect(replies[i - 1]).toMatchObject({ status, body: '' });
        for (const [name, value] of Object.entries(sent)) expect(replies[i - 1].fields[name]).toBe(value);
      }
    },
  );

  it.each([65_536, 65_537, 5_000_000])('of %i bytes arrives whole', async (size) => {
    const all = await httpServing((exchange) => exchange.respond(200, 'OK', [], Buffer.alloc(size, 'abcde')));
    expect((await asked(all, 'GET /')).body).toBe('abcde'.repeat(size / 5 + 1).slice(0, size));
  });
});

describe('a streamed reply', () => {
  it('shows its head before its body, and each piece as it is written', async () => {
    let writer: BodyWriter | undefined;
    const all = await httpServing((exchange) => {
      writer = exchange.start(200, 'OK', ['X-A', '1']);
    });
    const peer = await all.connect();
    peer.write(httpRequest('GET /'));
    await peer.when(() => peer.text.endsWith('\r\n\r\n'));
    writer?.write('one');
    await peer.when(() => peer.text.endsWith('3\r\none\r\n'));
    writer?.write('two');
    writer?.end();
    expect((await httpReplies(peer))[0]).toMatchObject({ body: 'onetwo', fields: { 'x-a': '1' } });
  });

  it('waits for a client that does not read', async () => {
    let written = 0;
    let woken = 0;
    const all = await httpServing((exchange) => {
      const writer = exchange.start(200, 'OK', []);
      const more = (): void => {
        while (written < 60_000_000) {
          written += 100_000;
          if (!writer.write(Buffer.alloc(100_000))) {
            writer.onDrain(() => {
              woken++;
              more();
            });
            return;
          }
        }
        writer.end();
      };
      more();
    });
    const peer = await all.connect();
    peer.socket.pause();
    peer.write(httpRequest('GET /'));
    await all.asked();
    let before = -1;
    await until(
      async () => {
        const still = before === written;
        before = written;
        await turns(20);
        return still;
      },
      (still) => still,
    );
    expect(written).toBeLessThan(30_000_000);
    peer.socket.resume();
    await peer.when(() => peer.size > 60_000_000);
    expect(written).toBe(60_000_000);
    expect(woken).toBeGreaterThan(10);
  });

  it('to a client that leaves without reading stops, and its writer is told', async () => {
    let written = 0;
    const all = await httpServing(async (exchange) => {
      const writer = exchange.start(200, 'OK', []);
      for (; written < 1_000_000_000 && !writer.closed; written += 100_000)
        if (!writer.write(Buffer.alloc(100_000))) await new Promise<void>((resolve) => writer.onDrain(resolve));
      writer.end();
    });
    const peer = await all.connect();
    peer.socket.pause();
    peer.write(httpRequest('GET /'));
    const told = listenTo(await all.asked());
    await until(() => all.sockets[0].writableNeedDrain, Boolean);
    const before = written;
    peer.socket.resetAndDestroy();
    await allClosed(all);
    expectAbort(told);
    expect(written).toBeLessThan(before + 10_000_000);
    expect(all.errors).toEqual([]);
  });

  it.each([1000, 1_000_000])('wakes its writer with a replyHighWater of %i', async (replyHighWater) => {
    const all = await httpServing(
      async (exchange) => {
        const writer = exchange.start(200, 'OK', []);
        for (let i = 0; i < 50; i++)
          if (!writer.write(Buffer.alloc(50_000))) await new Promise<void>((resolve) => writer.onDrain(resolve));
        writer.end();
      },
      { limits: { replyHighWater } },
    );
    expect((await asked(all, 'GET /')).body).toHaveLength(2_500_000);
  });

  it.each([
    ['HTTP/1.1 without a length', 'HTTP/1.1', [], undefined],
    ['HTTP/1.1 with a length', 'HTTP/1.1', ['Content-Length', '100'], undefined],
    ['HTTP/1.0, which ends with its connection', 'HTTP/1.0', [], 'ECONNRESET'],
  ])('that breaks off does not look complete: %s', async (_, version, headers, reset) => {
    let fail: ((error: Error) => void) | undefined;
    const all = await httpServing((exchange) => {
      exchange.start(200, 'OK', headers).write('some of it');
      fail = (error) => exchange.fail(error);
    });
    const peer = await all.connect();
    peer.write(Buffer.from(`GET / ${version}\r\nHost: x\r\n\r\n`));
    await peer.when(() => peer.text.includes('some of it'));
    fail?.(new Error('secret'));
    await peer.gone();
    expect(peer.error).toBe(reset);
    if (reset === undefined) expect(repliesOf(peer)).toEqual([]);
    expect(all.errors).toMatchObject([{ error: { message: 'secret' } }]);
    expect(peer.text).not.toContain('secret');
  });

  it('to HTTP/1.0 ends with its connection', async () => {
    const all = await httpServing((exchange) => {
      const writer = exchange.start(200, 'OK', []);
      writer.write('all of it');
      writer.end();
    });
    const peer = await all.connect();
    peer.write(Buffer.from('GET / HTTP/1.0\r\n\r\n'));
    const [reply] = await httpReplies(peer);
    expect(reply).toMatchObject({ body: 'all of it', fields: { connection: 'close' } });
    expect(reply.fields['transfer-encoding']).toBeUndefined();
    expect(peer.error).toBeUndefined();
  });
});

describe('a request body', () => {
  it.each([
    ['of a stated length', ['Content-Length: 5'], 'hello'],
    ['in chunks', ['Transfer-Encoding: chunked'], '2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n'],
  ])('%s comes whole, whatever the method', async (_, fields, body) => {
    const all = await httpServing(echo);
    for (const method of ['POST', 'GET', 'DELETE'])
      expect((await asked(all, `${method} /`, fields, body)).body).toBe('hello');
  });

  it('that is none is over at once', async () => {
    const all = await httpServing(echo);
    for (const fields of [[], ['Content-Length: 0']]) expect((await asked(all, 'POST /', fields)).body).toBe('');
    for (const exchange of all.exchanges) expect(exchange.input.complete).toBe(true);
  });

  it('waits in the client while nobody asks for more', async () => {
    const all = await httpServing(silent, { limits: { appTimeout: 0 } });
    const peer = await all.connect();
    peer.write(httpRequest('POST /', ['Content-Length: 60000000']));
    for (let i = 0; i < 600; i++) peer.socket.write(Buffer.alloc(100_000));
    const exchange = await all.asked();
    const reader = exchange.input[Symbol.asyncIterator]();
    await reader.next();
    let before = -1;
    await until(
      async () => {
        const { bytesRead } = all.sockets[0];
        const still = before === bytesRead;
        before = bytesRead;
        await turns(20);
        return still;
      },
      (still) => still,
    );
    expect(before).toBeLessThan(1_000_000);
    let size = 0;
    for (;;) {
      const step = await reader.next();
      if (step.done) break;
      size += step.value.length;
    }
    expect(size).toBeGreaterThan(59_000_000);
    exchange.respond(200, 'OK', [], 'done');
    expect((await httpReplies(peer))[0].body).toBe('done');
  });

  it('that is not read is thrown away behind the reply, and the connection carries the next request', async () => {
    const all = await httpServing(hello);
    const peer = await all.connect();
    peer.write(httpRequest('POST /', ['Content-Length: 3000000']));
    expect((await httpReplies(peer))[0].body).toBe('hello');
    peer.write(Buffer.alloc(3_000_000));
    peer.write(httpRequest('GET /'));
    expect(await httpReplies(peer, 2)).toHaveLength(2);
  });

  it('is thrown away too when only its beginning was read', async () => {
    const all = await httpServing(async (exchange) => {
      for await (const chunk of exchange.input) {
        exchange.respond(200, 'OK', [], `first ${chunk.length > 0}`);
        break;
      }
    });
    const peer = await all.connect();
    peer.write(httpRequest('POST /', ['Content-Length: 3000000'], 'x'));
    await httpReplies(peer);
    peer.write(Buffer.alloc(2_999_999));
    peer.write(httpRequest('POST /', ['Content-Length: 1'], 'y'));
    expect((await httpReplies(peer, 2))[1].body).toBe('first true');
  });

  it('that breaks off is told of, and nothing is answered', async () => {
    const all = await httpServing(silent);
    const peer = await all.connect();
    peer.write(httpRequest('POST /', ['Content-Length: 10'], 'half'));
    const exchange = await all.asked();
    const told = listenTo(exchange);
    const reading = exchange.input.bytes();
    reading.catch(() => {});
    peer.socket.destroy();
    await expect(reading).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expectAbort(told);
  });
});

describe('maxBody', () => {
  const limits = { maxBody: 1000 };

  it('refuses a longer declared length with 413 before the app is asked, and closes', async () => {
    const all = await httpServing(echo, { limits });
    const { status, fields, peer } = await asked(all, 'POST /', ['Content-Length: 1001']);
    expect([status, fields.connection]).toEqual([413, 'close']);
    expect((await asked(all, 'POST /', ['Content-Length: 1000'], 'x'.repeat(1000))).status).toBe(200);
    expect(all.exchanges).toHaveLength(1);
    await peer.when(() => peer.ended);
  });

  it('refuses a chunked body when it becomes longer', async () => {
    const all = await httpServing(echo, { limits });
    const peer = await all.connect();
    peer.write(httpRequest('POST /', ['Transfer-Encoding: chunked'], `3e8\r\n${'x'.repeat(1000)}\r\n`));
    await all.asked();
    await turns();
    expect(peer.size).toBe(0);
    peer.write(Buffer.from('1\r\nx\r\n'));
    expect((await httpReplies(peer))[0]).toMatchObject({ status: 413, fields: { connection: 'close' } });
  });

  it('lets a client read the refusal although it still sends', async () => {
    const all = await httpServing(echo, { limits: { ...limits, lingerBytes: 500_000 } });
    const peer = await all.connect();
    peer.write(httpRequest('POST /', ['Content-Length: 400000']));
    for (let i = 0; i < 4; i++) peer.write(Buffer.alloc(100_000));
    expect((await httpReplies(peer))[0].status).toBe(413);
    await peer.when(() => peer.ended);
    expect(peer.error).toBeUndefined();
  });
});

describe('Expect: 100-continue', () => {
  const fields = ['Content-Length: 5', 'Expect: 100-continue'];

  it('is answered when the body is asked for', async () => {
    const all = await httpServing(silent);
    const peer = await all.connect();
    peer.write(httpRequest('POST /', fields));
    const exchange = await all.asked();
    await turns();
    expect(peer.size).toBe(0);
    const body = exchange.input.text();
    await peer.when(() => peer.text === 'HTTP/1.1 100 Continue\r\n\r\n');
    peer.write(Buffer.from('hello'));
    expect(await body).toBe('hello');
    exchange.respond(200, 'OK', [], 'x');
    expect((await httpReplies(peer, 2))[1].fields.connection).toBe('keep-alive');
  });

  it('is not answered where the app does not want the body: the connection closes behind the reply', async () => {
    const all = await httpServing(hello);
    const { status, fields: answered, peer } = await asked(all, 'POST /', fields);
    expect([status, answered.connection]).toEqual([200, 'close']);
    await peer.when(() => peer.ended);
  });

  it('can be answered by the app', async () => {
    const informed: boolean[] = [];
    const all = await httpServing((exchange) => {
      informed.push(exchange.inform(100, []));
      exchange.respond(200, 'OK', [], 'x');
    });
    const peer = await all.connect();
    peer.write(httpRequest('POST /', fields, 'hello'));
    expect((await httpReplies(peer, 2)).map(({ status }) => status)).toEqual([100, 200]);
    expect(informed).toEqual([true]);
  });
});

describe('an interim reply', () => {
  it('of 102 and 103 goes out before the final one', async () => {
    const informed: boolean[] = [];
    const all = await httpServing((exchange) => {
      informed.push(exchange.inform(102, []));
      informed.push(exchange.inform(103, ['Link', '</a.css>; rel=preload; as=style', 'X-A', '1']));
      exchange.respond(200, 'OK', [], 'x');
    });
    const peer = await all.connect();
    peer.write(httpRequest('GET /'));
    const replies = await httpReplies(peer, 3);
    expect(replies.map(({ status }) => status)).toEqual([102, 103, 200]);
    expect(replies[1].fields).toMatchObject({ link: '</a.css>; rel=preload; as=style', 'x-a': '1' });
    expect(informed).toEqual([true, true]);
  });

  it('is not sent where it cannot be: another status, no link, to HTTP/1.0, behind the head', async () => {
    const informed: boolean[] = [];
    const all = await httpServing((exchange) => {
      informed.push(exchange.inform(199, []));
      informed.push(exchange.inform(103, []));
      informed.push(exchange.inform(103, ['Link', 'no link']));
      const old = exchange.head.protocol === 'HTTP/1.0';
      if (old) informed.push(exchange.inform(102, []));
      exchange.respond(200, 'OK', [], 'x');
      informed.push(exchange.inform(102, []));
    });
    const peer = await all.connect();
    peer.write(httpRequest('GET /'));
    expect(await httpReplies(peer)).toMatchObject([{ status: 200 }]);
    expect(informed).toEqual([false, false, false, false]);
    const old = await all.connect();
    old.write(Buffer.from('GET / HTTP/1.0\r\n\r\n'));
    expect(await httpReplies(old)).toMatchObject([{ status: 200 }]);
    expect(informed.slice(4)).toEqual([false, false, false, false, false]);
  });

  it('with a header that may not be sent throws', async () => {
    const all = await httpServing((exchange) => exchange.inform(103, ['Link', 'a\r\nb']) as never);
    expect((await asked(all, 'GET /')).status).toBe(500);
    expect(all.errors).toMatchObject([{ error: { code: 'ERR_HEADER_VALUE' } }]);
  });
});

describe('a failing app', () => {
  it('is answered with a bare 500, and the connection goes on', async () => {
    const all = await httpServing((exchange) => {
      if (exchange.id === 1) throw new Error('secret');
      hello(exchange);
    });
    const peer = await all.connect();
    peer.write(httpRequest('GET /'));
    const [reply] = await httpReplies(peer);
    expect(reply).toMatchObject({ status: 500, body: '500 Internal Server Error\n' });
    expect(all.errors).toMatchObject([{ error: { message: 'secret' } }]);
    peer.write(httpRequest('GET /'));
    expect((await httpReplies(peer, 2))[1].status).toBe(200);
  });

  it('that throws where it listens to the body fails its request', async () => {
    const all = await httpServing((exchange) => {
      exchange.input.attach({
        data: () => {
          throw new Error('in data');
        },
        end() {},
        error() {},
      });
      exchange.input.pull();
    });
    expect((await asked(all, 'POST /', ['Content-Length: 5'], 'hello')).status).toBe(500);
  });
});

it('a client that leaves is told to the app', async () => {
  const all = await httpServing(silent);
  const peer = await all.connect();
  peer.write(httpRequest('GET /'));
  const told = listenTo(await all.asked());
  peer.socket.destroy();
  await until(
    () => told.over.length,
    (count) => count === 1,
  );
  expectAbort(told);
  expect(all.errors).toEqual([]);
  expect(all.logs.filter(({ level }) => level !== 'info')).toEqual([]);
});
