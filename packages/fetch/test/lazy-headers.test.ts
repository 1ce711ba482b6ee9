import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { LazyHeaders } from '../src/lazy-headers.ts';

const list = [
  'host',
  'site.test',
  'accept',
  'text/html',
  'x-list',
  'a',
  'cookie',
  'a=1',
  'x-list',
  ' b\t',
  'cookie',
  'b=2',
];

function native(): Headers {
  const headers = new Headers();
  for (let i = 0; i < list.length; i += 2) headers.append(list[i], list[i + 1]);
  return headers;
}

describe('the headers of a request', () => {
  it('are read in one pass, whatever blanks stand inside a value', () => {
    const value = `a${' '.repeat(200_000)}b`;
    const began = performance.now();
    expect(new LazyHeaders(['x-a', ` ${value}\n`]).get('x-a')).toBe(value);
    // far below what a pass for each blank takes, far above what one takes
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it('are an instance of Headers', () => {
    const headers = new LazyHeaders(list);
    expect(headers instanceof Headers).toBe(true);
    expect(Object.prototype.toString.call(headers)).toBe('[object Headers]');
  });

  it.each(['host', 'Accept', 'X-LIST', 'cookie', 'absent', '__proto__'])(
    'say of %s what native ones say, before and after these are built',
    (name) => {
      const headers = new LazyHeaders(list);
      for (let time = 0; time < 2; time++) {
        expect(headers.get(name)).toBe(native().get(name));
        expect(headers.has(name)).toBe(native().has(name));
        headers.native();
      }
    },
  );

  it('refuse a name that is none as native ones do', () => {
    expect(() => new LazyHeaders(list).get('a b')).toThrow();
    expect(() => new LazyHeaders(list).has('')).toThrow();
    expect(new LazyHeaders(['undefined', 'x']).get(undefined as unknown as string)).toBe('x');
  });

  it('are listed sorted and joined, in every way there is', () => {
    const headers = new LazyHeaders(list);
    const expected = [...native()];
    expect([...headers]).toEqual(expected);
    expect([...headers.entries()]).toEqual(expected);
    expect([...headers.keys()]).toEqual(expected.map(([name]) => name));
    expect([...headers.values()]).toEqual(expected.map(([, value]) => value));
    const seen: unknown[] = [];
    const self = {};
    headers.forEach(function (this: unknown, value, name, parent) {
      seen.push([name, value]);
      expect(this).toBe(self);
      expect(parent).toBe(headers);
    }, self);
    expect(seen).toEqual(expected);
    expect([...new Headers(headers)]).toEqual(expected);
  });

  it('can be changed', () => {
    const headers = new LazyHeaders(list);
    headers.set('accept', 'text/plain');
    headers.append('x-list', 'c');
    headers.delete('host');
    expect([headers.get('accept'), headers.get('x-list'), headers.has('host')]).toEqual([
      'text/plain',
      'a, b, c',
      false,
    ]);
    expect(headers.getSetCookie()).toEqual([]);
  });

  it('are changed as native ones are, and what they were made of is not', () => {
    const before = [...list];
    const changes: ((headers: Headers) => void)[] = [
      (headers) => headers.set('X-List', 'new'),
      (headers) => headers.append('X-List', 'c'),
      (headers) => headers.delete('Cookie'),
      (headers) => headers.append('cookie', 'c=3'),
      (headers) => headers.set('absent', ' \tblank '),
      (headers) => headers.append('x-number', 5 as unknown as string),
      (headers) => headers.delete('not-there'),
    ];
    for (const first of changes) {
      for (const second of changes) {
        const [lazy, expected] = [new LazyHeaders(list), native()];
        for (const change of [first, second]) {
          change(lazy);
          change(expected);
        }
        for (const name of ['host', 'x-list', 'cookie', 'absent', 'x-number'])
          expect([name, lazy.get(name), lazy.has(name)]).toEqual([name, expected.get(name), expected.has(name)]);
        expect([...lazy]).toEqual([...expected]);
      }
    }
    expect(list).toEqual(before);
  });

  it('refuse what native ones refuse', () => {
    for (const value of ['a\nb', '\0', '\u20ac', Symbol('value')]) {
      for (const way of ['set', 'append'] as const)
        expect(() => new LazyHeaders(list)[way]('x-list', value as string)).toThrow();
    }
    for (const name of ['', 'a b', '\xe9']) {
      expect(() => new LazyHeaders(list).set(name, 'value')).toThrow();
      expect(() => new LazyHeaders(list).delete(name)).toThrow();
    }
  });

  it('keep bytes above 0x7F', () => {
    const headers = new LazyHeaders(['x-name', 'caf\xe9']);
    expect(headers.get('x-name')).toBe('caf\xe9');
    expect([...headers]).toEqual([['x-name', 'caf\xe9']]);
  });

  it('leave out a field whose name is no token', () => {
    const headers = new LazyHeaders(['x(y', '1', 'accept', '*/*']);
    expect([...headers]).toEqual([['accept', '*/*']]);
  });

  it('are shown by inspect', () => {
    expect(inspect(new LazyHeaders(['accept', '*/*']))).toBe(inspect(new Headers({ accept: '*/*' })));
  });
});
