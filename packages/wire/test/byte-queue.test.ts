import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { asBuffer, ByteQueue } from '../src/byte-queue.ts';

function queueOf(...texts: string[]): ByteQueue {
  const queue = new ByteQueue();
  for (const text of texts) queue.push(Buffer.from(text));
  return queue;
}

/** All that waits, in the pieces in which it is handed out. */
function pieces(queue: ByteQueue): Buffer[] {
  const all: Buffer[] = [];
  while (queue.length > 0) all.push(queue.takeSome(queue.length));
  return all;
}

describe('ByteQueue', () => {
  it('counts what waits', () => {
    const queue = queueOf('abc', '', 'de');
    expect(queue.length).toBe(5);
    queue.skip(4);
    expect(queue.length).toBe(1);
    queue.clear();
    expect(queue.length).toBe(0);
    expect(queue.peek(0)).toBeUndefined();
  });

  it('shows a byte without taking it, across chunks', () => {
    const queue = queueOf('ab', 'c');
    queue.skip(1);
    expect([queue.peek(0), queue.peek(1), queue.peek(2)]).toEqual([98, 99, undefined]);
    expect(queue.length).toBe(2);
  });

  it('gives views of one chunk', () => {
    const chunk = Buffer.from('abcdef');
    const queue = new ByteQueue();
    queue.push(chunk);
    const view = queue.take(3);
    expect(view.toString()).toBe('abc');
    expect(view.buffer).toBe(chunk.buffer);
    expect(view.byteOffset).toBe(chunk.byteOffset);
  });

  it('gives a chunk that is taken whole as it came', () => {
    const chunk = Buffer.from('abc');
    const queue = new ByteQueue();
    queue.push(chunk);
    expect(queue.take(3)).toBe(chunk);
  });

  it('copies what straddles chunks, once', () => {
    const queue = queueOf('ab', 'cd', 'ef');
    expect(queue.take(5).toString()).toBe('abcde');
    expect(queue.take(1).toString()).toBe('f');
  });

  it('gives nothing for nothing', () => {
    expect(new ByteQueue().take(0)).toHaveLength(0);
    expect(queueOf('a').take(0)).toHaveLength(0);
  });

  it('takes a Uint8Array, and a view of part of its memory', () => {
    const queue = new ByteQueue();
    queue.push(Uint8Array.of(1, 2, 3, 4).subarray(1, 3));
    expect([...queue.take(2)]).toEqual([2, 3]);
  });

  it('lets go of a read of which a few bytes are left', () => {
    const read = new Uint8Array(65_536).fill(120);
    const queue = new ByteQueue();
    queue.push(read);
    queue.skip(65_000);
    queue.settle();
    const rest = queue.take(536);
    expect(rest.buffer).not.toBe(read.buffer);
    expect(rest.equals(Buffer.alloc(536, 'x'))).toBe(true);
  });

  it('keeps a read of which much is left, and a chunk that was not begun', () => {
    const read = new Uint8Array(65_536);
    const queue = new ByteQueue();
    queue.push(read);
    queue.settle();
    expect(queue.take(60_000).buffer).toBe(read.buffer);
    queue.settle();
    expect(queue.take(5000).buffer).toBe(read.buffer);
  });

  it('holds single bytes together, so that they cost no object each', () => {
    const queue = new ByteQueue();
    for (let i = 0; i < 65_536; i++) queue.push(Uint8Array.of(i & 255));
    const got = pieces(queue);
    expect(got.length).toBeLessThan(40);
    expect(Buffer.concat(got).equals(Buffer.from(Array.from({ length: 65_536 }, (_, i) => i & 255)))).toBe(true);
  });

  it('changes nothing that it has handed out', () => {
    const queue = new ByteQueue();
    for (let i = 0; i < 20; i++) queue.push(Uint8Array.of(i));
    const taken = queue.take(15);
    const before = Buffer.from(taken);
    const views = [queue.takeSome(3), queue.takeSome(3)];
    const seen = views.map((view) => Buffer.from(view));
    for (let i = 0; i < 100; i++) queue.push(Uint8Array.of(255));
    expect(taken).toEqual(before);
    expect(views).toEqual(seen);
  });

  it('is in the end the bytes that came, however they are pushed and taken', () => {
    const step = fc.oneof(
      fc.record({ push: fc.uint8Array({ maxLength: 40 }) }),
      fc.record({ push: fc.uint8Array({ minLength: 1000, maxLength: 1100 }) }),
      fc.record({ take: fc.nat(60) }),
      fc.record({ some: fc.nat(60) }),
      fc.record({ skip: fc.nat(60) }),
      fc.constant({ settle: true }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const queue = new ByteQueue();
        const model: number[] = [];
        for (const one of steps) {
          const most = (count: number): number => Math.min(count, model.length);
          if ('push' in one) {
            queue.push(one.push);
            model.push(...one.push);
          } else if ('take' in one) {
            const count = most(one.take);
            expect([...queue.take(count)]).toEqual(model.splice(0, count));
          } else if ('some' in one) {
            if (model.length === 0 || one.some === 0) continue;
            const piece = queue.takeSome(one.some);
            expect(piece.length).toBeGreaterThan(0);
            expect(piece.length).toBeLessThanOrEqual(one.some);
            expect([...piece]).toEqual(model.splice(0, piece.length));
          } else if ('skip' in one) {
            queue.skip(most(one.skip));
            model.splice(0, most(one.skip));
          } else queue.settle();
          expect(queue.length).toBe(model.length);
          expect(queue.peek(model.length)).toBeUndefined();
          if (model.length > 0) expect(queue.peek(model.length - 1)).toBe(model[model.length - 1]);
        }
        expect([...queue.take(model.length)]).toEqual(model);
      }),
    );
  });

  it('shows the piece at the front, where as much as is asked for lies in one', () => {
    const queue = queueOf('abc', 'defg');
    queue.skip(1);
    const front = queue.front(2) as Buffer;
    expect(front.toString('latin1', queue.frontAt, queue.frontAt + 2)).toBe('bc');
    expect(queue.front(3)).toBeUndefined();
    expect(queue.length).toBe(6);
    queue.skip(2);
    expect(queue.front(4)?.toString('latin1', queue.frontAt)).toBe('defg');
    queue.clear();
    expect(queue.front(1)).toBeUndefined();
  });

  it('moves no bytes and few references for a long queue of chunks', () => {
    const queue = new ByteQueue();
    const chunk = Buffer.alloc(2048);
    for (let i = 0; i < 20_000; i++) queue.push(chunk);
    const splice = Array.prototype.splice;
    let moved = 0;
    Array.prototype.splice = function (this: unknown[], ...args: [number, number]) {
      moved += this.length - args[1];
      return splice.apply(this, args);
    } as typeof splice;
    try {
      for (let i = 0; i < 20_000; i++) queue.take(2048);
    } finally {
      Array.prototype.splice = splice;
    }
    expect(queue.length).toBe(0);
    expect(moved).toBeLessThan(40_000);
  });
});

