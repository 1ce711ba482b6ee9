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

  it.each([
    ['in one piece', [20_004]],
    ['in two', [10_000, 10_004]],
    ['its beginning by itself', [4, 20_000]],
    ['a little, then the rest', [100, 19_904]],
    ['in many', Array.from({ length: 21 }, (_, i) => (i < 20 ? 1000 : 4))],
    ['with what follows', [9000, 11_004 + 6]],
    ['with what follows, by itself', [9000, 11_004, 6]],
  ])('puts a large packet together out of memory that is used again: %s', (_, sizes) => {
    const packets = new PacketReader(0x1234, 60_000);
    const payload = Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * 31 + (i >> 8)) & 255));
    const sent = Buffer.concat([hex('12 34 4e 20'), payload, hex('12 34 00 02 61 62')]);
    const shared = Buffer.alloc(65_536);
    const taken: Buffer[] = [];
    let at = 0;
    for (const size of sizes) {
      sent.copy(shared, 0, at, at + size);
      packets.receive(shared.subarray(0, size));
      at += size;
      while (packets.length >= 0 || packets.open()) {
        const type = packets.type;
        const packet = packets.take();
        if (packet === undefined) break;
        expect(type).toBe(packet[0]);
        taken.push(Buffer.from(packet));
      }
      packets.retain();
      shared.fill(0xff);
    }
    expect(taken[0]?.equals(payload)).toBe(true);
    expect(taken.slice(1)).toEqual(at > 20_004 ? [hex('61 62')] : []);
    expect(packets.pending).toBe(false);
  });

  it.each([
    ['in one piece', ['12 34 00 03 00 01 61 12 34 00 00']],
    ['in two', ['12 34 00 03 00', '01 61 12 34 00 00']],
    ['its header by itself', ['12 34 00 03', '00 01 61 12 34 00 00']],
  ])('reads a payload where it lies: %s', (_, chunks) => {
    const packets = new PacketReader(0x1234, 8188);
    const read: number[] = [];
    for (const chunk of chunks) {
      packets.receive(hex(chunk));
      if (packets.length < 0 && !packets.open()) continue;
      const payload = packets.read();
      if (payload === undefined) continue;
      read.push(payload.left, payload.u16(), payload.u8(), payload.left);
      expect(packets.length).toBe(-1);
    }
    expect(read).toEqual([3, 1, 0x61, 0]);
    expect(packets.open()).toBe(true);
    expect(packets.length).toBe(0);
  });

  it('reads a large payload that was put together', () => {
    const packets = new PacketReader(0x1234, 60_000);
    packets.receive(Buffer.concat([hex('12 34 4e 20'), Buffer.alloc(9000, 7)]));
    packets.open();
    packets.retain();
    expect(packets.read()).toBeUndefined();
    packets.receive(Buffer.alloc(11_000, 8));
    const payload = packets.read();
    expect(payload?.left).toBe(20_000);
    expect(payload?.u8()).toBe(7);
    expect(packets.pending).toBe(false);
  });

  it('reads the packet that was put together, whatever has come behind it', () => {
    const packets = new PacketReader(0x1234, 60_000);
    packets.receive(Buffer.concat([hex('12 34 20 00'), Buffer.alloc(5000, 1)]));
    packets.open();
    packets.retain();
    packets.receive(Buffer.concat([Buffer.alloc(3192, 2), hex('12 34 20 00'), Buffer.alloc(8192, 3)]));
    const payload = packets.read();
    expect([payload?.left, payload?.u8()]).toEqual([8192, 1]);
    packets.open();
    expect(packets.read()?.u8()).toBe(3);
  });

  it('goes on with the packet that is put together while the next one comes', () => {
    const packets = new PacketReader(0x1234, 60_000);
    packets.receive(Buffer.concat([hex('12 34 20 00'), Buffer.alloc(5000, 1)]));
    packets.open();
    packets.retain();
    packets.receive(Buffer.concat([Buffer.alloc(3192, 2), hex('12 34 20 00'), Buffer.alloc(5000, 3)]));
    packets.retain();
    const payload = packets.take();
    expect([payload?.length, payload?.[0], payload?.[8191]]).toEqual([8192, 1, 2]);
    packets.receive(Buffer.alloc(3192, 4));
    packets.open();
    const next = packets.take();
    expect([next?.[0], next?.[8191]]).toEqual([3, 4]);
  });

  it('keeps a whole packet that waits, and what follows it', () => {
    const packets = new PacketReader(0x1234, 60_000);
    const shared = Buffer.concat([hex('12 34 14 00'), Buffer.alloc(5120, 1), hex('12 34 00 01 02')]);
    packets.receive(shared);
    packets.open();
    packets.retain();
    shared.fill(9);
    expect(packets.take()).toEqual(Buffer.alloc(5120, 1));
    expect([packets.open(), packets.take()]).toEqual([true, hex('02')]);
  });

  it('forgets a packet that is put together when it is cleared', () => {
    const packets = new PacketReader(0x1234, 60_000);
    packets.receive(Buffer.concat([hex('12 34 4e 20'), Buffer.alloc(10_000)]));
    packets.open();
    packets.retain();
    packets.clear();
    packets.receive(hex('12 34 00 01 0a'));
    expect([packets.open(), packets.take()]).toEqual([true, hex('0a')]);
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
