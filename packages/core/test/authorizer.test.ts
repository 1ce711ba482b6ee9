import { parse } from 'node:querystring';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { authorizerHandler, guardAuthorizer } from '../src/authorizer.ts';
import { AuthorizerExchange, variableHeaders } from '../src/authorizer-exchange.ts';
import { LocalProtocolError } from '../src/errors.ts';
import type { Exchange } from '../src/exchange.ts';
import { FakeExchange } from './fake-exchange.ts';

function ask(authorizer: unknown, method?: string): FakeExchange {
  const exchange = new FakeExchange(method);
  authorizerHandler(authorizer as never)(exchange);
  return exchange;
}

async function answer(authorizer: unknown): Promise<FakeExchange> {
  const exchange = ask(authorizer);
  await exchange.done;
  return exchange;
}

function raw(act: (exchange: Exchange) => void): FakeExchange {
  const exchange = new FakeExchange();
  guardAuthorizer((guarded) => {
    try {
      act(guarded);
    } catch (error) {
      guarded.fail(error);
    }
  })(exchange);
  return exchange;
}

function refused({ failures, calls, status }: FakeExchange): [code: string, message: string] {
  expect([calls, status, failures.length]).toEqual([['fail'], 0, 1]);
  const [error] = failures as LocalProtocolError[];
  return [error.code, error.message];
}

describe('an allow', () => {
  it('is one reply, a 200 with a header for each variable and without a body', () => {
    expect(ask(() => ({ allow: { USER: 'joe', Group_1: 'a b', EMPTY: '' } }))).toMatchObject({
      calls: ['respond'],
      status: 200,
      reason: 'OK',
      headers: ['Variable-USER', 'joe', 'Variable-Group_1', 'a b', 'Variable-EMPTY', ''],
      body: '',
    });
    expect(ask(() => ({ allow: {} }))).toMatchObject({ calls: ['respond'], status: 200, headers: [] });
  });

  it('may come later, and to HEAD', async () => {
    expect(await answer(async () => ({ allow: { A: 'b' } }))).toMatchObject({ status: 200, calls: ['respond'] });
    expect(ask(() => ({ allow: {} }), 'HEAD')).toMatchObject({ status: 200, calls: ['respond'] });
  });

  it('holds bytes as latin-1', () => {
    expect(variableHeaders({ NAME: 'J\xfcrgen' })).toEqual(['Variable-NAME', 'J\xfcrgen']);
  });

  it.each<[string, unknown, string]>([
    ['a name with a blank', { 'A B': 'c' }, 'name of variable "A B"'],
    ['a name with a line end', { 'A\r\nB': 'c' }, 'name of variable "A\\x0d\\x0aB"'],
    ['a name with a colon', { 'A:': 'c' }, 'name of variable'],
    ['no name', { '': 'c' }, 'name of variable ""'],
    ['a value with CR', { A: 'b\rc' }, 'value of variable A (string)'],
    ['a value with LF', { A: 'b\nStatus: 403' }, 'value of variable A (string)'],
    ['a value with NUL', { A: '\0' }, 'value of variable A (string)'],
    ['a value above U+00FF', { A: '€' }, 'value of variable A (string)'],
    ['the name of a request header', { HTTP_X_USER: 'c' }, 'variable HTTP_X_USER could be taken for a header'],
    ['a name that some web servers make one of', { 'http-x': 'c' }, 'variable http-x could be taken for a header'],
    ['a line that is too long', { A: 'b'.repeat(8178) }, 'variable A has 8190 bytes with its name, not 8189'],
    ['a value that is a number', { A: 1 }, 'value of variable A (number)'],
    ['a value that is missing', { A: undefined }, 'value of variable A (undefined)'],
    ['null', null, 'allow must be a plain object of variables, not null'],
    ['true', true, 'allow must be a plain object of variables, not boolean'],
    ['text', 'USER=joe', 'allow must be a plain object of variables, not string'],
    ['a promise', Promise.resolve({ USER: 'joe' }), 'allow must be an object of variables, not a promise: await it'],
    // biome-ignore lint/suspicious/noThenProperty: what looks like a promise is one
    ['a thenable', { then() {} }, 'not a promise: await it'],
    ['a Map', new Map([['USER', 'joe']]), 'not Map: allow: {}'],
    ['Headers', new Headers({ user: 'joe' }), 'not Headers'],
    ['URLSearchParams', new URLSearchParams('USER=joe'), 'not URLSearchParams'],
    ['an array', ['USER'], 'not Array'],
    ['no array items', [], 'not Array'],
    ['a Buffer', Buffer.from(''), 'not Buffer'],
    ['an instance of a class', new (class User {})(), 'not User'],
    ['an object that inherits them', Object.create({ USER: 'joe' }), 'not one that inherits'],
    ['a Map of another realm', runInNewContext('new Map([["USER", "joe"]])'), 'not Map'],
    ['a promise of another realm', runInNewContext('Promise.resolve({})'), 'not a promise'],
  ])('with %s is a failure, and does not tell the value', (_, allow, message) => {
    const [code, text] = refused(ask(() => ({ allow })));
    expect([code, text]).toEqual(['ERR_AUTHORIZER', expect.stringContaining(message)]);
    expect(text).not.toContain('403');
  });

  it('that is a promise which is rejected is a failure, and no more', async () => {
    const rejected: unknown[] = [];
    const listener = (error: unknown): void => void rejected.push(error);
    process.on('unhandledRejection', listener);
    const lookUp = async (): Promise<never> => {
      throw new Error('no such session');
    };
    expect(refused(ask(() => ({ allow: lookUp() })))[0]).toBe('ERR_AUTHORIZER');
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', listener);
    expect(rejected).toEqual([]);
  });

  it.each<[string, Record<string, string>]>([
    ['without a prototype', Object.assign(Object.create(null), { USER: 'joe' })],
    ['of another realm', runInNewContext('({ USER: "joe" })')],
    ['of a query', parse('USER=joe')],
  ])('takes an object %s', (_, allow) => {
    expect(ask(() => ({ allow }))).toMatchObject({ status: 200, headers: ['Variable-USER', 'joe'] });
  });

  it('may have lines as long as every web server reads', () => {
    expect(ask(() => ({ allow: { A: 'b'.repeat(8177) } }))).toMatchObject({ calls: ['respond'], status: 200 });
  });

  it('beside a status is a failure', () => {
    expect(refused(ask(() => ({ allow: {}, status: 403 })))[0]).toBe('ERR_AUTHORIZER');
    expect(refused(ask(() => ({ allow: undefined, status: 200 })))[0]).toBe('ERR_AUTHORIZER');
  });
});

