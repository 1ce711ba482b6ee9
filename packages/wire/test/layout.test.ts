import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fieldSize, layout } from '../src/layout.ts';

const sample = layout('Sample', 'a specification §1', [
  { name: 'one', type: 'uint8', text: '' },
  { name: 'two', type: 'uint16be', text: '' },
  { name: 'little', type: 'uint16le', text: '' },
  { name: 'four', type: 'uint32be', text: '' },
  { name: 'rest', type: 'bytes', length: 3, text: '' },
]);
const bytes = Buffer.from('ff010203040506070809' + '0a0b', 'hex');

describe('a layout', () => {
  it('knows its size, its section and its fields', () => {
    expect(sample).toMatchObject({ name: 'Sample', section: 'a specification §1', size: 12 });
    expect(sample.fields.map(fieldSize)).toEqual([1, 2, 2, 4, 3]);
  });

  it('parses every kind of field', () => {
    expect({ ...sample.parse(bytes) }).toEqual({
      one: 0xff,
      two: 0x0102,
      little: 0x0403,
      four: 0x05060708,
      rest: Buffer.from('090a0b', 'hex'),
    });
  });

  it('parses at an offset, in a view, and leaves trailing bytes alone', () => {
    const padded = Buffer.concat([Buffer.alloc(5, 0xee), bytes, Buffer.alloc(5, 0xee)]);
    expect(sample.parse(padded, 5)).toEqual(sample.parse(bytes));
    expect(sample.parse(new Uint8Array(padded).subarray(5, 17))).toEqual(sample.parse(bytes));
  });

  it('refuses input that is shorter, by however much', () => {
    for (let length = 0; length < 12; length++) {
      expect(() => sample.parse(bytes.subarray(0, length))).toThrow(new RangeError(`Sample: ${length} of 12 bytes`));
    }
    expect(() => sample.parse(bytes, 1)).toThrow(expect.objectContaining({ name: 'RangeError' }));
  });

  it('writes what it parses', () => expect(sample.write(sample.parse(bytes)).equals(bytes)).toBe(true));

  it('writes zeros for fields that are left out', () => {
    expect(sample.write({ two: 1 }).toString('hex')).toBe(`000001${'00'.repeat(9)}`);
    expect(sample.write({}).equals(Buffer.alloc(12))).toBe(true);
  });

  it.each([
    { one: 256 },
    { one: -1 },
    { two: 65_536 },
    { little: 65_536 },
    { four: 4_294_967_296 },
    { rest: Buffer.alloc(2) },
    { rest: Buffer.alloc(4) },
  ])('refuses to write %j, which does not fit', (values) =>
    expect(() => sample.write(values)).toThrow(expect.objectContaining({ name: 'RangeError' })),
  );

  it('is the same both ways for all values', () => {
    const values = fc.record({
      one: fc.integer({ min: 0, max: 0xff }),
      two: fc.integer({ min: 0, max: 0xffff }),
      little: fc.integer({ min: 0, max: 0xffff }),
      four: fc.integer({ min: 0, max: 0xffffffff }),
      rest: fc.uint8Array({ minLength: 3, maxLength: 3 }).map((three) => Buffer.from(three)),
    });
    fc.assert(
      fc.property(values, (one) => {
        const written = sample.write(one);
        expect(written).toHaveLength(12);
        expect({ ...sample.parse(written) }).toEqual(one);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 12 }), (any) => {
        expect([...sample.write(sample.parse(any))]).toEqual([...any]);
      }),
    );
  });

  it('gives objects with the fields alone, in order, which keep a fast shape', () => {
    setFlagsFromString('--allow-natives-syntax');
    const isFast = runInNewContext('(value) => %HasFastProperties(value)') as (value: object) => boolean;
    const results = Array.from({ length: 10 }, () => sample.parse(bytes));
    expect(Object.getOwnPropertyNames(results[0])).toEqual(['one', 'two', 'little', 'four', 'rest']);
    for (const result of results) expect(isFast(result)).toBe(true);
    const slow: Record<string, number> = { a: 1, b: 2 };
    delete slow.a;
    expect(isFast(slow)).toBe(false);
  });
});
