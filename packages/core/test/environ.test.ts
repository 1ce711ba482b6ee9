import { describe, expect, it } from '@jest/globals';
import { CgiHead } from '../src/cgi-head.ts';
import { buildEnviron, type Environ } from '../src/environ.ts';
import type { Exchange } from '../src/exchange.ts';
import { RequestBody } from '../src/request-body.ts';

function exchangeOf(flat: readonly string[]): Exchange {
  const head = CgiHead.of(flat);
  const input = new RequestBody({ wantBody() {} }, head.contentLength, true);
  const { signal } = new AbortController();
  return { head, input, signal, protocol: 'fastcgi', role: 'responder', errors: { write() {} } } as unknown as Exchange;
}

function environOf(more: Record<string, string> = {}, mount?: string): Environ {
  const variables = { REQUEST_METHOD: 'GET', REQUEST_URI: '/a%20b?q=1', SERVER_PROTOCOL: 'HTTP/1.1', ...more };
  return buildEnviron(exchangeOf(Object.entries(variables).flat()), mount);
}

describe('an environ', () => {
  it('holds what was sent, with the required variables filled in', () => {
    expect({ ...environOf({ REMOTE_USER: 'u', HTTP_X: '' }) }).toEqual({
      REQUEST_METHOD: 'GET',
      REQUEST_URI: '/a%20b?q=1',
      SERVER_PROTOCOL: 'HTTP/1.1',
      REMOTE_USER: 'u',
      HTTP_X: '',
      SCRIPT_NAME: '',
      PATH_INFO: '/a b',
      QUERY_STRING: 'q=1',
      REQUEST_SCHEME: 'http',
      GATEWAY_INTERFACE: 'CGI/1.1',
    });
  });

  it('has REQUEST_SCHEME as it is known, and GATEWAY_INTERFACE as it was sent', () => {
    expect(environOf({ HTTPS: 'on', REQUEST_SCHEME: 'http' }).REQUEST_SCHEME).toBe('https');
    expect(environOf({ HTTPS: 'on' }).REQUEST_SCHEME).toBe('https');
    expect(environOf({ GATEWAY_INTERFACE: 'CGI/1.0' }).GATEWAY_INTERFACE).toBe('CGI/1.0');
  });

  it('fills REQUEST_URI and SERVER_PROTOCOL in where they were not sent', () => {
    const environ = buildEnviron(exchangeOf(['REQUEST_METHOD', 'GET', 'PATH_INFO', '/x y', 'QUERY_STRING', 'q']));
    expect(environ).toMatchObject({ REQUEST_URI: '/x%20y?q', SERVER_PROTOCOL: 'HTTP/1.1', PATH_INFO: '/x y' });
  });

  it('keeps REQUEST_URI raw, and the QUERY_STRING that was sent', () => {
    const environ = environOf({ REQUEST_URI: '//a%2Fb?x', QUERY_STRING: 'rewritten=1', SCRIPT_NAME: '/a/b' });
    expect(environ).toMatchObject({ REQUEST_URI: '//a%2Fb?x', QUERY_STRING: 'rewritten=1', PATH_INFO: '/a/b' });
  });

  it('is split at the prefix where the application is mounted', () => {
    expect(environOf({ REQUEST_URI: '/m/x%20y' }, '/m')).toMatchObject({ SCRIPT_NAME: '/m', PATH_INFO: '/x y' });
  });

  it('has no CONTENT_LENGTH and CONTENT_TYPE where they were empty', () => {
    expect(Object.keys(environOf({ CONTENT_LENGTH: '', CONTENT_TYPE: '' }))).not.toContain('CONTENT_LENGTH');
    expect(environOf({ CONTENT_TYPE: '' }).CONTENT_TYPE).toBeUndefined();
  });

  it('has no prototype that a name from the wire could reach', () => {
    const environ = environOf({ constructor: 'c', toString: 't', hasOwnProperty: 'h', prototype: 'p' });
    expect(Object.getPrototypeOf(Object.getPrototypeOf(environ))).toBeNull();
    expect(environ).toMatchObject({ constructor: 'c', toString: 't', hasOwnProperty: 'h', prototype: 'p' });
    const plain = environOf();
    for (const name of Object.getOwnPropertyNames(Object.prototype)) expect(plain[name]).toBeUndefined();
  });

  it('takes no __proto__ from the wire, and is not changed by one', () => {
    const flat = ['REQUEST_METHOD', 'GET', '__proto__', 'x', '__proto__', 'y', 'A', 'a'];
    const environ = buildEnviron(exchangeOf(flat));
    expect(Object.keys(environ)).not.toContain('__proto__');
    expect(environ['gateway.protocol']).toBe('fastcgi');
    expect(environ.A).toBe('a');
  });

  it('is a new object for every request', () => {
    const first = environOf({ REMOTE_USER: 'root' });
    first.SHARED = 'x';
    const second = environOf();
    expect(second.REMOTE_USER).toBeUndefined();
    expect(second.SHARED).toBeUndefined();
  });

  it('holds nothing of process.env, and puts nothing into it', () => {
    const before = { ...process.env };
    const environ = environOf({ NODE_OPTIONS: '--evil', LD_PRELOAD: '/evil.so', HTTP_PROXY: 'http://evil:1/' });
    expect(process.env).toEqual(before);
    expect(environ.HTTP_PROXY).toBeUndefined();
    expect(environ.NODE_OPTIONS).toBe('--evil');
    const own = Object.keys(process.env).filter((name) => !['NODE_OPTIONS', 'LD_PRELOAD'].includes(name));
    expect(own.length).toBeGreaterThan(0);
    expect(own.filter((name) => environ[name] !== undefined)).toEqual([]);
  });
});

