import { EventEmitter, once } from 'node:events';
import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { attach, nodeHandler } from '../src/node-handler.ts';
import { type Ask, answer, serve } from './fake-exchange.ts';

function look<T>(ask: Ask, read: (req: IncomingMessage) => T): T {
  let seen: T | undefined;
  const exchange = serve(
    nodeHandler((req, res) => {
      seen = read(req);
      res.end();
    }),
    ask,
  );
  expect(exchange.failures).toEqual([]);
  return seen as T;
}

describe('the request of a listener', () => {
  it('is what node:http would give', () => {
    const seen = look(
      { method: 'PATCH', target: '/a%2Fb?c=%20d', headers: { host: 'site.test', cookie: 'a=1' } },
      (req) => [req instanceof IncomingMessage, req.method, req.url, req.httpVersion, req.headers, req.rawHeaders],
    );
    expect(seen).toEqual([
      true,
      'PATCH',
      '/a%2Fb?c=%20d',
      '1.1',
      { host: 'site.test', cookie: 'a=1' },
      ['host', 'site.test', 'cookie', 'a=1'],
    ]);
  });

  it('has its headers as node:http makes them of what comes twice', () => {
    const headers = ['host', 'a.test', 'x-a', '1', 'set-cookie', 'b=1', 'x-a', '2', 'cookie', 'c=1', 'host', 'b.test'];
    headers.push('set-cookie', 'd=1', 'cookie', 'e=1', 'constructor', 'a name that every object has');
    expect(look({ headers }, (req) => [req.headers, req.rawHeaders])).toEqual([
      {
        host: 'a.test',
        'x-a': '1, 2',
        'set-cookie': ['b=1', 'd=1'],
        cookie: 'c=1; e=1',
        constructor: 'a name that every object has',
      },
      headers,
    ]);
  });

  it('has the values of what comes twice apart, too', () => {
    const headers = ['x-a', '1', 'host', 'a.test', 'x-a', '2'];
    expect(look({ headers }, (req) => req.headersDistinct['x-a'])).toEqual(['1', '2']);
  });

  it.each([
    ['HTTP/1.0', ['1.0', 1, 0]],
    ['HTTP/1.1', ['1.1', 1, 1]],
    ['HTTP/2.0', ['2.0', 2, 0]],
    ['HTTP/3', ['3.0', 3, 0]],
  ])('tells of %s', (protocol, version) => {
    expect(look({ protocol }, (req) => [req.httpVersion, req.httpVersionMajor, req.httpVersionMinor])).toEqual(version);
  });

  it.each<[string, Ask, (string | undefined)[]]>([
    ['there is none', {}, [undefined, undefined]],
    ['its length is stated', { method: 'POST', body: 'text' }, ['4', undefined]],
    ['its length is stated and it is still to come', { method: 'POST', body: 'open', length: 9 }, ['9', undefined]],
    ['its length is unknown', { method: 'POST', body: 'open' }, [undefined, 'chunked']],
  ])('tells a body parser of a body where %s', (_what, ask, fields) => {
    const seen = look(ask, (req) => [req.headers['content-length'], req.headers['transfer-encoding']]);
    expect(seen).toEqual(fields);
  });

  it('does not add to the headers of the exchange', () => {
    const exchange = serve(
      nodeHandler((_req, res) => res.end()),
      { method: 'POST', body: 'open' },
    );
    expect(exchange.head.headers()).toEqual([]);
  });
});