/** A queue beside the plain bytes that are in it, fed as a transport does that reads into one memory. */
class Borrowing {
  readonly queue = new ByteQueue();
  #model: Buffer = Buffer.alloc(0);
  readonly #memory = Buffer.alloc(2048);

  read(bytes: Uint8Array): void {
    this.#memory.set(bytes);
    this.queue.push(this.#memory.subarray(0, bytes.length));
    this.#model = Buffer.concat([this.#model, bytes]);
  }

  /** The next read overwrites this one. */
  reuse(): void {
    this.queue.retain();
    this.#memory.fill(0xee);
    this.check();
  }

  take(how: string, count: number): void {
    const most = Math.min(count, this.#model.length);
    if (how === 'skip') {
      this.queue.skip(most);
      this.#model = this.#model.subarray(most);
    } else if (how === 'take') this.#expectNext(this.queue.take(most), most);
    else if (most > 0) {
      const piece = this.queue.takeSome(most);
      this.#expectNext(piece, piece.length);
    }
    this.check();
  }

  takeAll(): void {
    this.take('take', this.#model.length);
  }

  #expectNext(bytes: Buffer, count: number): void {
    expect(bytes.equals(this.#model.subarray(0, count))).toBe(true);
    this.#model = this.#model.subarray(count);
  }

  check(): void {
    const { queue } = this;
    const { length } = this.#model;
    expect(queue.length).toBe(length);
    for (const at of [0, length >> 1, Math.max(0, length - 1), length]) expect(queue.peek(at)).toBe(this.#model[at]);
    expect(queue.front(1)?.[queue.frontAt]).toBe(this.#model[0]);
    const whole = queue.front(length)?.subarray(queue.frontAt, queue.frontAt + length);
    if (whole !== undefined) expect(whole.equals(this.#model)).toBe(true);
  }
}

describe('ByteQueue.retain', () => {
  const take = fc.tuple(fc.constantFrom('take', 'some', 'skip'), fc.nat(1500));
  const round = fc.record({
    bytes: fc.oneof(
      { weight: 4, arbitrary: fc.uint8Array({ maxLength: 40 }) },
      { weight: 1, arbitrary: fc.uint8Array({ minLength: 1000, maxLength: 1100 }) },
      { weight: 1, arbitrary: fc.nat(255).map((fill) => new Uint8Array(2048).fill(fill)) },
    ),
    before: fc.array(take, { maxLength: 2 }),
    settle: fc.boolean(),
    after: fc.array(take, { maxLength: 2 }),
  });

  it('lets all that came be read whole, although the memory of each chunk is used again', () => {
    fc.assert(
      fc.property(fc.array(round, { maxLength: 30 }), (rounds) => {
        const borrowing = new Borrowing();
        for (const { bytes, before, settle, after } of rounds) {
          borrowing.read(bytes);
          for (const [how, count] of before) borrowing.take(how, count);
          if (settle) borrowing.queue.settle();
          borrowing.reuse();
          for (const [how, count] of after) borrowing.take(how, count);
        }
        borrowing.takeAll();
      }),
      { numRuns: 300 },
    );
  });

  it('copies what is left of a chunk, and nothing of the ones before', () => {
    const queue = new ByteQueue();
    const first = Buffer.alloc(2000, 1);
    const second = Buffer.alloc(2000, 2);
    queue.push(first);
    queue.push(second);
    queue.skip(100);
    queue.retain();
    second.fill(9);
    const kept = queue.takeSome(4000);
    expect(kept.buffer).toBe(first.buffer);
    expect(queue.takeSome(4000)).toEqual(Buffer.alloc(2000, 2));
  });

  it('copies a chunk once, however often it is called', () => {
    const queue = new ByteQueue();
    queue.push(Buffer.alloc(2000, 1));
    queue.retain();
    const kept = queue.front(2000);
    queue.retain();
    queue.push(Buffer.alloc(0));
    queue.retain();
    expect(queue.front(2000)).toBe(kept);
  });

  it('does nothing to an empty queue', () => {
    const queue = queueOf('abc');
    queue.skip(3);
    queue.retain();
    expect(queue.length).toBe(0);
    queue.push(Buffer.from('d'));
    queue.retain();
    expect(queue.take(1).toString()).toBe('d');
  });
});

describe('asBuffer', () => {
  it('looks at the same memory', () => {
    const bytes = Uint8Array.of(1, 2, 3).subarray(1);
    const buffer = asBuffer(bytes);
    expect([...buffer]).toEqual([2, 3]);
    bytes[0] = 9;
    expect(buffer[0]).toBe(9);
    expect(asBuffer(buffer)).toBe(buffer);
  });
});
