import { describe, expect, it } from '@jest/globals';
import { FetchContext } from '../src/fetch-context.ts';
import { FakeExchange, until } from './fake-exchange.ts';

describe('the context of a fetch handler', () => {
  it('builds the environ when it is touched', () => {
    const exchange = new FakeExchange({ variables: { REMOTE_USER: 'ada' } });
    const context = new FetchContext(exchange);
    expect(exchange.built).toEqual([]);
    expect([context.environ.REMOTE_USER, context.remoteAddr]).toEqual(['ada', '192.0.2.7']);
  });

  it('has no client address where the web server names none', () => {
    expect(new FetchContext(new FakeExchange({ variables: { REMOTE_ADDR: undefined } })).remoteAddr).toBeUndefined();
  });

  it('has the file of a filter, and none in any other role', () => {
    const exchange = new FakeExchange();
    expect(new FetchContext(exchange).data).toBeUndefined();
    const filter = Object.assign(exchange, { data: exchange.input });
    expect(new FetchContext(filter).data).toBe(exchange.input);
  });

  it('writes a rejection that was given to waitUntil into the error log', async () => {
    const exchange = new FakeExchange();
    const { waitUntil } = new FetchContext(exchange);
    waitUntil(Promise.reject(new Error('cache is down')));
    waitUntil(Promise.resolve(1));
    waitUntil('no promise');
    await until(() => exchange.log.length > 0);
    expect(exchange.log).toHaveLength(1);
    expect(exchange.log[0]).toMatch(/^waitUntil: .*cache is down.*\n$/);
    expect(exchange.calls).toEqual([]);
  });

  it('hands such a rejection to the operator where the reply is complete', async () => {
    const exchange = new FakeExchange();
    const error = new Error('too late');
    new FetchContext(exchange).waitUntil(new Promise((_, reject) => setImmediate(reject, error)));
    exchange.respond(200, 'OK', [], null);
    await until(() => exchange.failure !== undefined);
    expect([exchange.failure, exchange.log]).toEqual([error, []]);
  });

  it('sends early hints', () => {
    const exchange = Object.assign(new FakeExchange(), { inform: (status: number) => status === 103 });
    const { earlyHints } = new FetchContext(exchange);
    expect(earlyHints({ Link: '</a.css>; rel=preload' })).toBe(true);
  });

  it('can be extended', () => {
    const context = new FetchContext(new FakeExchange()) as FetchContext & { params?: object };
    context.params = { id: '1' };
    expect(context.params).toEqual({ id: '1' });
  });
});
