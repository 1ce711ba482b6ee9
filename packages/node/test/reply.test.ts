import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished, pipeline, Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { nodeHandler } from '../src/node-handler.ts';
import { type Ask, answer, type FakeExchange, serve } from './fake-exchange.ts';

type Listener = (req: IncomingMessage, res: ServerResponse) => unknown;

/** Runs a listener whose response is looked at from outside. */
function run(listener: Listener, ask?: Ask): { exchange: FakeExchange; req: IncomingMessage; res: ServerResponse } {
  const seen: Partial<{ req: IncomingMessage; res: ServerResponse }> = {};
  const exchange = serve(
    nodeHandler((req, res) => {
      Object.assign(seen, { req, res });
      return listener(req, res);
    }),
    ask,
  );
  return { exchange, req: seen.req as IncomingMessage, res: seen.res as ServerResponse };
}

function note(target: NodeJS.EventEmitter, into: string[], ...events: string[]): void {
  for (const event of events) target.on(event, () => into.push(event));
}

function codeOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return undefined;
}

function writeTwice(_req: IncomingMessage, res: ServerResponse): void {
  res.write('te');
  res.write('xt');
  res.end();
}

function writeBoth(_req: IncomingMessage, res: ServerResponse): void {
  res.write('t');
  res.write(Buffer.from('ex'));
  res.end('t');
}

function writeCorked(_req: IncomingMessage, res: ServerResponse): void {
  res.cork();
  res.write('te');
  res.uncork();
  res.end('xt');
}

describe('a reply that is complete within its tick', () => {
  it.each<[string, Listener, string]>([
    ['end alone', (_req, res) => res.end('text'), 'text'],
    ['writeHead and end', (_req, res) => res.writeHead(200).end('text'), 'text'],
    ['write and end', writeTwice, 'text'],
    ['texts and bytes', writeBoth, 'text'],
    ['corked writes', writeCorked, 'text'],
    ['nothing', (_req, res) => res.end(), ''],
  ])('is one reply in one piece: %s', async (_what, listener, body) => {
    const exchange = await answer(nodeHandler(listener));
    expect(exchange.by).toBe('respond');
    expect(exchange.chunks.length).toBeLessThan(2);
    expect(exchange.body).toBe(body);
    expect(exchange.header('content-length')).toEqual([String(body.length)]);
  });

  it('counts Content-Length in bytes', async () => {
    const exchange = await answer(nodeHandler((_req, res) => res.writeHead(200).end('grün')));
    expect(exchange.header('content-length')).toEqual(['5']);
  });

  it('has the encodings of its texts', async () => {
    const exchange = await answer(
      nodeHandler((_req, res) => {
        res.write('grün', 'utf-8');
        res.write('fc', 'hex');
        res.write('\u00fc', 'latin1');
        res.end('/w==', 'base64');
      }),
    );
    expect(exchange.chunks).toEqual([Buffer.from('6772c3bc6efcfcff', 'hex')]);
  });

  it.each(['HEAD', 'GET'])('to %s has a body only where there may be one', async (method) => {
    const bodies: [number, string | undefined, string][] = [];
    for (const status of [200, 204, 304]) {
      const exchange = await answer(
        nodeHandler((_req, res) => {
          res.statusCode = status;
          res.write('some');
          res.end('text');
        }),
        { method },
      );
      bodies.push([exchange.status, exchange.header('content-length')[0], exchange.body]);
    }
    const ok = method === 'GET' ? [200, '8', 'sometext'] : [200, undefined, ''];
    expect(bodies).toEqual([ok, [204, undefined, ''], [304, undefined, '']]);
  });

  it('keeps the Content-Length that the application gives for HEAD', async () => {
    const exchange = await answer(
      nodeHandler((_req, res) => res.writeHead(200, { 'Content-Length': 1234 }).end()),
      { method: 'HEAD' },
    );
    expect(exchange.header('content-length')).toEqual(['1234']);
  });

  it('has no Content-Length where the application took it away, and no Date of its own', async () => {
    const exchange = await answer(
      nodeHandler((_req, res) => {
        res.removeHeader('content-length');
        res.end('text');
      }),
    );
    expect(exchange.headers).toEqual([]);
  });

  it('has the phrase of the application, else that of Node, and never none', async () => {
    const own = await answer(nodeHandler((_req, res) => res.writeHead(200, 'Fine').end()));
    const standard = await answer(nodeHandler((_req, res) => res.writeHead(404, { a: 'b' }).end()));
    const empty = await answer(nodeHandler((_req, res) => res.writeHead(500, '').end()));
    expect([own.reason, standard.reason, empty.reason]).toEqual(['Fine', 'Not Found', 'Internal Server Error']);
  });

  it('says nothing of the connection', async () => {
    const exchange = await answer(
      nodeHandler((_req, res) => {
        res.setHeader('Connection', 'close');
        res.setHeader('Transfer-Encoding', 'chunked');
        res.setHeader('Keep-Alive', 'timeout=5');
        res.addTrailers({ 'x-late': '1' });
        res.end('text');
      }),
    );
    expect(exchange.headers).toEqual(['Content-Length', '4']);
  });
});

