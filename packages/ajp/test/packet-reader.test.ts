import { describe, expect, it } from '@jest/globals';
import { PacketReader } from '../src/packet-reader.ts';
import { hex } from './writer.ts';

function reader(bytes: string): PacketReader {
  const reader = new PacketReader(0x1234, 8188);
  reader.receive(hex(bytes));
  return reader;
}

describe('PacketReader', () => {
  it('opens a packet when its header has come, and takes its payload when that has', () => {
    const packets = reader('12 34 00');
    expect(packets.open()).toBe(false);
    packets.receive(hex('02 61'));
    expect(packets.open()).toBe(true);
    expect(packets.pending).toBe(true);
    expect(packets).toMatchObject({ length: 2, type: 0x61 });
    expect(packets.take()).toBeUndefined();
    packets.receive(hex('62 12'));
    expect(packets.take()).toEqual(hex('61 62'));
    expect(packets.open()).toBe(false);
    expect(packets.pending).toBe(true);
  });

  it.each(['41', '12 35', '12 12 34'])('refuses %s as soon as it is seen', (bytes) => {
    expect(() => reader(bytes).open()).toThrow(
      expect.objectContaining({ code: 'ERR_AJP_PACKET', scope: 'connection' }),
    );
  });

  it.each([
    ['a whole packet', '12 34 00 01 61', true],
    ['a packet without payload', '12 34 00 00', true],
    ['half a payload', '12 34 00 02 61', false],
    ['half a header', '12 34 00', false],
    ['nothing', '', false],
    ['another beginning', '41 42 00 01 61', false],
    ['another first byte', '41 34 00 01 61', false],
    ['another second byte', '12 42 00 01 61', false],
    ['a packet that is too long', `12 34 1f fd ${'00'.repeat(8189)}`, false],
  ])('skips a packet only when it has come whole: %s', (_, bytes, skipped) => {
    const packets = reader(bytes);
    expect(packets.skip()).toBe(skipped);
    if (skipped) expect(packets.pending).toBe(false);
  });

  it('has something pending as soon as a header has come', () => {
    const packets = reader('12 34 00 02');
    expect(packets.open()).toBe(true);
    expect(packets.pending).toBe(true);
  });

  it('skips the rest of a packet that is open', () => {
    const packets = reader('12 34 00 02 61');
    packets.open();
    expect(packets.skip()).toBe(false);
    packets.receive(hex('62'));
    expect(packets.skip()).toBe(true);
  });
});
