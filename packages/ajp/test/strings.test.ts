import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PayloadReader, stringText } from '../src/strings.ts';
import { hex } from './writer.ts';

const malformed = expect.objectContaining({ code: 'ERR_AJP_PACKET', scope: 'request', statusHint: 400 });

describe('PayloadReader', () => {
  it('reads integers, strings and null', () => {
    const reader = new PayloadReader(hex('07 01 02 00 02 61 e9 00 00 00 00 ff ff'));
    expect([reader.u8(), reader.u16(), reader.string(), reader.string(), reader.string()]).toEqual([
      7,
      258,
      'a\xe9',
      '',
      undefined,
    ]);
    expect(reader.left).toBe(0);
  });

  it.each([
    ['a string that runs past the end', '7f ff 61 00'],
    ['a string without room for its NUL', '00 01 61'],
    ['a string that does not end with NUL', '00 01 61 62'],
    ['a string with NUL in it', '00 03 61 00 62 00'],
    ['half a length', '00'],
    ['nothing', ''],
  ])('refuses %s', (_, bytes) => {
    expect(() => new PayloadReader(hex(bytes)).string()).toThrow(malformed);
  });

  it('reads nothing that lies behind its slice', () => {
    const bytes = hex('00 02 61 62 00 63');
    expect(() => new PayloadReader(bytes.subarray(0, 4)).string()).toThrow(malformed);
    expect(() => new PayloadReader(bytes.subarray(0, 0)).u8()).toThrow(malformed);
  });

  it('reads names as they stand there, whatever names came before', () => {
    const some = fc.array(fc.string({ unit: fc.constantFrom('a', 'B', '-', '\xe9'), maxLength: 70 }), { minLength: 1 });
    fc.assert(
      fc.property(some, (names) => {
        const all = [...names, ...names];
        const reader = new PayloadReader(Buffer.from(all.map(stringText).join(''), 'latin1'));
        expect(all.map(() => reader.name())).toEqual(all);
        expect(reader.left).toBe(0);
      }),
    );
    expect(new PayloadReader(hex('ff ff')).name()).toBeUndefined();
  });

  it.each([
    ['goes on', '00 03 61 62 63 64 00'],
    ['ends with the payload', '00 03 61 62 63'],
    ['is cut', '00 03 61 62'],
    ['has NUL in it', '00 03 61 00 63 00'],
  ])('refuses a name where one that came %s', (_, bytes) => {
    expect(new PayloadReader(hex('00 03 61 62 63 00')).name()).toBe('abc');
    expect(() => new PayloadReader(hex(bytes)).name()).toThrow(malformed);
    const behind = Buffer.concat([hex(bytes), hex('00 00 00')]);
    expect(() => new PayloadReader(behind, 0, hex(bytes).length).name()).toThrow(malformed);
  });

  it('looks for the end of a name that it knows where that is, amid bytes that end all over', () => {
    const bytes = Buffer.concat([Buffer.alloc(20), hex('00 04 41 42 43 44 2e 00'), Buffer.alloc(20)]);
    expect(new PayloadReader(hex('00 04 41 42 43 44 00')).name()).toBe('ABCD');
    expect(() => new PayloadReader(bytes, 20, 8).name()).toThrow(malformed);
  });

  it('reads what lies amid other bytes', () => {
    const reader = new PayloadReader(hex('ee ee 07 00 01 61 00 00 02 62 63 00 ee ee'), 2, 10);
    expect([reader.u8(), reader.string(), reader.name(), reader.left]).toEqual([7, 'a', 'bc', 0]);
    expect(() => reader.u8()).toThrow(malformed);
    expect(() => reader.u16()).toThrow(malformed);
  });

  it('reads a key size as an integer, and as the string that lighttpd sends', () => {
    expect(new PayloadReader(hex('00 80 ff')).keySize()).toBe(128);
    expect(new PayloadReader(hex('01 00 ff')).keySize()).toBe(256);
    expect(new PayloadReader(hex('00 03 31 32 38 00 ff')).keySize()).toBe(128);
    expect(new PayloadReader(hex('00 05 31 36 33 38 34 00 ff')).keySize()).toBe(16_384);
    expect(new PayloadReader(hex('ff ff ff')).keySize()).toBeUndefined();
  });

  it.each([
    ['is followed by an attribute that ends with a digit', '00 05 06 00 02 31 32 00 ff', 5],
    ['is 0', '00 00 ff', 0],
    ['is shorter than the digits behind it', '00 01 31 32 00 ff', 1],
    ['is longer than the digits behind it', '00 05 31 32 00 31 32 00 ff', 5],
    ['is far longer', '00 06 31 32 33 34 35 36 00 ff', 6],
  ])('takes a key size for an integer where it %s', (_, bytes, size) => {
    const reader = new PayloadReader(hex(bytes));
    expect(reader.keySize()).toBe(size);
    expect(reader.left).toBe(hex(bytes).length - 2);
  });
});
