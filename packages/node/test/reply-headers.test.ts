import { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { newRequest, newResponse, type Outgoing, settledHeaders } from '../src/internals.ts';
import { flattenHeaders, statedLength } from '../src/reply-headers.ts';

function response(): Outgoing {
  return newResponse(ServerResponse, newRequest(IncomingMessage, {} as Socket));
}

function codeOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return undefined;
}

describe('the headers of a response', () => {
  it('are taken from an object, numbers as text, arrays as repeated fields', () => {
    const flat = flattenHeaders(response(), { 'X-Number': 5, 'Set-Cookie': ['a=1', 'b=2'] });
    expect(flat).toEqual(['X-Number', '5', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']);
  });

  it('are taken from a flat array and from an array of pairs', () => {
    expect(flattenHeaders(response(), ['X-A', '1', 'X-A', 2])).toEqual(['X-A', '1', 'X-A', '2']);
    expect(
      flattenHeaders(response(), [
        ['X-A', '1'],
        ['X-B', ['2', '3']],
      ]),
    ).toEqual(['X-A', '1', 'X-B', '2', 'X-B', '3']);
  });

  it('are taken in the order and the letters in which they were set', () => {
    const res = response();
    res.setHeader('X-Second', ['1', '2']);
    res.setHeader('x-FIRST', 3);
    expect(flattenHeaders(res, settledHeaders(res))).toEqual(['X-Second', '1', 'X-Second', '2', 'x-FIRST', '3']);
  });

  it('may be none', () => {
    expect(flattenHeaders(response(), undefined)).toEqual([]);
  });

  it.each([
    ['a name that is no token', { 'a b': '1' }, 'ERR_INVALID_HTTP_TOKEN'],
    ['an empty name', ['', '1'], 'ERR_INVALID_HTTP_TOKEN'],
    ['a name that is no string', [5, '1'], 'ERR_INVALID_HTTP_TOKEN'],
    ['CR', { a: 'b\rc' }, 'ERR_INVALID_CHAR'],
    ['LF in one of several values', { a: ['b', 'b\nc'] }, 'ERR_INVALID_CHAR'],
    ['NUL', [['a', 'b\0']], 'ERR_INVALID_CHAR'],
    ['a character that becomes CR in latin-1', { a: '\u010d\u010a' }, 'ERR_INVALID_CHAR'],
    ['no value', { a: undefined }, 'ERR_HTTP_INVALID_HEADER_VALUE'],
    ['a name without a value', ['a'], 'ERR_INVALID_ARG_VALUE'],
  ])('are refused with %s', (_what, headers, code) => {
    expect(codeOf(() => flattenHeaders(response(), headers))).toBe(code);
  });

  it('may hold bytes above ASCII and tabs', () => {
    expect(flattenHeaders(response(), { a: 'caf\u00e9\tbar' })).toEqual(['a', 'caf\u00e9\tbar']);
  });

  it('tell Content-Length in whatever letters', () => {
    expect(statedLength(['A', '1', 'CONTENT-length', '7'])).toBe('7');
    expect(statedLength(['Content-Lengths', '7'])).toBeUndefined();
  });
});
