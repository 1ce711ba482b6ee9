import type { ServerResponse } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { guardAuthorizer } from '@postern/core';
import { allow } from '../src/allow.ts';
import { nodeHandler, type RequestListener } from '../src/node-handler.ts';
import { type Ask, answer, type FakeExchange } from './fake-exchange.ts';

function authorize(listener: RequestListener, ask?: Ask): Promise<FakeExchange> {
  return answer(guardAuthorizer(nodeHandler(listener)), ask);
}

function codeOf({ failures: [error] }: FakeExchange): unknown {
  return (error as { code?: string }).code;
}

describe('allow', () => {
  it('answers an authorizer with the variables alone, in one piece', async () => {
    const exchange = await authorize((_req, res) => {
      res.setHeader('X-Powered-By', 'test');
      allow(res, { USER: 'joe', GROUP: 'staff' });
    });
    expect([exchange.by, exchange.status, exchange.headers, exchange.body]).toEqual([
      'respond',
      200,
      ['Variable-USER', 'joe', 'Variable-GROUP', 'staff'],
      '',
    ]);
    expect(exchange.failures).toEqual([]);
  });

  it('needs no variables, and may come later or to HEAD', async () => {
    for (const method of ['GET', 'HEAD', 'POST']) {
      const exchange = await authorize((_req, res) => void setImmediate(allow, res), { method });
      expect([exchange.status, exchange.headers, exchange.failures]).toEqual([200, [], []]);
    }
  });

  it('ends the response as any other', async () => {
    const events: string[] = [];
    await authorize((_req, res) => {
      for (const event of ['finish', 'close']) res.on(event, () => events.push(event));
      allow(res);
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(events).toEqual(['finish', 'close']);
  });

  it('with a variable that cannot be sent is a 500', async () => {
    const exchange = await authorize((_req, res) => allow(res, { USER: 'a\r\nStatus: 403' }));
    expect([exchange.status, codeOf(exchange)]).toEqual([500, 'ERR_AUTHORIZER']);
  });

  it('with a promise, or a Map, is a 500', async () => {
    for (const variables of [Promise.reject(new Error('no session')), new Map([['USER', 'joe']])]) {
      const exchange = await authorize((_req, res) => allow(res, variables as never));
      expect([exchange.status, codeOf(exchange)]).toEqual([500, 'ERR_AUTHORIZER']);
    }
  });

  it('is for authorizers alone', async () => {
    const exchange = await answer(nodeHandler((_req, res) => allow(res, { USER: 'joe' })));
    expect([exchange.status, codeOf(exchange)]).toEqual([500, 'ERR_AUTHORIZER']);
    expect(() => allow({} as ServerResponse)).toThrow(TypeError);
  });
});

describe('a listener as an authorizer', () => {
  it('allows by hand with a 200 and Variable- headers', async () => {
    const exchange = await authorize((_req, res) => {
      res.writeHead(200, { 'Variable-USER': 'joe', 'Content-Type': 'text/plain' });
      res.end('ok');
    });
    expect([exchange.status, exchange.headers, exchange.body]).toEqual([200, ['Variable-USER', 'joe'], '']);
  });

  it('denies with any reply of its own', async () => {
    const exchange = await authorize((_req, res) => {
      res.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x"' });
      res.end('who are you?');
    });
    expect([exchange.status, exchange.body, exchange.header('www-authenticate')]).toEqual([
      401,
      'who are you?',
      ['Basic realm="x"'],
    ]);
  });

  it.each<[string, RequestListener]>([
    ['ends without a word', (_req, res) => void res.end()],
    ['answers 200 with a page', (_req, res) => void res.end('forbidden')],
    ['answers 204', (_req, res) => void res.writeHead(204, { 'Variable-USER': 'joe' }).end()],
    ['streams a 200', (_req, res) => void res.writeHead(200, { 'Variable-USER': 'joe' }).flushHeaders()],
  ])('fails closed when it %s', async (_, listener) => {
    const exchange = await authorize(listener);
    expect([exchange.by, exchange.status, codeOf(exchange)]).toEqual(['fail', 500, 'ERR_AUTHORIZER']);
  });

  it('fails closed when it throws', async () => {
    const exchange = await authorize(() => {
      throw new Error('secret');
    });
    expect([exchange.by, exchange.status]).toEqual(['fail', 500]);
  });
});
