import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it, jest } from '@jest/globals';
import { headerRecord } from '../src/header-records.ts';

/** Enough for code to be made. */
const OFTEN = 40;

function flatOf(names: readonly string[], value: unknown): string[] {
  return names.flatMap((name, i) => [name, `${value} of ${i}`]);
}

/** What node:http makes of the same. */
function nodeHeaders(flat: string[]): unknown {
  const req = new IncomingMessage(new Socket());
  (req as unknown as { _addHeaderLines(flat: string[], count: number): void })._addHeaderLines(flat, flat.length);
  return req.headers;
}

/** The last of many requests with these names. */
function lastRecord(names: readonly string[]): unknown {
  for (let i = 0; i < OFTEN; i++) headerRecord(flatOf(names, i));
  return headerRecord(flatOf(names, 'last'));
}

describe('the headers of requests with the same names', () => {
  it.each([
    ['ordinary ones', ['host', 'user-agent', 'accept', 'cookie']],
    ['none', []],
    ['names that objects have', ['constructor', 'tostring', '--proto--', 'hasownproperty']],
    ['numbers', ['x-b', '10', '2', 'x-a']],
    ['marks', ["x'", 'x`', 'x$', '!#%&*+.^_|~']],
    ['sixty-four', Array.from({ length: 64 }, (_, i) => `x-${i}`)],
  ])('are made as node:http makes them: %s', (_, names) => {
    const made = lastRecord(names);
    const expected = nodeHeaders(flatOf(names, 'last'));
    expect(made).toEqual(expected);
    expect(Object.entries(made as object)).toEqual(Object.entries(expected as object));
    expect(Object.getPrototypeOf(made)).toBe(Object.prototype);
  });

  it('are an object of its own for each request', () => {
    const names = ['host', 'x-own'];
    lastRecord(names);
    const one = headerRecord(flatOf(names, 'one')) as Record<string, string>;
    one['x-added'] = 'by the application';
    expect(headerRecord(flatOf(names, 'two'))).toEqual({ host: 'two of 0', 'x-own': 'two of 1' });
    expect(one['x-own']).toBe('one of 1');
  });

  it('are told apart where only the last name differs, and come by turns', () => {
    const kinds = ['a', 'b', 'c'].map((end) => ['host', 'x-turn', end]);
    for (let i = 0; i < OFTEN; i++) for (const names of kinds) headerRecord(flatOf(names, i));
    for (const names of kinds) expect(headerRecord(flatOf(names, 'x'))).toEqual(nodeHeaders(flatOf(names, 'x')));
  });

  it.each([
    ['seldom seen', ['host', 'x-seldom'], 1],
    ['a name that is there twice', ['host', 'x-twice', 'x-twice'], OFTEN],
    ['Set-Cookie, which is an array', ['host', 'set-cookie'], OFTEN],
    ['a name that is no property', ['host', '__proto__'], OFTEN],
    ['more than sixty-four', Array.from({ length: 65 }, (_, i) => `x-${i}`), OFTEN],
  ])('are left to Node: %s', (_, names, times) => {
    for (let i = 0; i < times; i++) expect(headerRecord(flatOf(names, i))).toBeUndefined();
  });

  it('are left to Node where a client makes up ever new names, and known ones stay known', () => {
    const known = ['host', 'x-known', 'x-known-too'];
    lastRecord(known);
    for (let i = 0; i < 1000; i++) expect(headerRecord(flatOf(['host', 'x-flood', `x-${i}`], i))).toBeUndefined();
    expect(headerRecord(flatOf(known, 'x'))).toEqual(nodeHeaders(flatOf(known, 'x')));
    expect(lastRecord(['host', 'x-late', 'x-later'])).toEqual({
      host: 'last of 0',
      'x-late': 'last of 1',
      'x-later': 'last of 2',
    });
  });

  it('are left to Node where no code may be made', () => {
    // as with --disallow-code-generation-from-strings
    const forbidden = jest.spyOn(globalThis, 'Function').mockImplementation(() => {
      throw new EvalError('Code generation from strings disallowed for this context');
    });
    try {
      const names = ['host', 'x-forbidden'];
      for (let i = 0; i < OFTEN; i++) expect(headerRecord(flatOf(names, i))).toBeUndefined();
      expect(forbidden).toHaveBeenCalledTimes(1);
    } finally {
      forbidden.mockRestore();
    }
  });
});
