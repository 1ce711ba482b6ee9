import { describe, expect, it } from '@jest/globals';
import { type FetchContext, type FetchHandler, fetchHandler } from '../src/index.ts';
import { type Ask, FakeExchange, until } from './fake-exchange.ts';

function answerOf(handler: FetchHandler, ask: Ask = {}): FakeExchange {
  const exchange = new FakeExchange(ask);
  fetchHandler(handler)(exchange);
  return exchange;
}

function never(): never {
  throw new Error('the handler must not be called');
}

describe('a fetch handler', () => {
  it('is answered within the call when it is synchronous, without an environ or a signal', () => {
    const exchange = answerOf((request) => new Response(null, { status: 201, headers: { 'x-url': request.url } }));
    expect([exchange.calls, exchange.status, exchange.reason]).toEqual([['respond'], 201, 'Created']);
    expect(exchange.headers).toEqual(['x-url', 'http://site.test/']);
    expect(exchange.built).toEqual([]);
  });

  it('is waited for when it gives a promise', async () => {
    const exchange = answerOf(async () => new Response('later'));
    expect(exchange.calls).toEqual([]);
    await exchange.done;
    expect([exchange.calls, exchange.text]).toEqual([['respond'], 'later']);
  });

  it('may be the fetch method of an object, which is called on it', async () => {
    const app = {
      greeting: 'hello',
      fetch(request: Request): Response {
        return new Response(`${this.greeting} ${new URL(request.url).pathname}`);
      },
    };
    const exchange = new FakeExchange({ variables: { REQUEST_URI: '/path' } });
    fetchHandler(app)(exchange);
    await exchange.done;
    expect(exchange.text).toBe('hello /path');
  });

  it('is told environ and client by its second argument, and by its third as Workers have it', () => {
    const seen: unknown[] = [];
    const handler = (_: Request, context: FetchContext, third?: FetchContext): Response => {
      seen.push(context.environ.REMOTE_USER, context.remoteAddr, third === context);
      return new Response(null);
    };
    answerOf(handler, { variables: { REMOTE_USER: 'ada' } });
    expect(seen).toEqual(['ada', '192.0.2.7', true]);
  });

  it('fails the exchange with what it throws, or is rejected with', async () => {
    const error = new Error('broken');
    const thrown = answerOf(() => {
      throw error;
    });
    expect([thrown.calls, thrown.failure]).toEqual([['fail'], error]);
    const rejected = answerOf(() => Promise.reject(error));
    await rejected.done;
    expect([rejected.calls, rejected.failure]).toEqual([['fail'], error]);
  });

  it.each([
    ['throws', () => Promise.reject(new Response('no', { status: 404 }))],
    [
      'is rejected with',
      () => {
        throw new Response('no', { status: 404 });
      },
    ],
  ])('fails when it %s a Response', async (_, handler) => {
    const exchange = answerOf(handler as FetchHandler);
    await exchange.done;
    expect(exchange.calls).toEqual(['fail']);
    expect(exchange.failure).toMatchObject({ code: 'ERR_APP_ERROR', message: expect.stringContaining('status 404') });
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['string', 'text'],
    ['Object', { status: 200, headers: {} }],
    ['Date', new Date()],
  ])('fails when it answers with %s, which is named', async (name, value) => {
    const direct = answerOf(() => value as never);
    expect(direct.calls).toEqual(['fail']);
    expect(direct.failure).toMatchObject({ code: 'ERR_APP_REPLY', message: expect.stringContaining(name) });
    const later = answerOf(async () => value as never);
    await later.done;
    expect(later.failure).toMatchObject({ code: 'ERR_APP_REPLY', message: expect.stringContaining(name) });
  });

  it('is not called where host and target make no URL: the client gets 400, the log a line', () => {
    for (const variables of [
      { HTTP_HOST: 'a b' },
      { HTTP_HOST: 'a/b' },
      { REQUEST_URI: 'x' },
      { REQUEST_URI: 'ftp://x/' },
    ]) {
      const exchange = answerOf(never, { variables });
      expect([exchange.calls, exchange.status, exchange.reason]).toEqual([['respond'], 400, 'Bad Request']);
      expect(exchange.log.join('')).toMatch(/^ERR_ENV_TARGET: .*\n$/);
    }
    const nobody = answerOf(never, { variables: { HTTP_HOST: undefined, SERVER_NAME: undefined } });
    expect(nobody.status).toBe(400);
  });

  it('writes nothing of a target into the log that could be taken for a line of it', () => {
    const exchange = answerOf(never, { variables: { REQUEST_URI: 'x\nfake: line' } });
    expect(exchange.log.join('').split('\n')).toHaveLength(2);
  });

  it.each(['CONNECT', 'TRACE', 'TRACK', 'trace'])('is not called for %s: the client gets 501', (method) => {
    const exchange = answerOf(never, { variables: { REQUEST_METHOD: method } });
    expect([exchange.calls, exchange.status]).toEqual([['respond'], 501]);
  });

  it('may answer after the client left: nothing is sent, nothing fails', async () => {
    let give: (response: Response) => void = () => {};
    const exchange = answerOf(
      () =>
        new Promise((resolve) => {
          give = resolve;
        }),
    );
    let cancelled: unknown;
    const stream = new ReadableStream({
      cancel(reason) {
        cancelled = reason;
      },
    });
    exchange.leave();
    give(new Response(stream));
    await until(() => cancelled !== undefined);
    expect(exchange.calls).toEqual([]);
    expect(cancelled).toMatchObject({ name: 'AbortError', code: 'ERR_ABORTED' });
  });

  it('must be a function or have a method fetch', () => {
    for (const wrong of [undefined, null, 'text', {}, { fetch: 1 }])
      expect(() => fetchHandler(wrong as never)).toThrow(expect.objectContaining({ code: 'ERR_APP_EXPORT' }));
  });
});
