import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished, PassThrough, pipeline } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { AbortError } from '@postern/core';
import { nodeHandler } from '../src/node-handler.ts';
import { type Ask, answer, type FakeExchange, serve } from './fake-exchange.ts';

type Listener = (req: IncomingMessage, res: ServerResponse) => unknown;

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

/** Not `once`: it takes 'error' for its own failure. */
function closed(target: NodeJS.EventEmitter): Promise<void> {
  return new Promise((resolve) => target.on('close', () => resolve()));
}

async function echo(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk);
  res.end(Buffer.concat(chunks));
}

describe('the body of a request', () => {
  it.each(['', 'a short one', 'x'.repeat(300_000)])('is read whole', async (body) => {
    const exchange = await answer(nodeHandler(echo), { method: 'POST', body });
    expect(exchange.body).toBe(body);
  });

  it('comes in Buffers, with data and end, and is complete then', async () => {
    const seen: unknown[] = [];
    const { exchange, req } = run(
      (request, res) => {
        request.on('data', (chunk) => seen.push(Buffer.isBuffer(chunk), chunk.toString()));
        request.on('end', () => {
          seen.push(request.complete, request.readableEnded);
          res.end();
        });
      },
      { method: 'POST', body: 'open' },
    );
    expect(req.complete).toBe(false);
    const close = closed(req);
    exchange.input.push(new Uint8Array([104, 105]));
    exchange.input.finish();
    await close;
    expect(seen).toEqual([true, 'hi', true, true]);
    expect([req.aborted, req.destroyed]).toEqual([false, true]);
  });

  it('of a request without one ends at once', async () => {
    const exchange = await answer(nodeHandler(echo));
    expect([exchange.by, exchange.body]).toEqual(['respond', '']);
  });

  it('costs nothing where it is not touched', async () => {
    const exchange = await answer(
      nodeHandler((_req, res) => res.end('text')),
      { method: 'POST', body: 'open' },
    );
    expect(exchange.body).toBe('text');
    // what is left is thrown away by the exchange itself, not read through a stream
    expect(exchange.wanted).toBe(1);
  });

  it('is asked for no further than the stream has room', async () => {
    const { exchange, req } = run((request) => request.once('readable', () => {}), { method: 'POST', body: 'open' });
    await new Promise(setImmediate);
    const mark = req.readableHighWaterMark;
    const chunk = Buffer.alloc(4096);
    let pushed = 0;
    for (let asked = -1; asked < exchange.wanted; pushed++) {
      asked = exchange.wanted;
      exchange.input.push(chunk);
    }
    // one push more than fills the stream: nobody has asked for it
    expect(pushed * chunk.length).toBeLessThanOrEqual(mark + chunk.length);
    exchange.input.push(chunk);
    exchange.input.push(chunk);
    expect(req.readableLength).toBeLessThan(mark + chunk.length);
    const { wanted } = exchange;
    // from Node 26 on one call gives one piece
    while (req.read() !== null);
    await new Promise(setImmediate);
    expect(exchange.wanted).toBeGreaterThan(wanted);
  });

  it('is asked for as fast as a slow pipe takes it', async () => {
    const slow = new PassThrough({ highWaterMark: 1000 });
    const { exchange, req, res } = run((request, response) => pipeline(request, slow, () => response.end('stored')), {
      method: 'POST',
      body: 'open',
    });
    await new Promise(setImmediate);
    for (let i = 0; i < 100; i++) exchange.input.push(Buffer.alloc(1000));
    exchange.input.finish();
    await new Promise(setImmediate);
    expect(req.readableLength).toBeLessThan(req.readableHighWaterMark + 1000);
    let size = 0;
    slow.on('data', (chunk) => {
      size += chunk.length;
    });
    await once(res, 'close');
    expect([size, exchange.body]).toEqual([100_000, 'stored']);
  });

  it('can be read to its end after the reply, where all of it has come', async () => {
    const { exchange, req } = run((_req, res) => res.end('text'), { method: 'POST', body: 'x'.repeat(200_000) });
    let size = 0;
    req.on('data', (chunk) => {
      size += chunk.length;
    });
    await closed(req);
    expect([exchange.body, size, req.complete]).toEqual(['text', 200_000, true]);
  });

  it('that was left unread ends with the reply', async () => {
    const events: string[] = [];
    const { req } = run(
      (request, res) => {
        for (const event of ['end', 'close', 'aborted']) request.on(event, () => events.push(event));
        res.end('text');
      },
      { method: 'POST', body: 'open' },
    );
    await closed(req);
    expect([events, req.readableEnded]).toEqual([['end', 'close'], true]);
  });

  it('that was left unread has ended for who asks late', async () => {
    const { exchange, req, res } = run((_req, response) => response.end('text'), { method: 'POST', body: 'open' });
    await once(res, 'close');
    const outcome = await new Promise((resolve) => finished(req, resolve));
    expect([exchange.status, outcome, req.destroyed]).toEqual([200, undefined, true]);
  });

  it('that is drained with resume ends with the reply, though there is more of it', async () => {
    const { req } = run(
      (request, res) => {
        request.resume();
        res.writeHead(413).end('too large');
      },
      { method: 'POST', body: 'open' },
    );
    let outcome: unknown = 'pending';
    finished(req, (error) => {
      outcome = error;
    });
    await closed(req);
    expect([outcome, req.readableEnded]).toEqual([undefined, true]);
  });

  it('that is being read when the reply is complete is cut, and the reader hears of it', async () => {
    const { exchange, req, res } = run(
      (request, response) => request.once('data', () => response.end('that is enough')),
      { method: 'POST', body: 'open' },
    );
    const outcome = new Promise((resolve) => finished(req, resolve));
    req.on('data', () => {});
    await new Promise(setImmediate);
    exchange.input.push(Buffer.from('part'));
    await once(res, 'finish');
    expect(await outcome).toHaveProperty('code', 'ECONNRESET');
    expect([exchange.body, exchange.failures]).toEqual(['that is enough', []]);
  });

  it('is told to have been aborted when the peer leaves', async () => {
    const events: string[] = [];
    const { exchange, req, res } = run(
      (request) => {
        for (const event of ['aborted', 'close', 'end']) request.on(event, () => events.push(event));
        request.on('error', (error: Error & { code?: string }) => events.push(`${error.message} ${error.code}`));
        request.resume();
      },
      { method: 'POST', body: 'open' },
    );
    res.on('close', () => events.push('response close'));
    await new Promise(setImmediate);
    exchange.input.push(Buffer.from('part'));
    exchange.leave();
    await closed(req);
    expect(events).toEqual(['aborted', 'response close', 'aborted ECONNRESET', 'close']);
    expect([req.aborted, req.complete, exchange.failures]).toEqual([true, false, []]);
  });

  it('of a request that nobody reads is aborted too when the peer leaves', async () => {
    const events: string[] = [];
    const { exchange, req } = run((request) => {
      for (const event of ['aborted', 'close']) request.on(event, () => events.push(event));
    });
    exchange.leave();
    await closed(req);
    expect(events).toEqual(['aborted', 'close']);
  });

  it('that breaks off while the peer is there is answered with what its error says', async () => {
    const { exchange, req } = run((request) => request.resume(), { method: 'POST', body: 'open' });
    await new Promise(setImmediate);
    exchange.input.fail(new AbortError('ERR_TIMEOUT_BODY', 'the body stalled', 408));
    await closed(req);
    expect([exchange.status, req.aborted]).toEqual([408, true]);
  });

  it('is a pipeline that fails when the peer leaves', async () => {
    const sink = new PassThrough();
    let outcome: unknown;
    const { exchange } = run(
      (request) => {
        pipeline(request, sink, (error) => {
          outcome = error;
        });
      },
      { method: 'POST', body: 'open' },
    );
    await new Promise(setImmediate);
    exchange.leave();
    await once(sink, 'close').catch(() => {});
    expect(outcome).toHaveProperty('code', 'ECONNRESET');
  });

  it('breaks the reply off when the application destroys the request', async () => {
    const cause = new Error('not this one');
    const { exchange, res } = run((request) => request.destroy(cause), { method: 'POST', body: 'open' });
    await once(res, 'close');
    expect([exchange.status, exchange.failures]).toEqual([500, [cause]]);
  });

  it('can be read once: who has taken it from the exchange leaves nothing to the stream', async () => {
    const { exchange, req } = run((request) => request.resume(), { method: 'POST', body: 'open' });
    exchange.input.attach({ data: () => true, end() {}, error() {} });
    const error = await new Promise((resolve) => req.on('error', resolve));
    expect(error).toHaveProperty('code', 'ERR_BODY_USED');
  });

  it('brings what its listener throws to the exchange', async () => {
    const cause = new Error('cannot read this');
    const { exchange, res } = run(
      (request) =>
        request.on('data', () => {
          throw cause;
        }),
      { method: 'POST', body: 'open' },
    );
    await new Promise(setImmediate);
    exchange.input.push(Buffer.from('part'));
    await once(res, 'close');
    expect([exchange.status, exchange.failures[0]]).toEqual([500, cause]);
  });
});
