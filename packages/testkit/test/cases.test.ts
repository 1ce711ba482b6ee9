import { describe, expect, it } from '@jest/globals';
import { cutAt, everyWay, randomNumbers, singleBytes } from '../src/cases.ts';

const bytes = Buffer.from('abcdef');

function joined(chunks: Uint8Array[]): string {
  return Buffer.concat(chunks).toString();
}

describe('everyWay', () => {
  it('gives the outcome of the whole', () => expect(everyWay(bytes, joined)).toBe('abcdef'));

  it('runs whole, byte by byte, every cut in two and random cuts', () => {
    const ways = new Set<string>();
    everyWay(bytes, (chunks) => {
      ways.add(chunks.map((chunk) => Buffer.from(chunk).toString()).join('|'));
      return joined(chunks);
    });
    for (const way of ['abcdef', 'a|b|c|d|e|f', 'a|bcdef', 'ab|cdef', 'abc|def', 'abcd|ef', 'abcde|f']) {
      expect(ways).toContain(way);
    }
    expect(ways.size).toBeGreaterThan(12);
  });

  it('finds a decoder that depends on the way, and names the way', () => {
    expect(() => everyWay(bytes, (chunks) => chunks.length)).toThrow(/byte by byte differs from whole/);
    expect(() => everyWay(bytes, (chunks) => chunks.length === 2 && chunks[0].length === 3)).toThrow(/cut at 3/);
    const manyPieces = (chunks: Uint8Array[]) => chunks.length > 2 && chunks.length < 6;
    expect(() => everyWay(bytes, manyPieces)).toThrow(/random cuts at/);
  });

  it('finds a decoder that takes trailing bytes for its own', () => {
    expect(() => everyWay(bytes, joined, { trailing: Buffer.from('g') })).toThrow(/with trailing bytes/);
    const firstSix = (chunks: Uint8Array[]) => joined(chunks).slice(0, 6);
    expect(everyWay(bytes, firstSix, { trailing: Buffer.from('g') })).toBe('abcdef');
  });

  it('takes nothing and one byte', () => {
    expect(everyWay(new Uint8Array(), joined)).toBe('');
    expect(everyWay(Buffer.from('a'), joined)).toBe('a');
  });

  it('gives copies: what is done to a chunk is not done to the case', () => {
    const kept = Buffer.from(bytes);
    everyWay(kept, (chunks) => {
      for (const chunk of chunks) chunk.fill(0);
      return 0;
    });
    expect(kept.toString()).toBe('abcdef');
  });
});

describe('the cuts', () => {
  it('lose no byte', () => {
    expect(cutAt(bytes, [4, 2, 4]).map((chunk) => Buffer.from(chunk).toString())).toEqual(['ab', 'cd', 'ef']);
    expect(singleBytes(bytes)).toHaveLength(6);
  });

  it('are the same for the same seed, and others for another', () => {
    const first = (seed: number) => Array.from({ length: 5 }, randomNumbers(seed));
    expect(first(7)).toEqual(first(7));
    expect(first(7)).not.toEqual(first(8));
  });
});
