import { describe, expect, it } from '@jest/globals';
import { ChunkList } from '../src/chunk-list.ts';

function bytes(size: number, from = 0): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, i) => (from + i) & 255));
}

function drain(list: ChunkList): { chunks: Uint8Array[]; whole: Buffer } {
  const chunks: Uint8Array[] = [];
  for (let chunk = list.shift(); chunk !== undefined; chunk = list.shift()) chunks.push(chunk);
  return { chunks, whole: Buffer.concat(chunks) };
}

describe('a list of chunks', () => {
  it('gives back what was given, in its order, however it was cut', () => {
    const list = new ChunkList();
    const all = bytes(100_000);
    const sizes = [1, 1, 1, 5000, 1, 3, 900, 20_000, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1023, 1024, 4096];
    let at = 0;
    for (let i = 0; at < all.length; i++) {
      const size = sizes[i % sizes.length];
      list.push(all.subarray(at, at + size));
      at += size;
    }
    expect(list.length).toBe(100_000);
    expect(drain(list).whole.equals(all)).toBe(true);
    expect(list.length).toBe(0);
  });

  it('puts single bytes together, and keeps no large read alive for them', () => {
    const list = new ChunkList();
    const read = Buffer.allocUnsafeSlow(65_536).fill(7);
    for (let i = 0; i < 65_536; i++) list.push(read.subarray(i, i + 1));
    const { chunks, whole } = drain(list);
    expect(whole.equals(read)).toBe(true);
    expect(chunks.length).toBeLessThan(40);
    const pinned = new Set(chunks.map(({ buffer }) => buffer));
    expect([...pinned].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThan(3 * 65_536);
  });

  it('joins, and drops from the front of what was joined, while more comes', () => {
    const list = new ChunkList();
    for (let i = 0; i < 30; i++) list.push(bytes(10, i * 10));
    const joined = Buffer.from(list.join());
    list.push(bytes(5, 300));
    expect(joined.equals(bytes(300))).toBe(true);
    list.skip(100);
    list.skip(200);
    expect(drain(list).whole.equals(bytes(5, 300))).toBe(true);
  });

  it('puts larger chunks together too, where very many wait', () => {
    const list = new ChunkList();
    const all = bytes(3_000_000);
    for (let at = 0; at < all.length; at += 2000) list.push(all.subarray(at, at + 2000));
    list.push(bytes(100_000));
    const { chunks, whole } = drain(list);
    expect(whole.equals(Buffer.concat([all, bytes(100_000)]))).toBe(true);
    expect(chunks.length).toBeLessThan(1024 + 20);
    expect(chunks.at(-1)).toHaveLength(100_000);
  });
});
