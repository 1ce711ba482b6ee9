import { describe, expect, it } from '@jest/globals';
import { limitsWith, NameTree, VariableReader } from '@postern/core';
import { ByteQueue } from '@postern/wire';
import fc from 'fast-check';
import { PONG } from '../src/constants.ts';
import { uwsgiFormat } from '../src/head.ts';
import { itemHeader, packetHeader } from '../src/layouts.ts';
import { uwsgiRequests } from '../src/request.ts';
import { readVars, writeVars } from '../src/vars.ts';
import { bytes } from './writer.ts';

const u8 = fc.integer({ min: 0, max: 255 });

describe('what is read by hand', () => {
  it('reads a packet header as its layout says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 65_535 }), (datasize) => {
        const head = uwsgiFormat({}).head(limitsWith(), {});
        const input = new ByteQueue();
        input.push(packetHeader.write({ datasize }));
        expect(head.takeLength(input)).toBe(true);
        expect(input.length).toBe(0);
        input.push(Buffer.alloc(datasize - 1));
        expect(head.takeBlock(input)).toBeUndefined();
        input.push(Buffer.alloc(1));
        // all of the block is there: it is looked at, and an empty name is not allowed
        expect(() => head.takeBlock(input)).toThrow(expect.objectContaining({ code: 'ERR_UWSGI_BLOCK' }));
        expect(input.length).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('tells the modifiers of a packet header as its layout says', () => {
    const notLetter = u8.filter((byte) => byte < 0x41 || byte > 0x5a);
    fc.assert(
      fc.property(notLetter, u8, (modifier1, modifier2) => {
        fc.pre(modifier1 !== 0 || modifier2 !== 0);
        const head = uwsgiFormat({}).head(limitsWith(), {});
        const input = new ByteQueue();
        input.push(packetHeader.write({ modifier1, modifier2, datasize: 9 }));
        expect(head.takeLength(input)).toBe(true);
        expect(() => head.takeBlock(input)).toThrow(
          expect.objectContaining({ message: `modifiers ${modifier1} and ${modifier2} are not served` }),
        );
      }),
    );
  });

  it('reads names and values as their layout says', () => {
    const lengths = fc.integer({ min: 1, max: 256 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 0, max: 65_000 }), (nameSize, valueSize) => {
        const name = 'N'.repeat(nameSize);
        const value = 'v'.repeat(valueSize);
        const block = Buffer.concat([
          itemHeader.write({ size: nameSize }),
          bytes(name),
          itemHeader.write({ size: valueSize }),
          bytes(value),
        ]);
        const { names, values } = readVars(block, new VariableReader(new NameTree()), limitsWith());
        expect([names.names, values]).toEqual([[name], [value]]);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the layouts', () => {
  it('are named, and their source is', () => {
    expect([packetHeader, itemHeader].map(({ name, section }) => [name, section])).toEqual([
      ['uwsgi_packet_header', 'The uwsgi protocol'],
      ['uwsgi_item', 'The uwsgi protocol'],
    ]);
  });
});

describe('what is written', () => {
  it('writes names and values as their layout says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 65_000 }), (nameSize, valueSize) => {
        const block = writeVars(['N'.repeat(nameSize), 'v'.repeat(valueSize)]);
        expect(itemHeader.parse(block)).toEqual({ size: nameSize });
        expect(itemHeader.parse(block, itemHeader.size + nameSize)).toEqual({ size: valueSize });
        expect(block.length).toBe(2 * itemHeader.size + nameSize + valueSize);
      }),
      { numRuns: 50 },
    );
  });

  it('writes the bytes of the protocol', () => {
    expect(packetHeader.write({ modifier1: 30, datasize: 0x1234, modifier2: 5 })).toEqual(Buffer.of(30, 0x34, 0x12, 5));
    expect(itemHeader.write({ size: 0x0102 })).toEqual(Buffer.of(2, 1));
    expect(uwsgiRequests.ping?.ask).toEqual(Buffer.of(100, 0, 0, 0));
    expect(uwsgiRequests.ping?.answer).toEqual(Buffer.of(100, 0, 0, PONG));
  });
});
