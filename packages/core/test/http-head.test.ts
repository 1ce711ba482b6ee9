import { describe, expect, it } from '@jest/globals';
import { HttpHead } from '../src/http-head.ts';

function head(
  headers: string[],
  more: Partial<ConstructorParameters<typeof HttpHead>[0]> = {},
  connection: string[] = [],
) {
  const line = { method: 'GET', target: '/', protocol: 'HTTP/1.1', scheme: 'http' as const, contentLength: -1 };
  return new HttpHead({ ...line, ...more }, headers, connection);
}

function variables(from: HttpHead): Record<string, string> {
  const flat = from.variables();
  return Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]]] : [])));
}

describe('HttpHead', () => {
  it('makes CGI variables of the request line and of what the web server vouches for', () => {
    const one = head([], { method: 'POST', target: '/a%20b?q=1', scheme: 'https' }, ['REMOTE_ADDR', '::1']);
    expect(variables(one)).toEqual({
      REQUEST_METHOD: 'POST',
      REQUEST_URI: '/a%20b?q=1',
      QUERY_STRING: 'q=1',
      SERVER_PROTOCOL: 'HTTP/1.1',
      REQUEST_SCHEME: 'https',
      GATEWAY_INTERFACE: 'CGI/1.1',
      REMOTE_ADDR: '::1',
      HTTPS: 'on',
    });
    expect(variables(head([]))).not.toHaveProperty('HTTPS');
  });

  it('hands the header fields out as they came', () => {
    const flat = ['host', 'a', 'x-a', '1', 'x-a', '2'];
    expect(head(flat).headers()).toEqual(flat);
  });

  it('leaves a length of 0 out where the method has no body', () => {
    const flat = ['host', 'a', 'Content-Length', '0', 'x', '1'];
    expect(head(flat, { contentLength: 0 }).headers()).toEqual(['host', 'a', 'x', '1']);
    expect(variables(head(flat, { contentLength: 0 }))).not.toHaveProperty('CONTENT_LENGTH');
    expect(head(flat, { contentLength: 0, method: 'POST' }).headers()).toEqual(flat);
    expect(variables(head(flat, { contentLength: 0, method: 'POST' })).CONTENT_LENGTH).toBe('0');
  });

  it('names a header field as RFC 3875 does, and joins repeated ones', () => {
    const one = head([
      'content-type',
      't',
      'content-length',
      '3',
      'x-a',
      '1',
      'cookie',
      'a=1',
      'X-A',
      '2',
      'cookie',
      'b=2',
    ]);
    expect(variables(one)).toMatchObject({
      CONTENT_TYPE: 't',
      CONTENT_LENGTH: '3',
      HTTP_X_A: '1, 2',
      HTTP_COOKIE: 'a=1; b=2',
    });
    expect(variables(one)).not.toHaveProperty('HTTP_CONTENT_TYPE');
  });

  it.each(['x_a', 'content_length', 'transfer_encoding', '__proto__', 'proxy', 'Proxy', 'transfer-encoding'])(
    'has no variable for the field %s',
    (name) => {
      expect(Object.keys(variables(head([name, 'evil'])))).toEqual(Object.keys(variables(head([]))));
    },
  );

  it('cannot be told the hyphen for the underscore', () => {
    expect(variables(head(['x_user', 'evil', 'x-user', 'good'])).HTTP_X_USER).toBe('good');
    expect(variables(head(['x-user', 'good', 'x_user', 'evil'])).HTTP_X_USER).toBe('good');
  });

  it('leaves an empty Content-Type and Content-Length out, and keeps other empty values', () => {
    const one = variables(head(['content-type', '', 'content-length', '', 'x-a', '']));
    expect(one).not.toHaveProperty('CONTENT_TYPE');
    expect(one).not.toHaveProperty('CONTENT_LENGTH');
    expect(one.HTTP_X_A).toBe('');
  });
});
