import { describe, expect, it } from '@jest/globals';
import { type FetchContext, fetchAuthorizer } from '../src/index.ts';
import { type Ask, FakeExchange } from './fake-exchange.ts';

type Answers = (request: Request, context: FetchContext) => unknown;

async function ask(authorizer: Answers | { fetch: Answers }, about: Ask = {}): Promise<FakeExchange> {
  const exchange = new FakeExchange(about);
  fetchAuthorizer(authorizer as never)(exchange);
  await exchange.done;
  return exchange;
}

function codeOf({ failure }: FakeExchange): unknown {
  return (failure as { code?: string }).code;
}

describe('a fetch authorizer', () => {
  it('allows with variables, at once or later', async () => {
    for (const answer of [() => ({ allow: { USER: 'joe' } }), async () => ({ allow: { USER: 'joe' } })]) {
      const exchange = await ask(answer);
      expect([exchange.calls, exchange.status, exchange.headers, exchange.text]).toEqual([
        ['respond'],
        200,
        ['Variable-USER', 'joe'],
        '',
      ]);
    }
  });

  it('may be an object with fetch, and is told of the request and its environ', async () => {
    const authorizer = {
      user: 'joe',
      fetch(request: Request, { environ }: FetchContext) {
        return { allow: { USER: this.user, URL: request.url, FROM: environ.REMOTE_ADDR } };
      },
    };
    expect((await ask(authorizer)).headers).toEqual([
      ...['Variable-USER', 'joe'],
      ...['Variable-URL', 'http://site.test/'],
      ...['Variable-FROM', '192.0.2.7'],
    ]);
  });

  it('denies with a Response', async () => {
    const exchange = await ask(() => new Response('no', { status: 403, headers: { 'x-why': 'so' } }));
    expect([exchange.calls, exchange.status, exchange.text]).toEqual([['respond'], 403, 'no']);
    expect(exchange.headers).toEqual(expect.arrayContaining(['x-why', 'so']));
    expect((await ask(() => Response.redirect('https://login.test/', 302))).status).toBe(302);
  });

  it.each<[string, unknown, string]>([
    ['a Response with status 200', new Response('ok', { headers: { 'variable-user': 'joe' } }), 'ERR_AUTHORIZER'],
    ['a Response with status 204', new Response(null, { status: 204 }), 'ERR_AUTHORIZER'],
    ['a stream with status 200', new Response(new ReadableStream()), 'ERR_AUTHORIZER'],
    ['an allow with a value that cannot be sent', { allow: { USER: 'a\n' } }, 'ERR_AUTHORIZER'],
    ['an allow with a promise', { allow: Promise.resolve({ USER: 'joe' }) }, 'ERR_AUTHORIZER'],
    ['an allow with Headers', { allow: new Headers({ user: 'joe' }) }, 'ERR_AUTHORIZER'],
    ['an allow with a status', { allow: {}, status: 200 }, 'ERR_AUTHORIZER'],
    ['nothing', undefined, 'ERR_APP_REPLY'],
    ['true', true, 'ERR_APP_REPLY'],
    ['an object', {}, 'ERR_APP_REPLY'],
  ])('fails closed when it answers %s', async (_, answer, code) => {
    const exchange = await ask(() => answer);
    expect([exchange.calls, exchange.status, codeOf(exchange)]).toEqual([['fail'], 0, code]);
  });

  it('fails closed when it throws, is rejected, or throws a Response', async () => {
    const error = new Error('secret');
    const throws = (thrown: unknown) => () => {
      throw thrown;
    };
    expect(await ask(throws(error))).toMatchObject({ calls: ['fail'], failure: error });
    expect(await ask(() => Promise.reject(error))).toMatchObject({ calls: ['fail'], failure: error });
    expect(codeOf(await ask(throws(new Response('ok'))))).toBe('ERR_APP_ERROR');
  });

  it('is not asked about what no Request can stand for, and that is no allow', async () => {
    let asked = 0;
    const exchange = await ask(() => asked++, { variables: { REQUEST_METHOD: 'TRACE' } });
    expect([asked, exchange.status]).toEqual([0, 501]);
  });

  it('must be a function, or an object with fetch', () => {
    expect(() => fetchAuthorizer({} as never)).toThrow(expect.objectContaining({ code: 'ERR_APP_EXPORT' }));
  });
});