describe('a listener', () => {
  it('is given the real classes of node:http', () => {
    const exchange = serve(
      nodeHandler((req, res) => {
        expect(Object.getPrototypeOf(req)).toBe(IncomingMessage.prototype);
        expect(Object.getPrototypeOf(res)).toBe(ServerResponse.prototype);
        expect(res.req).toBe(req);
        res.end();
      }),
    );
    expect(exchange.failures).toEqual([]);
  });

  it('may replace the prototypes of both, as Express does', async () => {
    const request = Object.create(IncomingMessage.prototype);
    const response = Object.create(ServerResponse.prototype, {
      send: {
        value(this: ServerResponse, text: string) {
          this.setHeader('X-Powered-By', 'tests');
          this.end(text);
        },
      },
    });
    const exchange = await answer(
      nodeHandler((req, res) => {
        Object.setPrototypeOf(req, request);
        Object.setPrototypeOf(res, response);
        (res as ServerResponse & { send(text: string): void }).send('text');
      }),
    );
    expect([exchange.by, exchange.headers, exchange.body]).toEqual([
      'respond',
      ['X-Powered-By', 'tests', 'Content-Length', '4'],
      'text',
    ]);
  });

  it('may wrap writeHead, write and end, as compression does', async () => {
    const exchange = await answer(
      nodeHandler((_req, res) => {
        const { end, writeHead } = res;
        res.end = function wrapped(this: ServerResponse, chunk: unknown) {
          return end.call(this, String(chunk).toUpperCase(), 'utf8');
        } as typeof res.end;
        res.writeHead = function wrapped(this: ServerResponse, status: number) {
          this.setHeader('x-wrapped', '1');
          return writeHead.call(this, status);
        } as typeof res.writeHead;
        res.end('text');
      }),
    );
    expect([exchange.header('x-wrapped'), exchange.body]).toEqual([['1'], 'TEXT']);
  });

  it('that throws is a 500, and its response is closed', async () => {
    const cause = new Error('secret');
    let response: ServerResponse | undefined;
    const exchange = serve(
      nodeHandler((_req, res) => {
        response = res;
        throw cause;
      }),
    );
    await once(response as ServerResponse, 'close');
    expect([exchange.status, exchange.body, exchange.failures]).toEqual([500, '', [cause]]);
  });

  it('whose promise is rejected is a 500, with nothing of what had waited', async () => {
    const cause = new Error('secret');
    const exchange = await answer(
      nodeHandler(async (_req, res) => {
        res.writeHead(200, { 'x-a': '1' });
        throw cause;
      }),
    );
    expect([exchange.status, exchange.headers, exchange.failures]).toEqual([500, [], [cause]]);
  });

  it('that fails behind its head has its reply broken off', async () => {
    const cause = new Error('secret');
    const exchange = await answer(
      nodeHandler(async (_req, res) => {
        res.write('part');
        await new Promise(setImmediate);
        throw cause;
      }),
    );
    expect([exchange.body, exchange.broken, exchange.ended, exchange.failures]).toEqual(['part', true, false, [cause]]);
  });

  it('that fails behind its reply is told of, and the reply stands', async () => {
    const cause = new Error('secret');
    const exchange = serve(
      nodeHandler(async (_req, res) => {
        res.end('text');
        throw cause;
      }),
    );
    await new Promise(setImmediate);
    expect([exchange.status, exchange.body, exchange.failures]).toEqual([200, 'text', [cause]]);
  });
});

describe('a server that does not listen', () => {
  it('is served by what listens for its requests', async () => {
    const server = createServer((req, res) => {
      res.end(`${req.url} ${(req.socket as { server?: unknown }).server === server}`);
    });
    const exchange = await answer(attach(server), { target: '/here' });
    expect([exchange.body, server.listening]).toEqual(['/here true', false]);
  });

  it('is served by listeners that come later, and by emit where it was replaced', async () => {
    const server = new EventEmitter();
    const handler = attach(server);
    const emitted: string[] = [];
    const { emit } = server;
    server.emit = function traced(this: EventEmitter, event: string, ...values: unknown[]) {
      emitted.push(event);
      return emit.call(this, event, ...values);
    } as typeof server.emit;
    server.on('request', (_req, res) => res.end('text'));
    expect((await answer(handler)).body).toBe('text');
    expect(emitted).toEqual(['request']);
  });

  it('without a listener is a 500 that says so to the operator', async () => {
    const exchange = await answer(attach(new EventEmitter()));
    expect([exchange.status, exchange.failures]).toEqual([500, [expect.objectContaining({ code: 'ERR_APP_EXPORT' })]]);
  });
});