describe('the head of a reply', () => {
  it('is given in each form of writeHead, over what was set before', async () => {
    const forms: Record<string, (res: ServerResponse) => void> = {
      object: (res) => void res.writeHead(201, { 'x-b': '2', 'Set-Cookie': ['a=1', 'b=2'] }),
      phrase: (res) => void res.writeHead(201, 'Made', { 'x-b': '2' }),
      flat: (res) => void res.writeHead(201, ['X-A', '9', 'X-B', '2']),
    };
    const seen: Record<string, unknown> = {};
    for (const [name, form] of Object.entries(forms)) {
      const exchange = await answer(
        nodeHandler((_req, res) => {
          res.setHeader('X-A', '1');
          form(res);
          res.end();
        }),
      );
      seen[name] = [exchange.status, exchange.reason, ...exchange.headers.slice(0, -2)];
    }
    expect(seen).toEqual({
      object: [201, 'Created', 'X-A', '1', 'x-b', '2', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'],
      phrase: [201, 'Made', 'X-A', '1', 'x-b', '2'],
      flat: [201, 'Created', 'X-A', '9', 'X-B', '2'],
    });
  });

  it('can be set, added to, looked at and taken back until it is sent', () => {
    const { exchange, res } = run((_req, response) => {
      response.setHeader('a', '1');
      response.appendHeader('A', '2');
      response.setHeader('b', '3');
      response.removeHeader('B');
      expect(response.getHeader('a')).toEqual(['1', '2']);
      expect(response.headersSent).toBe(false);
      response.writeHead(200);
      expect(response.headersSent).toBe(true);
      expect(codeOf(() => response.writeHead(200))).toBe('ERR_HTTP_HEADERS_SENT');
      expect(codeOf(() => response.setHeader('a', '1'))).toBe('ERR_HTTP_HEADERS_SENT');
      response.end();
    });
    expect(exchange.failures).toEqual([]);
    expect(exchange.headers.slice(0, 4)).toEqual(['a', '1', 'a', '2']);
    expect(res.headersSent).toBe(true);
  });

  it('that holds what may not be sent is refused to the application, which can give another', () => {
    const codes: unknown[] = [];
    const { exchange } = run((_req, res) => {
      codes.push(codeOf(() => res.setHeader('a', 'b\nc')));
      codes.push(codeOf(() => res.writeHead(200, { a: 'b\r\nc' })));
      codes.push(codeOf(() => res.writeHead(200, { 'a b': 'c' })));
      codes.push(codeOf(() => res.writeHead(200, 'OK\r\nx: y')));
      res.statusMessage = 'OK';
      res.end('text');
    });
    expect(codes).toEqual(['ERR_INVALID_CHAR', 'ERR_INVALID_CHAR', 'ERR_INVALID_HTTP_TOKEN', 'ERR_INVALID_CHAR']);
    expect([exchange.status, exchange.headers, exchange.body]).toEqual([200, ['Content-Length', '4'], 'text']);
  });

  it('that holds what may not be sent is a 500 where the application does not catch the error', () => {
    const { exchange } = run((_req, res) => res.writeHead(200, { a: 'b\r\nc' }).end('text'));
    expect([exchange.status, exchange.body, exchange.failures.length]).toEqual([500, '', 1]);
  });

  it('that the exchange does not take is a 500, and the response is closed without a finish', async () => {
    const events: string[] = [];
    const { exchange, res } = run((_req, response) => {
      note(response, events, 'finish', 'close');
      for (let i = 0; i < 300; i++) response.setHeader(`x-${i}`, '1');
      response.end('text');
    });
    await once(res, 'close');
    expect(exchange.status).toBe(500);
    expect(exchange.failures).toEqual([expect.objectContaining({ code: 'ERR_HEADER_BLOCK' })]);
    expect(events).toEqual(['close']);
  });

  it('goes out at once by flushHeaders', () => {
    const { exchange } = run((_req, res) => {
      res.setHeader('a', 'b');
      res.flushHeaders();
    });
    expect([exchange.by, exchange.flushes, exchange.ended]).toEqual(['start', 1, false]);
    // or nginx would hold it back
    expect(exchange.headers).toEqual(['a', 'b', 'X-Accel-Buffering', 'no']);
  });
});

describe('a streamed reply', () => {
  it('begins at the end of the tick, and goes on as it is written', async () => {
    const { exchange, res } = run((_req, response) => {
      response.write('a');
      response.write('b');
    });
    expect(exchange.started).toBe(false);
    await new Promise(setImmediate);
    expect([exchange.by, exchange.body, exchange.header('content-length')]).toEqual(['start', 'ab', []]);
    res.write('c');
    expect(exchange.body).toBe('abc');
    expect(exchange.ended).toBe(false);
    res.end('d');
    expect([exchange.body, exchange.ended]).toEqual(['abcd', true]);
  });

  it('asks the web server not to hold back what was written in a tick', async () => {
    const { exchange, res } = run((_req, response) => response.write('a'));
    await new Promise(setImmediate);
    const flushes = exchange.flushes;
    res.write('b');
    await new Promise(setImmediate);
    expect(exchange.flushes).toBeGreaterThan(flushes);
  });

  it('waits for uncork', async () => {
    const { exchange, res } = run((_req, response) => {
      response.cork();
      response.write('a');
    });
    await new Promise(setImmediate);
    expect(exchange.started).toBe(false);
    res.uncork();
    await new Promise(setImmediate);
    expect(exchange.body).toBe('a');
  });

  it('holds no more than 64 KiB back', () => {
    const { exchange } = run((_req, res) => {
      res.write('a'.repeat(40_000));
      res.write('b'.repeat(40_000));
    });
    expect([exchange.by, exchange.body.length]).toEqual(['start', 80_000]);
  });

  it('is told by write and drain when the peer does not keep up', async () => {
    const written: boolean[] = [];
    const called: string[] = [];
    const { exchange, res } = run(
      async (_req, response) => {
        response.flushHeaders();
        written.push(response.write('12345', () => called.push('first')));
        written.push(response.write('67890', () => called.push('second')));
      },
      { room: 8 },
    );
    await new Promise(setImmediate);
    expect(written).toEqual([true, false]);
    expect([res.writableNeedDrain, res.writableLength, called]).toEqual([true, 5, []]);
    const drained = once(res, 'drain');
    exchange.drain(100);
    await drained;
    expect([res.writableNeedDrain, res.writableLength, called]).toEqual([false, 0, ['first', 'second']]);
  });

  it('is fed by a pipeline as fast as the peer reads', async () => {
    const pieces = Array.from({ length: 300 }, (_, i) => String(i % 10).repeat(1000));
    let pulled = 0;
    const source = Readable.from(
      (function* () {
        for (const piece of pieces) {
          pulled++;
          yield piece;
        }
      })(),
      { objectMode: false, highWaterMark: 1000 },
    );
    let error: unknown = 'pending';
    const { exchange, res } = run((_req, response) => pipeline(source, response, (e) => (error = e)), { room: 3000 });
    await once(source, 'pause');
    await new Promise(setImmediate);
    expect(pulled).toBeLessThan(150);
    const closed = once(res, 'close');
    exchange.drain(Number.POSITIVE_INFINITY);
    await closed;
    expect(exchange.body).toBe(pieces.join(''));
    await new Promise(setImmediate);
    expect(error).toBeUndefined();
  });

  it('that is longer than its Content-Length does not go out as it is', async () => {
    const { exchange, res } = run((_req, response) => {
      response.setHeader('Content-Length', 3);
      response.write('ab');
    });
    await new Promise(setImmediate);
    const closed = once(res, 'close');
    res.write('cd');
    await closed;
    expect(exchange.body).toBe('ab');
    expect(exchange.failures).toEqual([expect.objectContaining({ code: 'ERR_BODY_LONG' })]);
  });

  it('is measured by Node where strictContentLength asks for it', () => {
    const { exchange } = run((_req, res) => {
      res.strictContentLength = true;
      res.setHeader('Content-Length', 3);
      expect(codeOf(() => res.end('four'))).toBe('ERR_HTTP_CONTENT_LENGTH_MISMATCH');
      res.destroy();
    });
    expect(exchange.status).toBe(500);
  });
});

describe('the end of a reply', () => {
  it('is told by prefinish, finish and close, in this order, and to the callbacks of write and end', async () => {
    const events: string[] = [];
    const { res } = run((_req, response) => {
      note(response, events, 'prefinish', 'finish', 'close');
      response.write('a', () => events.push('written'));
      response.end('b', () => events.push('ended'));
      events.push('returned');
    });
    expect([res.writableEnded, res.finished, res.destroyed]).toEqual([true, true, false]);
    await once(res, 'close');
    expect(events.filter((event) => event !== 'ended')).toEqual([
      'prefinish',
      'returned',
      'written',
      'finish',
      'close',
    ]);
    expect(events).toContain('ended');
    expect([res.writableFinished, res.destroyed, res.closed, res.socket]).toEqual([true, true, true, null]);
  });

  it('is told to who comes late in the same tick', async () => {
    const { res } = run((_req, response) => response.end('text'));
    await Promise.all([once(res, 'finish'), once(res, 'close')]);
    expect(res.writableFinished).toBe(true);
  });

  it('is told to the callback of end, where nobody else listens, in the asynchronous context of the request', async () => {
    const storage = new AsyncLocalStorage<string>();
    const told = new Promise((resolve) => {
      run((_req, response) => {
        storage.enterWith('of the request');
        response.end('text', () => resolve(storage.getStore()));
      });
    });
    expect(await told).toBe('of the request');
  });

  it('is told to who comes late in the asynchronous context of the request', async () => {
    const storage = new AsyncLocalStorage<string>();
    const { res } = run((_req, response) => {
      storage.enterWith('of the request');
      response.end('text');
    });
    const stores = ['finish', 'close'].map(
      (event) => new Promise((resolve) => res.on(event, () => resolve(storage.getStore()))),
    );
    expect(await Promise.all(stores)).toEqual(['of the request', 'of the request']);
    expect(storage.getStore()).toBeUndefined();
  });

  it.each<[string, (seen: { req: IncomingMessage; res: ServerResponse }) => NodeJS.EventEmitter]>([
    ['response', ({ res }) => res],
    ['request', ({ req }) => req],
    ['socket', ({ req }) => req.socket],
  ])('is told to who listens to the %s alone', async (_what, of) => {
    const { req, res } = run((request, response) => {
      of({ req: request, res: response }).on('close', () => response.emit('told'));
      response.end('text');
    });
    await once(res, 'told');
    expect([req.closed, res.closed]).toEqual([true, true]);
  });

  it('is told to who has taken the place of emit', async () => {
    const events: unknown[] = [];
    const { res } = run((_req, response) => {
      const { emit } = response;
      response.emit = function noted(this: ServerResponse, ...event: Parameters<typeof emit>) {
        events.push(event[0]);
        return emit.apply(this, event);
      } as typeof emit;
      response.end('text');
    });
    await new Promise(setImmediate);
    expect(events).toEqual(['prefinish', 'finish']);
    expect(res.closed).toBe(true);
  });

  it('is there behind the turn where nobody listens, for every reply of it', async () => {
    const turn = [run((_req, response) => response.end('a')), run((_req, response) => response.end('b'))];
    expect(turn.map(({ res }) => [res.writableEnded, res.closed])).toEqual([
      [true, false],
      [true, false],
    ]);
    await new Promise(setImmediate);
    for (const { req, res } of turn) {
      expect([res.writableFinished, res.destroyed, res.closed, res.socket]).toEqual([true, true, true, null]);
      expect([req.destroyed, req.closed, req.socket.destroyed, req.socket.closed]).toEqual([true, true, true, true]);
    }
  });

  it('is not there before the reply has arrived, where nobody listens either', async () => {
    const { exchange, res } = run((_req, response) => response.end('text'), { slow: true });
    await new Promise(setImmediate);
    expect(res.closed).toBe(false);
    exchange.deliver();
    await new Promise(setImmediate);
    expect(res.closed).toBe(true);
  });

  it('comes when the reply has arrived, where the exchange knows', async () => {
    const events: string[] = [];
    const { exchange, res } = run(
      (_req, response) => {
        note(response, events, 'prefinish', 'finish', 'close');
        response.end('text');
      },
      { slow: true },
    );
    await new Promise(setImmediate);
    expect(events).toEqual(['prefinish']);
    const closed = once(res, 'close');
    exchange.deliver();
    await closed;
    expect(events).toEqual(['prefinish', 'finish', 'close']);
  });

  it('is known to stream.finished', async () => {
    let outcome: unknown = 'pending';
    const { res } = run((_req, response) => {
      finished(response, (error) => {
        outcome = error;
      });
      response.end('text');
    });
    await once(res, 'close');
    expect(outcome).toBeUndefined();
  });

  it('comes once: what is written or ended behind it is an error of the application', async () => {
    const errors: unknown[] = [];
    const { exchange, res } = run((_req, response) => {
      response.on('error', (error: Error & { code?: string }) => errors.push(error.code));
      response.end('text');
      response.write('more');
      response.end();
    });
    // not `once`: it takes 'error' for its own failure
    await new Promise((resolve) => res.on('close', resolve));
    expect(errors).toEqual(['ERR_STREAM_WRITE_AFTER_END']);
    expect(exchange.body).toBe('text');
  });

  it('does not come where the application destroys the response', async () => {
    const events: string[] = [];
    const cause = new Error('the source broke');
    let called: unknown;
    const { exchange, res } = run((_req, response) => {
      note(response, events, 'finish', 'close', 'error');
      response.write('part');
    });
    await new Promise(setImmediate);
    res.write('lost', (error) => {
      called = error;
    });
    res.destroy(cause);
    await once(res, 'close');
    expect([exchange.broken, exchange.ended, exchange.failures]).toEqual([true, false, [cause]]);
    expect([events, called, res.errored]).toEqual([['close'], cause, cause]);
  });

  it('is a 500 where the response is destroyed before anything was sent', () => {
    const { exchange } = run((_req, res) => res.destroy());
    expect([exchange.status, exchange.failures]).toEqual([500, [expect.objectContaining({ code: 'ERR_APP_ERROR' })]]);
  });

  it('is broken off by a pipeline whose source fails', async () => {
    const cause = new Error('the source broke');
    const { exchange, res } = run((_req, response) => {
      const source = Readable.from(
        (async function* () {
          yield 'part';
          await new Promise(setImmediate);
          throw cause;
        })(),
      );
      pipeline(source, response, () => {});
    });
    await once(res, 'close');
    expect([exchange.body, exchange.broken, exchange.failures]).toEqual(['part', true, [cause]]);
  });
});

describe('a peer that leaves', () => {
  it('is told by the close of the response, without a finish', async () => {
    const events: string[] = [];
    const { exchange, res } = run((_req, response) => {
      note(response, events, 'finish', 'close', 'error');
      response.write('part');
    });
    await new Promise(setImmediate);
    const closed = once(res, 'close');
    exchange.leave();
    await closed;
    expect(events).toEqual(['close']);
    expect([res.destroyed, res.writableFinished, exchange.failures]).toEqual([true, false, []]);
  });

  it('does not hear what is written afterwards, and nothing comes of it', async () => {
    const events: string[] = [];
    const { exchange, res } = run((_req, response) => {
      note(response, events, 'finish', 'close', 'error');
      response.write('part');
    });
    await new Promise(setImmediate);
    exchange.leave();
    expect(res.write('more')).toBe(false);
    await once(res, 'close');
    const error = await new Promise((resolve) => res.write('more', resolve));
    expect(error).toHaveProperty('code', 'ERR_STREAM_DESTROYED');
    res.end();
    await new Promise(setImmediate);
    expect([exchange.body, exchange.ended, exchange.failures, events]).toEqual(['part', false, [], ['close']]);
  });

  it('before the reply began makes end harmless', async () => {
    const { exchange, res } = run(() => {});
    const closed = once(res, 'close');
    exchange.leave();
    res.end('text');
    await closed;
    expect([exchange.by, exchange.failures]).toEqual([undefined, []]);
  });

  it('before the reply has arrived is a close without a finish', async () => {
    const events: string[] = [];
    const { exchange, res } = run(
      (_req, response) => {
        note(response, events, 'finish', 'close');
        response.end('text');
      },
      { slow: true },
    );
    await new Promise(setImmediate);
    const closed = once(res, 'close');
    exchange.leave();
    await closed;
    expect(events).toEqual(['close']);
  });
});
