import { describe, expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import fc from 'fast-check';
import { readBlock, readHead } from '../src/head.ts';
import { block, bytes } from './writer.ts';

const limits = limitsWith();
const code = (code: string, statusHint = 400) => expect.objectContaining({ code, statusHint, scope: 'request' });

describe('readBlock', () => {
  it('reads the same with and without a guess at the names', () => {
    const name = fc.stringMatching(/^[A-Z_]{1,12}$/);
    const value = fc.stringMatching(/^[\x01-\xff]{0,20}$/);
    const pairs = fc.array(fc.tuple(name, value), { maxLength: 12 });
    fc.assert(
      fc.property(pairs, pairs, fc.nat(12), (one, other, shared) => {
        const first = readBlock(bytes(block(...one.flat())), undefined, limits);
        const mixed = [...one.slice(0, shared), ...other];
        const second = readBlock(bytes(block(...mixed.flat())), first.names, limits);
        expect(second.names.names).toEqual(mixed.map(([name]) => name));
        expect(second.values).toEqual(mixed.map(([, value]) => value));
      }),
    );
  });

  it('shares the names of the request before where they are the same', () => {
    const first = readBlock(bytes(block('A', '1', 'B', '2')), undefined, limits);
    expect(readBlock(bytes(block('A', '', 'B', '3')), first.names, limits).names).toBe(first.names);
  });

  it('is not misled by a name that only begins like the one before', () => {
    const first = readBlock(bytes(block('AB', '1')), undefined, limits);
    expect(readBlock(bytes(block('ABC', '1')), first.names, limits).names.names).toEqual(['ABC']);
    expect(readBlock(bytes(block('A', '1')), first.names, limits).names.names).toEqual(['A']);
  });

  it.each([
    ['a last value without NUL', 'A\0b'],
    ['a last name without NUL', 'A\0b\0C'],
    ['a name without a value', 'A\0b\0C\0'],
    ['an empty name', '\0x\0'],
    ['a value that holds NUL', 'A\0b\0c\0'],
    ['65,537 empty pairs', '\0\0'.repeat(65_537)],
  ])('refuses %s', (_, text) => {
    expect(() => readBlock(bytes(text), undefined, limits)).toThrow(code('ERR_SCGI_HEADERS'));
  });

  it('counts variables, and the bytes of names and values', () => {
    const many = (count: number) => bytes(block(...Array.from({ length: count }, (_, i) => [`N${i}`, '']).flat()));
    expect(readBlock(many(1000), undefined, limits).values.length).toBe(1000);
    expect(() => readBlock(many(1001), undefined, limits)).toThrow(code('ERR_ENV_COUNT', 431));
    const long = readBlock(bytes(block('N'.repeat(256), 'v'.repeat(65_535))), undefined, limits);
    expect(long.values[0].length).toBe(65_535);
    expect(() => readBlock(bytes(block('N'.repeat(257), '')), undefined, limits)).toThrow(code('ERR_ENV_ITEM', 431));
    expect(() => readBlock(bytes(block('N', 'v'.repeat(65_536))), undefined, limits)).toThrow(
      code('ERR_ENV_ITEM', 431),
    );
    const narrow = limitsWith({ maxNameBytes: 255 });
    expect(() => readBlock(bytes(block('N'.repeat(256), '')), long.names, narrow)).toThrow(code('ERR_ENV_ITEM', 431));
  });
});

describe('readHead', () => {
  const head = (...flat: string[]) => readHead(bytes(block('REQUEST_METHOD', 'GET', ...flat)), limits);

  it('wants CONTENT_LENGTH, anywhere', () => {
    expect(head('SCGI', '1', 'CONTENT_LENGTH', '27').contentLength).toBe(27);
    expect(() => head('SCGI', '1')).toThrow(code('ERR_SCGI_HEADERS'));
    expect(() => head('CONTENT_LENGTH', '')).toThrow(code('ERR_SCGI_HEADERS'));
    expect(() => head('content_length', '0')).toThrow(code('ERR_SCGI_HEADERS'));
  });

  it.each(['-1', '+5', '5 ', ' 5', '0x10', '1e3', '5,5', '5;', '5.0', '1_000', '9007199254740993', '\xef\xbc\x95'])(
    'refuses CONTENT_LENGTH %j',
    (length) => {
      expect(() => head('CONTENT_LENGTH', length)).toThrow(code('ERR_ENV_LENGTH'));
    },
  );

  it('refuses two different CONTENT_LENGTH', () => {
    expect(head('CONTENT_LENGTH', '27', 'CONTENT_LENGTH', '27').contentLength).toBe(27);
    expect(() => head('CONTENT_LENGTH', '27', 'CONTENT_LENGTH', '28')).toThrow(code('ERR_ENV_REPEATED'));
  });

  it.each(['0', '2', '11', ''])('refuses SCGI=%j', (version) => {
    expect(() => head('CONTENT_LENGTH', '0', 'SCGI', version)).toThrow(code('ERR_SCGI_HEADERS'));
  });

  it('does without the variable SCGI', () => {
    expect(head('CONTENT_LENGTH', '0').method).toBe('GET');
  });

  it('keeps what must not reach an application out of both views', () => {
    const { variables, headers } = {
      variables: head(
        'CONTENT_LENGTH',
        '0',
        'HTTP_PROXY',
        'x',
        'HTTP_CONTENT_LENGTH',
        '9',
        '__proto__',
        'y',
      ).variables(),
      headers: head('CONTENT_LENGTH', '0', 'HTTP_PROXY', 'x', 'HTTP_CONTENT_LENGTH', '9').headers(),
    };
    expect(variables).toEqual(['REQUEST_METHOD', 'GET', 'CONTENT_LENGTH', '0']);
    expect(headers).toEqual(['content-length', '0']);
    expect(() => head('CONTENT_LENGTH', '0', 'HTTP_A', 'x\r\ny')).toThrow(code('ERR_ENV_VALUE'));
  });
});
