import { describe, expect, it } from '@jest/globals';
import { limitsWith, NameTree, VariableReader, type Variables } from '@postern/core';
import fc from 'fast-check';
import { readVars, writeVars } from '../src/vars.ts';
import { block, bytes } from './writer.ts';

const limits = limitsWith();
const code = (code: string, statusHint = 400) => expect.objectContaining({ code, statusHint, scope: 'request' });

function fresh(): VariableReader {
  return new VariableReader(new NameTree());
}

function read(from: Buffer, { reader = fresh(), of = limits } = {}): Variables {
  return readVars(from, reader, of);
}

function entries({ names, values }: Variables): [string, string][] {
  return values.map((value, i) => [names.names[i], value]);
}

const name = fc.stringMatching(/^[!-<>-~]{1,12}$/);
const value = fc.stringMatching(/^[\x20-\xff]{0,20}$/);
const pairs = fc.array(fc.tuple(name, value), { maxLength: 12 });

describe('writeVars', () => {
  it('writes the example of the protocol', () => {
    expect(writeVars(['REQUEST_METHOD', 'GET'])).toEqual(bytes('\x0e\x00REQUEST_METHOD\x03\x00GET'));
    expect(writeVars([])).toHaveLength(0);
  });

  it('writes what is read back, and the bytes that are written by hand', () => {
    fc.assert(
      fc.property(pairs, (sent) => {
        const written = writeVars(sent.flat());
        expect(written).toEqual(block(...sent.flat()));
        expect(entries(read(written))).toEqual(sent);
      }),
    );
  });

  it('has room for 65,535 bytes, not for one more', () => {
    const first = ['A', 'x'.repeat(40_000)];
    const rest = 65_535 - block(...first).length - 4 - 1;
    expect(writeVars([...first, 'B', 'y'.repeat(rest)])).toHaveLength(65_535);
    const tooLong = expect.objectContaining({ name: 'LocalProtocolError', code: 'ERR_ENV_BYTES' });
    expect(() => writeVars([...first, 'B', 'y'.repeat(rest + 1)])).toThrow(tooLong);
    expect(() => writeVars(['A', 'x'.repeat(70_000)])).toThrow(tooLong);
    expect(() => writeVars(['A'.repeat(70_000), ''])).toThrow(tooLong);
  });

  it.each([
    ['an empty name', '', 'x'],
    ['NUL in a name', 'A\0', 'x'],
    ['"=" in a name', 'A=B', 'x'],
    ['a space in a name', 'A B', 'x'],
    ['a line end in a name', 'A\n', 'x'],
    ['a name that is no ASCII', '\xe9', 'x'],
    ['NUL in a value', 'A', 'x\0'],
    ['a character that is no byte', 'A', '\u0100'],
  ])('refuses %s', (_, name, value) => {
    expect(() => writeVars(['REQUEST_METHOD', 'GET', name, value])).toThrow(
      expect.objectContaining({ name: 'LocalProtocolError', code: 'ERR_ENV_VALUE' }),
    );
  });
});

describe('readVars', () => {
  it('reads what is written, whatever was read before with the same reader', () => {
    fc.assert(
      fc.property(pairs, pairs, fc.nat(12), (one, other, shared) => {
        const reader = fresh();
        for (const sent of [one, [...one.slice(0, shared), ...other], one])
          expect(entries(read(block(...sent.flat()), { reader }))).toEqual(sent);
      }),
    );
  });

  it('reads the same behind a block that was refused', () => {
    const reader = fresh();
    for (const refused of [bytes('\x01'), bytes('\x00\x00'), block('A B', '1'), block('HTTP_A', '1\n', 'B', '2')])
      expect(() => read(refused, { reader })).toThrow(expect.objectContaining({ scope: 'request' }));
    expect(entries(read(block('HTTP_A', '1', 'B', '2'), { reader }))).toEqual([
      ['HTTP_A', '1'],
      ['B', '2'],
    ]);
  });

  it('refuses a block that is cut anywhere but behind a pair', () => {
    fc.assert(
      fc.property(pairs, (sent) => {
        const all = block(...sent.flat());
        const ends = sent.map((_, i) => block(...sent.slice(0, i + 1).flat()).length);
        for (let length = 0; length <= all.length; length++) {
          const cut = (): Variables => read(all.subarray(0, length));
          if (length === 0 || ends.includes(length)) expect(cut().values).toHaveLength(ends.indexOf(length) + 1);
          else expect(cut).toThrow(code('ERR_UWSGI_BLOCK'));
        }
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    ['x', 'the block ends where a size should be'],
    ['\x01\x00A', 'the block ends where a size should be'],
    ['\x01\x00A\x01', 'the block ends where a size should be'],
    ['\x00\x00', 'a name is empty'],
    ['\x01\x00A\x09\x00x', 'a value of 9 bytes, 1 are left'],
  ])('says what is wrong with the block %j', (text, message) => {
    expect(() => read(bytes(text))).toThrow(message);
  });

  it('reads nothing outside the block', () => {
    const inside = Buffer.concat([bytes('\x01\x00'), block('B', '1'), block('C', '')]);
    expect(entries(read(inside.subarray(2, 8)))).toEqual([['B', '1']]);
    expect(() => read(inside.subarray(2, 7))).toThrow(code('ERR_UWSGI_BLOCK'));
  });

  it('keeps names and values of one to 300 bytes apart, whatever their lengths are', () => {
    for (const length of [1, 127, 128, 255, 256])
      expect(entries(read(block('N'.repeat(length), 'v'.repeat(length + 1))))).toEqual([
        ['N'.repeat(length), 'v'.repeat(length + 1)],
      ]);
  });

  it('counts variables, and the bytes of names and values', () => {
    const many = (count: number): Buffer => block(...Array.from({ length: count }, (_, i) => [`N${i}`, '']).flat());
    expect(read(many(1000)).values).toHaveLength(1000);
    expect(() => read(many(1001))).toThrow(code('ERR_ENV_COUNT', 431));
    const reader = fresh();
    expect(read(block('N'.repeat(256), ''), { reader }).values).toHaveLength(1);
    expect(() => read(block('N'.repeat(257), ''), { reader })).toThrow(code('ERR_ENV_ITEM', 431));
    const of = limitsWith({ maxNameBytes: 255, maxValueBytes: 10 });
    expect(() => read(block('N'.repeat(256), ''), { reader, of })).toThrow(code('ERR_ENV_ITEM', 431));
    expect(read(block('A', 'v'.repeat(10)), { of }).values).toHaveLength(1);
    expect(() => read(block('A', 'v'.repeat(11)), { of })).toThrow(code('ERR_ENV_ITEM', 431));
  });
});
