import { describe, expect, it } from '@jest/globals';
import { requestMethod } from '../src/request-method.ts';

describe('the method of a request', () => {
  it.each([
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'DELETE',
    'OPTIONS',
    'PATCH',
    'get',
    'Post',
    'options',
    'PROPFIND',
    'QUERY',
    'x-own',
  ])('%s is what a native Request makes of it', (method) => {
    expect(requestMethod(method)).toBe(new Request('http://site.test/', { method }).method);
  });

  it.each(['CONNECT', 'TRACE', 'TRACK', 'trace', 'Connect'])('%s has no Request', (method) => {
    expect(() => new Request('http://site.test/', { method })).toThrow();
    expect(requestMethod(method)).toBeUndefined();
  });
});
