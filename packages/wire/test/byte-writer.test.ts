import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteWriter } from '../src/byte-writer.ts';

describe('ByteWriter', () => {
  it('writes integers, bytes, latin-1 and zeros one behind the other', () => {
    const writer = new ByteWriter();
    writer.u8(0xff).u16be(0x0102).u16le(0x0304).u32be(0x80000001).bytes(Uint8Array.of(7)).latin1('a\xff').zeros(2);
    expect(writer.view().toString('hex')).toBe('ff0102040380000001' + '07' + '61ff' + '0000');
    expect(writer.length).toBe(14);
  });

  it.each([0, 1, 3, 256])('grows from %d bytes and keeps what was written', (capacity) => {
    const writer = new ByteWriter(capacity);
    for (let i = 0; i < 1000; i++) writer.u16be(i);
    const view = writer.view();
    expect(view).toHaveLength(2000);
    for (let i = 0; i < 1000; i++) expect(view.readUInt16BE(i * 2)).toBe(i);
  });

  it('leaves no byte of other memory between what it wrote', () => {
    const writer = new ByteWriter(1);
    writer.zeros(5000).latin1('x'.repeat(3)).zeros(5000);
    expect(writer.view().equals(Buffer.concat([Buffer.alloc(5000), Buffer.from('xxx'), Buffer.alloc(5000)]))).toBe(
      true,
    );
  });

  it('overwrites a length that is known late', () => {
    const writer = new ByteWriter();
    writer.u8(1).u16be(0).latin1('abc');
    writer.setU16be(3, 1);
    expect(writer.view().toString('hex')).toBe('010003616263');
  });

  it.each([
    ['u8', 256],
    ['u8', -1],
    ['u16be', 65_536],
    ['u16le', -1],
    ['u32be', 4_294_967_296],
  ] as const)('%s refuses %d', (method, value) => {
    expect(() => new ByteWriter()[method](value)).toThrow(expect.objectContaining({ name: 'RangeError' }));
  });

  it('writes what was asked for, in any order', () => {
    const part = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => ({ bytes })),
      fc.integer({ min: 0, max: 255 }).map((u8) => ({ u8 })),
      fc.integer({ min: 0, max: 0xffffffff }).map((u32) => ({ u32 })),
    );
    fc.assert(
      fc.property(fc.array(part), fc.nat(64), (parts, capacity) => {
        const writer = new ByteWriter(capacity);
        const model: number[] = [];
        for (const one of parts) {
          if ('bytes' in one) {
            writer.bytes(one.bytes);
            model.push(...one.bytes);
          } else if ('u8' in one) {
            writer.u8(one.u8);
            model.push(one.u8);
          } else {
            writer.u32be(one.u32);
            model.push(one.u32 >>> 24, (one.u32 >>> 16) & 255, (one.u32 >>> 8) & 255, one.u32 & 255);
          }
        }
        expect([...writer.view()]).toEqual(model);
      }),
    );
  });
});
