import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { type HttpHead, limitsWith, type RemoteProtocolError } from '@postern/core';
import { type ConnectionVariables, connectionVariables, httpHead } from '../src/http-head.ts';

const connection: ConnectionVariables = {
  scheme: 'http',
  address: '192.0.2.9',
  port: 8080,
  flat: ['REMOTE_ADDR', '192.0.2.1'],
};

function incoming(line: string, rawHeaders: string[], httpVersion = '1.1'): IncomingMessage {
  const req = new IncomingMessage(new Socket());
  [req.method, req.url] = line.split(' ');
  Object.assign(req, { rawHeaders, httpVersion });
  return req;
}

function head(line: string, raw: string[], more: Partial<ConnectionVariables> = {}, version?: string): HttpHead {
  return httpHead(incoming(line, raw, version), { ...connection, ...more }, limitsWith()).head;
}

function variables(of: HttpHead): Record<string, string> {
  const flat = of.variables();
  return Object.fromEntries(flat.filter((_, i) => i % 2 === 0).map((name, i) => [name, flat[i * 2 + 1]]));
}

describe('the head of an HTTP request', () => {
  it('has the variables that a web server would send', () => {
    const all = variables(head('GET /a%2Fb//c/../caf%C3%A9?x=%201', ['Host', 'X.test:81', 'X-One', '1', 'x-one', '2']));
    expect(all).toEqual({
      REQUEST_METHOD: 'GET',
      REQUEST_URI: '/a%2Fb//c/../caf%C3%A9?x=%201',
      SCRIPT_NAME: '',
      PATH_INFO: '/a/b/caf\xc3\xa9',
      QUERY_STRING: 'x=%201',
      SERVER_PROTOCOL: 'HTTP/1.1',
      REQUEST_SCHEME: 'http',
      GATEWAY_INTERFACE: 'CGI/1.1',
      SERVER_NAME: 'X.test',
      SERVER_PORT: '8080',
      REMOTE_ADDR: '192.0.2.1',
      HTTP_HOST: 'X.test:81',
      HTTP_X_ONE: '1, 2',
    });
  });

  it('has names in lower case and values as sent', () => {
    const { method, target, protocol, contentLength, ...rest } = head('POST /', ['Host', 'a', 'Content-LENGTH', '7']);
    expect([method, target, protocol, contentLength]).toEqual(['POST', '/', 'HTTP/1.1', 7]);
    expect(rest.scheme).toBe('http');
    expect(head('GET /', ['X-Bytes', '\xff\xe9']).headers()).toEqual(['x-bytes', '\xff\xe9']);
    expect(head('GET /', [], {}, '1.0').protocol).toBe('HTTP/1.0');
  });

  it.each([
    [['Host', 'a.test'], 'a.test'],
    [['Host', 'a.test:99'], 'a.test'],
    [['Host', '[::1]:99'], '[::1]'],
    [['Host', '192.0.2.5'], '192.0.2.5'],
    [['Host', `"'><img>`], '192.0.2.9'],
    [['Host', 'a b'], '192.0.2.9'],
    [['Host', 'user@a'], '192.0.2.9'],
    [['Host', ''], '192.0.2.9'],
    [[], '192.0.2.9'],
  ])('%j makes SERVER_NAME %s', (raw, name) => {
    expect(variables(head('GET /', raw)).SERVER_NAME).toBe(name);
  });

  it('has a port over a unix socket too: that of Host, or the usual one', () => {
    const unix = { address: undefined, port: undefined };
    expect(variables(head('GET /', ['Host', 'a:81'], unix))).toMatchObject({ SERVER_NAME: 'a', SERVER_PORT: '81' });
    expect(variables(head('GET /', ['Host', 'a'], unix)).SERVER_PORT).toBe('80');
    expect(variables(head('GET /', [], { ...unix, scheme: 'https' }))).toMatchObject({
      SERVER_NAME: 'localhost',
      SERVER_PORT: '443',
      HTTPS: 'on',
      REQUEST_SCHEME: 'https',
    });
  });

  it('has a path without dots however they are written, and none for *', () => {
    for (const target of [
      '/../../etc/passwd',
      '/%2e%2e/%2E%2e/etc/passwd',
      '//etc/./passwd',
      'http://x/a/../etc/passwd',
    ])
      expect(variables(head(`GET ${target}`, [])).PATH_INFO).toBe('/etc/passwd');
    expect(variables(head('OPTIONS *', []))).toMatchObject({ PATH_INFO: '', REQUEST_URI: '*' });
  });

  it('leaves out what is of the connection alone, and what Connection names', () => {
    const hop = [
      'Connection',
      'keep-alive, X-Hop,close',
      'X-Hop',
      '1',
      'Keep-Alive',
      '5',
      'TE',
      'trailers',
      'Upgrade',
      'h2c',
    ];
    const raw = ['X-Kept', '1', ...hop, 'Transfer-Encoding', 'chunked', 'Proxy-Authorization', 'x', 'Host', 'h'];
    expect(head('GET /', raw).headers()).toEqual(['x-kept', '1', 'host', 'h']);
  });

  it('shows Proxy (httpoxy) to no application', () => {
    const one = head('GET /', ['Host', 'a', 'Proxy', 'http://evil.test/']);
    expect(one.headers()).toEqual(['host', 'a']);
    expect(variables(one)).not.toHaveProperty('HTTP_PROXY');
  });

  it('keeps Host and Content-Length although Connection names them', () => {
    const raw = ['Connection', 'Host, Content-Length', 'Host', 'h', 'Content-Length', '5'];
    expect(head('GET /', raw).headers()).toEqual(['host', 'h', 'content-length', '5']);
  });

  it('says whether a body follows', () => {
    const ended = (raw: string[]): boolean => httpHead(incoming('POST /', raw), connection, limitsWith()).ended;
    expect([ended([]), ended(['Content-Length', '0'])]).toEqual([true, true]);
    expect([ended(['Content-Length', '1']), ended(['Transfer-Encoding', 'chunked'])]).toEqual([false, false]);
  });

  it.each<[string[], string, number]>([
    [['Host', 'a', 'host', 'a'], 'ERR_ENV_REPEATED', 400],
    [['X', 'y'.repeat(101)], 'ERR_ENV_ITEM', 431],
    [['X'.repeat(21), 'y'], 'ERR_ENV_ITEM', 431],
  ])('is refused with %j', (raw, code, status) => {
    const limits = limitsWith({ maxValueBytes: 100, maxNameBytes: 20 });
    let error: unknown;
    try {
      httpHead(incoming('GET /', raw), connection, limits);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code, scope: 'request' });
    expect((error as RemoteProtocolError).statusHint).toBe(status);
  });

  it.each([
    ['http://b.test:81/x?y', ['Host', 'a.test'], 'b.test:81', 'b.test'],
    ['HTTPS://b.test', ['X', '1'], 'b.test', 'b.test'],
    ['http://[2001:db8::1]?y', ['Host', ''], '[2001:db8::1]', '[2001:db8::1]'],
  ])('has the host of the target %s, whatever Host says', (target, raw, host, name) => {
    const all = variables(head(`GET ${target}`, raw, { port: undefined }));
    expect(all).toMatchObject({ HTTP_HOST: host, SERVER_NAME: name, REQUEST_URI: target });
  });
});

describe('the variables of a connection', () => {
  it('of a dual-stack socket are IPv4 addresses where the peer is one', () => {
    const socket = new Socket();
    Object.defineProperties(socket, {
      remoteAddress: { value: '::ffff:192.0.2.7' },
      remotePort: { value: 4711 },
      localAddress: { value: '2001:db8::1' },
      localPort: { value: 80 },
    });
    expect(connectionVariables(socket)).toEqual({
      scheme: 'http',
      address: '2001:db8::1',
      port: 80,
      flat: [
        ...['SERVER_SOFTWARE', expect.stringMatching(/^postern\//), 'REMOTE_ADDR', '192.0.2.7', 'REMOTE_PORT', '4711'],
        ...['SERVER_ADDR', '2001:db8::1'],
      ],
    });
  });

  it('of a unix socket name no addresses', () => {
    expect(connectionVariables(new Socket()).flat).toEqual(['SERVER_SOFTWARE', expect.any(String)]);
  });
});
