import { describe, expect, it } from '@jest/globals';
import { limitsWith, NameTree, VariableReader } from '@postern/core';
import fc from 'fast-check';
import { readBlock } from '../src/head.ts';
import { encodeRequest } from '../src/request.ts';
import { DEEP_THOUGHT, GET } from './writer.ts';

function encoded(variables: string[], contentLength = 0): string {
  return encodeRequest(variables, contentLength).toString('latin1');
}

describe('encodeRequest', () => {
  it('writes the examples of the specification, byte by byte', () => {
    expect(encoded(['REQUEST_METHOD', 'POST', 'REQUEST_URI', '/deepthought'], 27)).toBe(DEEP_THOUGHT);
    expect(encoded(['REQUEST_METHOD', 'POST'], 5)).toBe(
      '44:CONTENT_LENGTH\x005\x00SCGI\x001\x00REQUEST_METHOD\x00POST\x00,',
    );
    expect(encoded(['REQUEST_METHOD', 'GET', 'REQUEST_URI', '/'])).toBe(GET);
    expect(encoded([])).toBe('24:CONTENT_LENGTH\x000\x00SCGI\x001\x00,');
  });

  it('writes CONTENT_LENGTH first and SCGI second, once, wherever they were given', () => {
    expect(encoded(['SCGI', '2', 'REQUEST_METHOD', 'GET', 'CONTENT_LENGTH', '', 'REQUEST_URI', '/'])).toBe(GET);
  });

  it('counts bytes', () => {
    expect(encoded(['A', '\xe9\xff'])).toBe('29:CONTENT_LENGTH\x000\x00SCGI\x001\x00A\x00\xe9\xff\x00,');
  });

  it('writes any variables so that they are read back', () => {
    const name = fc.stringMatching(/^[!-<>-~]{1,12}$/);
    const value = fc.stringMatching(/^[\x20-\xff]{0,20}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 10 }), fc.nat(1e9), (pairs, length) => {
        const bytes = encodeRequest(pairs.flat(), length);
        const colon = bytes.indexOf(':');
        expect(bytes.toString('latin1', 0, colon)).toBe(String(bytes.length - colon - 2));
        expect(bytes.toString('latin1', bytes.length - 1)).toBe(',');
        const block = bytes.subarray(colon + 1, bytes.length - 1);
        const { names, values } = readBlock(block, new VariableReader(new NameTree()), limitsWith());
        expect(names.names.map((one, i) => [one, values[i]])).toEqual([
          ['CONTENT_LENGTH', String(length)],
          ['SCGI', '1'],
          ...pairs,
        ]);
      }),
    );
  });

  it.each([
    ['an empty name', '', 'x'],
    ['NUL in a name', 'A\0B', 'x'],
    ['a space in a name', 'A B', 'x'],
    ['"=" in a name', 'A=B', 'x'],
    ['a line end in a name', 'A\r\nB', 'x'],
    ['a name that is no ASCII', '\xe9', 'x'],
    ['NUL in a value', 'A', 'x\0REMOTE_USER\0root'],
    ['a character that is no byte', 'A', '\u0100'],
    ['NUL in SCGI, which is not written', 'SCGI', '1\0'],
  ])('refuses %s', (_, name, value) => {
    expect(() => encodeRequest(['REQUEST_METHOD', 'GET', name, value], 0)).toThrow(
      expect.objectContaining({ name: 'LocalProtocolError', code: 'ERR_ENV_VALUE' }),
    );
  });
});
