import { describe, expect, it, jest } from '@jest/globals';
import { ByteQueue } from '../src/byte-queue.ts';
import { ByteWriter } from '../src/byte-writer.ts';

/** All that waits, in the pieces in which it is handed out. */
function pieces(queue: ByteQueue): Buffer[] {
  const all: Buffer[] = [];
  while (queue.length > 0) all.push(queue.takeSome(queue.length));
  return all;
}

/** A queue in which so many chunks of one byte wait. */
function crowded(count: number): { queue: ByteQueue; chunks: Buffer[] } {
  const queue = new ByteQueue();
  const chunks = Array.from({ length: count }, (_, i) => Buffer.from([i]));
  for (const chunk of chunks) queue.push(chunk);
  return { queue, chunks };
}

/** The greatest number of places that a queue has for chunks while something is done. */
function mostPlaces(run: () => void): number {
  let most = 0;
  const push = Array.prototype.push;
  const spy = jest.spyOn(Array.prototype, 'push').mockImplementation(function (this: unknown[], ...items: unknown[]) {
    const length = push.apply(this, items);
    if (items[0] instanceof Buffer) most = Math.max(most, length);
    return length;
  });
  try {
    run();
  } finally {
    spy.mockRestore();
  }
  return most;
}

describe('chunks that wait in a ByteQueue', () => {
  it('are handed out as they came, up to nine of them', () => {
    const { queue, chunks } = crowded(9);
    for (const chunk of chunks) expect(queue.takeSome(9)).toBe(chunk);
  });

  it('of 1024 bytes and more are never copied', () => {
    const { queue } = crowded(9);
    const long = Buffer.alloc(1024, 1);
    const longest = Buffer.alloc(20_000, 2);
    const short = Buffer.alloc(1023, 3);
    for (const chunk of [long, longest, short]) queue.push(chunk);
    queue.skip(9);
    expect(queue.takeSome(20_000)).toBe(long);
    expect(queue.takeSome(20_000)).toBe(longest);
    const copied = queue.takeSome(20_000);
    expect(copied).toEqual(short);
    expect(copied.buffer).not.toBe(short.buffer);
  });

  it('are counted without those that were taken', () => {
    const { queue } = crowded(9);
    queue.skip(4);
    const next = Buffer.from('x');
    queue.push(next);
    queue.skip(5);
    expect(queue.take(1)).toBe(next);
  });

  it('are copied together again behind a long one, and what was copied before stays', () => {
    const { queue } = crowded(9);
    const long = Buffer.alloc(1024, 0xff);
    for (const chunk of [Buffer.from([9]), long, Buffer.from([10]), Buffer.from([11])]) queue.push(chunk);
    expect([...queue.take(10)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(queue.takeSome(2000)).toBe(long);
    expect([...queue.takeSome(2)]).toEqual([10, 11]);
  });

  it('fill 4 KiB before others are copied elsewhere', () => {
    const { queue } = crowded(9 + 4096 + 1);
    expect(pieces(queue).map(({ length }) => length)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 4096, 1]);
  });

  it('are copied once, where the memory that they came in is used again behind each', () => {
    const { queue } = crowded(9);
    const memory = Buffer.alloc(1);
    for (let i = 0; i < 100; i++) {
      memory[0] = i;
      queue.push(memory);
      queue.retain();
    }
    queue.skip(9);
    expect(pieces(queue).map((piece) => [...piece])).toEqual([Array.from({ length: 100 }, (_, i) => i)]);
  });

  it('leave no place behind when all are taken', () => {
    const queue = new ByteQueue();
    const most = mostPlaces(() => {
      for (let i = 0; i < 10_000; i++) {
        queue.push(Buffer.from('ab'));
        queue.take(2);
      }
    });
    expect(most).toBe(1);
  });

  it.each([10, 200])('leave few places behind when %i others always wait', (waiting) => {
    const queue = new ByteQueue();
    const chunk = Buffer.alloc(2048);
    for (let i = 0; i < waiting; i++) queue.push(chunk);
    const most = mostPlaces(() => {
      for (let i = 0; i < 10_000; i++) {
        queue.push(chunk);
        queue.take(2048);
      }
    });
    expect(most).toBeLessThan(80 + 2 * waiting);
  });
});

describe('what is taken out of a ByteQueue', () => {
  it('holds no memory where it is nothing', () => {
    const chunk = Buffer.alloc(65_536);
    const queue = new ByteQueue();
    queue.push(chunk);
    queue.skip(1);
    expect(queue.take(0).buffer).not.toBe(chunk.buffer);
  });
});

describe('ByteQueue.settle', () => {
  it('leaves a short chunk alone that was not begun', () => {
    const chunk = Buffer.from('abc');
    const queue = new ByteQueue();
    queue.push(chunk);
    queue.settle();
    expect(queue.take(3)).toBe(chunk);
  });

  it.each([
    [1024, true],
    [1023, false],
  ])('of a chunk of which %i bytes are left keeps the memory: %s', (left, kept) => {
    const chunk = Buffer.alloc(left + 1);
    const queue = new ByteQueue();
    queue.push(chunk);
    queue.skip(1);
    queue.settle();
    expect(queue.take(left).buffer === chunk.buffer).toBe(kept);
  });

  it('has copied the only chunk: it is not borrowed any more', () => {
    const queue = new ByteQueue();
    queue.push(Buffer.from('abc'));
    queue.skip(1);
    queue.settle();
    const settled = queue.front(2);
    queue.retain();
    expect(queue.front(2)).toBe(settled);
  });

  it('has copied the first of two chunks: the second is still borrowed', () => {
    const queue = new ByteQueue();
    const last = Buffer.from('def');
    queue.push(Buffer.from('abc'));
    queue.push(last);
    queue.skip(1);
    queue.settle();
    queue.retain();
    last.fill(0);
    expect(queue.take(5).toString()).toBe('bcdef');
  });
});

describe('a ByteWriter', () => {
  it('moves nothing as long as there is room', () => {
    const writer = new ByteWriter(4);
    const { buffer } = writer.u16be(1).view();
    expect(writer.u16be(2).view().buffer).toBe(buffer);
    expect(writer.u8(3).view().buffer).not.toBe(buffer);
  });

  it('moves what was written a few times, however much that is', () => {
    const writer = new ByteWriter(1);
    const alloc = jest.spyOn(Buffer, 'alloc');
    try {
      for (let i = 0; i < 4096; i++) writer.u8(1);
      expect(alloc.mock.calls).toHaveLength(12);
    } finally {
      alloc.mockRestore();
    }
  });
});