describe('the gateway variables', () => {
  it('tell of the exchange', () => {
    const exchange = exchangeOf(['REQUEST_METHOD', 'GET', 'HTTPS', 'on']);
    const environ = buildEnviron(exchange);
    expect(environ['gateway.version']).toEqual([1, 0]);
    expect(environ['gateway.protocol']).toBe('fastcgi');
    expect(environ['gateway.role']).toBe('responder');
    expect(environ['gateway.url_scheme']).toBe('https');
    expect(environ['gateway.input']).toBe(exchange.input);
    expect(environ['gateway.data']).toBeUndefined();
    expect(environ['gateway.errors']).toBe(exchange.errors);
    expect(environ['gateway.signal']).toBe(exchange.signal);
    expect(environ['gateway.multithread']).toBe(false);
    expect(environ['gateway.multiprocess']).toBe(false);
    expect(environ['gateway.run_once']).toBe(false);
    expect(buildEnviron({ ...exchange, protocol: 'cgi' })['gateway.run_once']).toBe(true);
  });

  it('send early hints, in the forms that headers have', () => {
    const told: unknown[] = [];
    const exchange = {
      ...exchangeOf(['REQUEST_METHOD', 'GET']),
      inform: (...args: unknown[]) => told.push(args) === 1,
    } as Exchange;
    const earlyHints = buildEnviron(exchange)['gateway.early_hints'];
    expect(earlyHints({ Link: ['</a.css>; rel=preload', '</b.js>; rel=preload'] })).toBe(true);
    expect(earlyHints([['Link', '</c>']])).toBe(false);
    expect(told).toEqual([
      [103, ['Link', '</a.css>; rel=preload', 'Link', '</b.js>; rel=preload']],
      [103, ['Link', '</c>']],
    ]);
    expect(() => earlyHints({ Link: undefined as unknown as string })).toThrow('the value of header Link');
  });

  it('tell of the file of a filter', () => {
    const exchange = exchangeOf(['REQUEST_METHOD', 'GET']);
    const filter = { ...exchange, role: 'filter', data: exchange.input } as Exchange;
    expect(buildEnviron(filter)['gateway.data']).toBe(exchange.input);
    expect(buildEnviron(filter)['gateway.role']).toBe('filter');
  });

  it('are no keys of the environ, and no name from the wire takes their place', () => {
    const environ = environOf({ 'gateway.input': 'evil', 'gateway.role': 'evil', 'wsgi.input': 'evil' });
    expect(Object.keys(environ).filter((name) => name.includes('.'))).toEqual([]);
    expect(environ['gateway.role']).toBe('responder');
    expect(environ['wsgi.input']).toBeUndefined();
  });

  it('ask nothing of the exchange before they are read', () => {
    const { head } = exchangeOf(['REQUEST_METHOD', 'GET']);
    const touched: string[] = [];
    const exchange = new Proxy({ head } as Exchange, {
      get(target, name) {
        touched.push(String(name));
        return Reflect.get(target, name);
      },
    });
    const environ = buildEnviron(exchange);
    expect(new Set(touched)).toEqual(new Set(['head']));
    void environ['gateway.input'];
    expect(new Set(touched)).toEqual(new Set(['head', 'input']));
  });
});