describe('a denial', () => {
  it('is the reply that the client gets', () => {
    expect(ask(() => ({ status: 403, headers: { 'X-Why': 'so' }, body: 'no' }))).toMatchObject({
      calls: ['respond'],
      status: 403,
      reason: 'Forbidden',
      headers: ['X-Why', 'so'],
      body: 'no',
    });
  });

  it.each([300, 302, 401, 404, 500, 503])('may have status %d', (status) => {
    expect(ask(() => ({ status }))).toMatchObject({ calls: ['respond'], status });
  });

  it('may be streamed, and to HEAD goes without its body', async () => {
    expect(await answer(() => ({ status: 403, body: ['a', 'b'] }))).toMatchObject({
      calls: ['start', 'end'],
      status: 403,
      body: 'ab',
    });
    expect(ask(() => ({ status: 403, body: ['a'] }), 'HEAD')).toMatchObject({ calls: ['respond'], body: '' });
  });
});

describe('an authorizer fails closed', () => {
  it.each([200, 201, 204, 206, 299])('when it answers a plain %d', (status) => {
    const [code, message] = refused(ask(() => ({ status, headers: { 'Variable-A': 'b' }, body: 'ok' })));
    expect(code).toBe('ERR_AUTHORIZER');
    expect(message).toContain(`answered ${status}, which is no allow and no denial: the answer { allow } lets`);
  });

  it('when it streams a success, whose source is let go of', async () => {
    let returned = false;
    const body = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false, value: 'x' }),
        return: async () => {
          returned = true;
          return { done: true, value: undefined };
        },
      }),
    };
    const exchange = await answer(() => ({ status: 200, body }));
    expect(refused(exchange)).toEqual(['ERR_AUTHORIZER', expect.stringContaining('without a body')]);
    expect(returned).toBe(true);
    const file = await answer(() => ({ status: 200, body: { path: __filename } }));
    expect(refused(file)[0]).toBe('ERR_AUTHORIZER');
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['boolean', true],
    ['string', 'ok'],
    ['Object', {}],
    ['Object', { headers: {} }],
    ['Object', { status: '403' }],
  ])('when it answers %s', async (kind, given) => {
    const expected = [
      'ERR_APP_REPLY',
      `an authorizer must answer { allow } or { status, headers, body }, this one answered ${kind}`,
    ];
    expect(refused(ask(() => given))).toEqual(expected);
    expect(refused(await answer(async () => given))).toEqual(expected);
  });

  it('when it throws or its promise is rejected', async () => {
    const error = new Error('secret');
    const thrown = ask(() => {
      throw error;
    });
    expect(thrown).toMatchObject({ failures: [error], status: 0 });
    expect(await answer(() => Promise.reject(error))).toMatchObject({ failures: [error], status: 0 });
  });
});

