import { describe, expect, it } from '@jest/globals';
import { buildEnviron, type Exchange } from '@postern/core';
import { AjpHead, type RequestLine } from '../src/ajp-head.ts';
import { Variables } from '../src/variables.ts';

/** More requests than it takes until an environ has a class. */
const MANY = 40;

function head(flat: string[], more: Partial<RequestLine> = {}): AjpHead {
  const variables = new Variables();
  for (let i = 0; i < flat.length; i += 2) variables.add(flat[i], flat[i + 1]);
  const line = {
    method: 'GET',
    target: '/a%20b?q=1',
    protocol: 'HTTP/1.1',
    scheme: 'http',
    contentLength: -1,
  } as const;
  return new AjpHead({ ...line, ...more }, variables.names, variables.values);
}

function pairs(flat: readonly string[]): Record<string, string> {
  return Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]]] : [])));
}

const line = {
  REQUEST_URI: '/a%20b?q=1',
  QUERY_STRING: 'q=1',
  SERVER_PROTOCOL: 'HTTP/1.1',
  REQUEST_SCHEME: 'http',
  GATEWAY_INTERFACE: 'CGI/1.1',
};

describe('AjpHead', () => {
  it('has the variables that came, and those of the request line', () => {
    const one = head(['REQUEST_METHOD', 'GET', 'HTTP_HOST', 'a', 'REMOTE_PORT', '9']);
    expect(pairs(one.variables())).toEqual({ ...line, REQUEST_METHOD: 'GET', HTTP_HOST: 'a', REMOTE_PORT: '9' });
    expect(one.headers()).toEqual(['host', 'a']);
  });

  it('hands header fields out as they came, and joins them where they are variables', () => {
    const flat = ['HTTP_X_A', '1', 'HTTP_COOKIE', 'a=1', 'HTTP_X_A', '1', 'HTTP_COOKIE', 'b=2', 'HTTP_X_A', '2'];
    const one = head(flat);
    expect(one.headers()).toEqual(['x-a', '1', 'cookie', 'a=1', 'x-a', '1', 'cookie', 'b=2', 'x-a', '2']);
    expect(pairs(one.variables())).toEqual({ ...line, HTTP_X_A: '1, 1, 2', HTTP_COOKIE: 'a=1; b=2' });
    expect(one.variables()).toHaveLength(14);
  });

  it('takes the last of other variables that come several times', () => {
    const one = head(['SSL_CIPHER', 'A', 'HTTP_HOST', 'a', 'SSL_CIPHER', 'B']);
    expect(one.variables().slice(-4)).toEqual(['SSL_CIPHER', 'B', 'HTTP_HOST', 'a']);
  });

  it.each([
    [[], [], {}],
    [['HTTP_X', '1', 'HTTP_X', '2'], ['x', '1', 'x', '2'], { HTTP_X: '1, 2' }],
  ])('leaves a length of 0 out where the method has no body, with %j', (more, fields, variables) => {
    const flat = ['CONTENT_LENGTH', '0', ...more];
    expect(head(flat, { contentLength: 0 }).headers()).toEqual(fields);
    expect(pairs(head(flat, { contentLength: 0 }).variables())).toEqual({ ...line, ...variables });
    const posted = head(flat, { contentLength: 0, method: 'POST' });
    expect(posted.headers()).toEqual(['content-length', '0', ...fields]);
    expect(pairs(posted.variables()).CONTENT_LENGTH).toBe('0');
    expect(head(['CONTENT_LENGTH', '5'], { contentLength: 5 }).headers()).toEqual(['content-length', '5']);
  });

  it.each([
    [['REQUEST_METHOD', 'GET', 'HTTP_HOST', 'a', 'REMOTE_PORT', '9']],
    [['REQUEST_METHOD', 'GET', 'CONTENT_LENGTH', '0', 'HTTP_HOST', 'a']],
    [['REQUEST_METHOD', 'POST', 'CONTENT_TYPE', 'text/plain', 'HTTP_HOST', 'a']],
    [['REQUEST_METHOD', 'GET', 'HTTP_X', '1', 'HTTP_X', '2', 'SSL_CIPHER', 'A', 'SSL_CIPHER', 'B']],
  ])('gives an environ of %j the same variables, however often they come', (flat) => {
    for (let i = 0; i < MANY; i++) {
      const one = head(flat, { contentLength: 0 });
      const environ = buildEnviron({ head: one, protocol: 'ajp', role: 'responder' } as unknown as Exchange);
      expect({ ...environ }).toEqual({ ...pairs(one.variables()), SCRIPT_NAME: '', PATH_INFO: '/a b' });
    }
  });
});
