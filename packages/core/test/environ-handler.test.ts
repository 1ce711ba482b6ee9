import { createHook } from 'node:async_hooks';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import type { Application, Reply } from '../src/application.ts';
import { environHandler } from '../src/environ-handler.ts';
import { AbortError } from '../src/errors.ts';
import { FakeExchange, until } from './fake-exchange.ts';

function serve(application: unknown, method?: string): FakeExchange {
  const exchange = new FakeExchange(method);
  environHandler(application as Application)(exchange);
  return exchange;
}

async function answer(application: unknown, method?: string): Promise<FakeExchange> {
  const exchange = serve(application, method);
  await exchange.done;
  return exchange;
}

function promisesMade(run: () => void): number {
  let made = 0;
  const hook = createHook({ init: (_id, type) => void (type === 'PROMISE' && made++) }).enable();
  run();
  hook.disable();
  return made;
}

describe('a synchronous application with a reply in memory', () => {
  it('is answered before the handler returns, by one respond', () => {
    const exchange = serve(() => ({ status: 201, headers: { 'X-A': '1' }, body: 'ä' }));
    expect(exchange).toMatchObject({
      status: 201,
      reason: 'Created',
      headers: ['X-A', '1'],
      body: 'ä',
      calls: ['respond'],
    });
  });

  it('costs no promise', () => {
    const handler = environHandler(() => ({ status: 200, body: 'hi' }));
    const exchange = new FakeExchange();
    expect(promisesMade(() => handler(exchange))).toBe(0);
    expect(exchange.body).toBe('hi');
    expect(promisesMade(() => void Promise.resolve())).toBe(1);
  });

  it.each([[undefined], [null], [''], [new Uint8Array()]])('may have the body %p', (body) => {
    expect(serve(() => ({ status: 204, body }))).toMatchObject({ status: 204, body: '', calls: ['respond'] });
  });

  it('may give a reason, also for a status without a registered one', () => {
    expect(serve(() => ({ status: 200, reason: 'Fine' })).reason).toBe('Fine');
    expect(serve(() => ({ status: 299 })).reason).toBe('299');
  });

  it('is called once, with the environ', () => {
    const seen: unknown[] = [];
    const exchange = serve((environ: Record<string, unknown>) => {
      seen.push(environ.REQUEST_METHOD, environ['gateway.input']);
      return { status: 200 };
    });
    expect(seen).toEqual(['GET', exchange.input]);
  });
});

describe('an asynchronous application', () => {
  it('is answered when its promise is fulfilled', async () => {
    const exchange = await answer(async () => ({ status: 200, body: Buffer.from('hi') }));
    expect(exchange).toMatchObject({ body: 'hi', calls: ['respond'] });
  });

  it('that answers after the client has left is not heard', async () => {
    const exchange = serve(async () => ({ status: 200, body: 'late' }));
    exchange.leave();
    await new Promise((resolve) => setImmediate(resolve));
    expect(exchange.calls).toEqual(['leave']);
  });

  it('may answer with any thenable', async () => {
    const thenable = Object.fromEntries([
      ['then', (done: (reply: Reply) => void) => done({ status: 200, body: 'hi' })],
    ]);
    const exchange = await answer(() => thenable);
    expect(exchange.body).toBe('hi');
  });

  it('fails the exchange when its promise is rejected', async () => {
    const error = new AbortError('ERR_BODY_LIMIT', 'too long', 413);
    expect((await answer(() => Promise.reject(error))).failures).toEqual([error]);
  });

  it.each([[undefined], ['hi'], [{ status: 200, body: 5 }], [{ status: 200, headers: 5 }]])(
    'fails the exchange when it answers %p',
    async (reply) => {
      expect((await answer(async () => reply)).failures).toEqual([expect.objectContaining({ code: 'ERR_APP_REPLY' })]);
    },
  );
});

describe('an application that fails', () => {
  it('fails the exchange with what it threw', () => {
    const error = new Error('no');
    expect(
      serve(() => {
        throw error;
      }),
    ).toMatchObject({ failures: [error], calls: ['fail'] });
  });

  it.each([
    [undefined],
    [null],
    ['hi'],
    [{}],
    [{ status: '200' }],
    [{ status: 200, body: new Date(0) }],
    [{ status: 200, headers: { A: {} } }],
  ])('fails the exchange when it answers %p', (reply) => {
    expect(serve(() => reply)).toMatchObject({ failures: [expect.objectContaining({ code: 'ERR_APP_REPLY' })] });
  });

  it('has its stream let go when its head is refused', () => {
    const body = new PassThrough();
    expect(serve(() => ({ status: 200, headers: { A: {} }, body })).calls).toEqual(['fail']);
    expect(body.destroyed).toBe(true);
  });

  it('has its stream let go when the exchange refuses the head', () => {
    const body = new PassThrough();
    const exchange = new FakeExchange();
    exchange.refusal = new Error('refused');
    environHandler(() => ({ status: 200, body }))(exchange);
    expect(exchange.failures).toEqual([exchange.refusal]);
    expect(body.destroyed).toBe(true);
  });
});

describe('a body in pieces', () => {
  it.each([
    ['iterable', () => ['a', 'b']],
    [
      'async iterable',
      async function* () {
        yield 'a';
        yield 'b';
      },
    ],
    ['ReadableStream', () => new Blob(['ab']).stream()],
  ])('that is an %s is sent behind its head', async (_, make) => {
    const exchange = await answer(() => ({ status: 200, headers: { 'X-A': '1' }, body: (make as () => unknown)() }));
    expect(exchange).toMatchObject({ headers: ['X-A', '1'], body: 'ab', calls: ['start', 'end'] });
  });

  it('that is a file is sent, from and to a place', async () => {
    const exchange = await answer(() => ({ status: 206, body: { path: __filename, start: 0, end: 5 } }));
    expect(exchange).toMatchObject({ status: 206, body: 'import', calls: ['start', 'end'] });
  });

  it('that is a file that is not there is no reply that breaks off', async () => {
    const exchange = await answer(() => ({ status: 200, body: { path: `${__filename}.none` } }));
    expect(exchange.calls).toEqual(['fail']);
  });

  it('whose iterator throws mid-way breaks the reply off', async () => {
    const error = new Error('mid-way');
    const exchange = await answer(() => ({
      status: 200,
      body: (function* () {
        yield 'a';
        throw error;
      })(),
    }));
    expect(exchange).toMatchObject({ body: 'a', failures: [error], calls: ['start', 'fail'] });
  });

  it('has return called once when the client leaves', async () => {
    let returns = 0;
    const iterator = {
      next: () => new Promise(() => {}),
      return: async () => void returns++,
    };
    const exchange = serve(() => ({ status: 200, body: { [Symbol.asyncIterator]: () => iterator } }));
    exchange.leave();
    await until(() => returns > 0);
    expect(returns).toBe(1);
  });

  it('is let go when the client left before the application answered', async () => {
    const body = new PassThrough();
    const exchange = serve(async () => ({ status: 200, body }));
    exchange.leave();
    await until(() => body.destroyed);
    expect(exchange.calls).toEqual(['leave']);
  });

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('is not read for %s and %d', (method, status) => {
    let asked = 0;
    const body = { [Symbol.iterator]: () => ({ next: () => ({ done: false, value: `${asked++}` }) }) };
    const exchange = serve(() => ({ status, headers: { 'Content-Length': '5' }, body }), method);
    expect(exchange).toMatchObject({ status, headers: ['Content-Length', '5'], body: '', calls: ['respond'] });
    expect(asked).toBe(0);
  });
});