describe('a raw authorizer', () => {
  it('allows by a 200 with a Variable- header; other headers and the body stay behind', () => {
    const headers = ['X-Powered-By', 'x', 'variable-a', 'b', 'Variable-', 'c', 'Content-Length', '2'];
    expect(raw((exchange) => exchange.respond(200, 'OK', headers, 'ok'))).toMatchObject({
      calls: ['respond'],
      status: 200,
      headers: ['Variable-a', 'b'],
      body: '',
    });
  });

  it('allows by a 200 that was permitted', () => {
    const permitted = raw((exchange) => {
      (exchange as AuthorizerExchange).permit();
      exchange.respond(200, 'OK', ['Date', 'now'], null);
    });
    expect(permitted).toMatchObject({ calls: ['respond'], status: 200, headers: [] });
  });

  it.each<[string, (exchange: Exchange) => unknown]>([
    ['200 without a variable', (exchange) => exchange.respond(200, 'OK', ['Variable-', 'x', 'A', 'b'], null)],
    ['204 with a variable', (exchange) => exchange.respond(204, 'No Content', ['Variable-A', 'b'], null)],
    ['200 that is streamed', (exchange) => exchange.start(200, 'OK', ['Variable-A', 'b'])],
    ['200 with a value that cannot be sent', (exchange) => exchange.respond(200, 'OK', ['Variable-A', 'b\n'], null)],
  ])('fails closed with a %s', (_, act) => {
    expect(refused(raw(act))[0]).toBe('ERR_AUTHORIZER');
  });

  it('denies by any other reply', () => {
    expect(raw((exchange) => exchange.respond(403, 'Forbidden', ['Variable-A', 'b'], 'no'))).toMatchObject({
      status: 403,
      headers: ['Variable-A', 'b'],
      body: 'no',
    });
    expect(raw((exchange) => exchange.start(302, 'Found', []).end())).toMatchObject({ calls: ['start', 'end'] });
  });
});

describe('the exchange of an authorizer', () => {
  it('shows the request as it is', () => {
    const exchange = new FakeExchange();
    const guarded = new AuthorizerExchange(exchange);
    const names = [
      'id',
      'protocol',
      'role',
      'head',
      'input',
      'inputComplete',
      'errors',
      'signal',
      'over',
      'started',
    ] as const;
    for (const name of names) expect([name, guarded[name]]).toEqual([name, exchange[name]]);
    expect(guarded.environ.REQUEST_METHOD).toBe('GET');
    expect(guarded.inform(103, [])).toBe(false);
    expect(guarded.upgrade(101, [])).toBeUndefined();
    const heard: unknown[] = [];
    guarded.onOver((error) => heard.push(error));
    exchange.leave();
    expect([guarded.over, heard]).toEqual([true, [expect.objectContaining({ code: 'ERR_ABORTED' })]]);
  });

  it('refuses with an error of this side', () => {
    expect(() => new AuthorizerExchange(new FakeExchange()).respond(200, 'OK', [], null)).toThrow(LocalProtocolError);
  });
});
