// the global is a getter, which costs more than what is asked of it
import { Buffer } from 'node:buffer';

const EMPTY = Buffer.alloc(0);

/** Leftovers shorter than this are copied, so that a few bytes do not keep a 64 KiB read alive. */
const PIN = 1024;
/** Behind so many waiting chunks, short ones are copied together: a byte at a time must not cost an object each. */
const LOOSE = 8;

/**
 * Bytes in the order they came, kept as the chunks they came in. What is taken out of one chunk is a view; only what
 * straddles chunks is copied, once.
 */
export class ByteQueue {
  #chunks: Buffer[] = [];
  /** The first chunk that still has bytes, and where in it they begin. */
  #first = 0;
  #at = 0;
  #length = 0;
  /** The last chunk lies in the memory of who pushed it. */
  #lent = false;
  /** The last chunk, where it is one of short ones copied together, and the memory it grows in. */
  #gathered: Buffer | undefined;
  #slab: Buffer = EMPTY;

  /** Bytes that wait. */
  get length(): number {
    return this.#length;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (chunk.length < PIN && this.#chunks.length - this.#first > LOOSE) this.#gather(chunk);
    else {
      this.#chunks.push(asBuffer(chunk));
      this.#lent = true;
    }
    this.#length += chunk.length;
  }

  #gather(chunk: Uint8Array): void {
    let last = this.#chunks.length - 1;
    let at = this.#chunks[last] === this.#gathered ? this.#gathered.length : 0;
    if (at === 0 || at + chunk.length > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(4 * PIN);
      at = 0;
      last++;
    }
    this.#slab.set(chunk, at);
    this.#gathered = this.#slab.subarray(0, at + chunk.length);
    this.#chunks[last] = this.#gathered;
    this.#lent = false;
  }

  /** The byte `offset` behind the front; undefined: not there yet. */
  peek(offset: number): number | undefined {
    if (offset >= this.#length) return undefined;
    let index = this.#first;
    let at = this.#at + offset;
    const front = this.#chunks[index];
    if (at < front.length) return front[at];
    while (at >= this.#chunks[index].length) at -= this.#chunks[index++].length;
    return this.#chunks[index][at];
  }

  /** The chunk at the front, for who reads byte by byte; bytes begin at `frontAt`. Undefined: `count` are not in one piece. */
  front(count: number): Buffer | undefined {
    const front = this.#chunks[this.#first];
    return front !== undefined && front.length - this.#at >= count ? front : undefined;
  }

  get frontAt(): number {
    return this.#at;
  }

  /** Exactly `count` bytes, which must be there. */
  take(count: number): Buffer {
    if (count === 0) return EMPTY;
    const front = this.#chunks[this.#first];
    if (front.length - this.#at >= count) return this.#view(front, count);
    const whole = Buffer.allocUnsafeSlow(count);
    let filled = 0;
    while (filled < count) {
      const piece = this.takeSome(count - filled);
      whole.set(piece, filled);
      filled += piece.length;
    }
    return whole;
  }

  /** What lies in one piece at the front, at most `most` bytes; there must be some. */
  takeSome(most: number): Buffer {
    const front = this.#chunks[this.#first];
    return this.#view(front, Math.min(most, front.length - this.#at));
  }

  #view(front: Buffer, count: number): Buffer {
    const at = this.#at;
    const view = count === front.length ? front : front.subarray(at, at + count);
    this.skip(count);
    return view;
  }

  /** Drops `count` bytes, which must be there. */
  skip(count: number): void {
    this.#length -= count;
    this.#at += count;
    if (this.#length === 0) this.#empty();
    else if (this.#at >= this.#chunks[this.#first].length) this.#dropChunks();
  }

  #dropChunks(): void {
    while (this.#at >= this.#chunks[this.#first].length) {
      this.#at -= this.#chunks[this.#first].length;
      this.#chunks[this.#first++] = EMPTY;
    }
    if (this.#first > 64 && this.#first * 2 > this.#chunks.length) {
      this.#chunks.splice(0, this.#first);
      this.#first = 0;
    }
  }

  #empty(): void {
    // setting the length of an array costs more than all the rest, and gives its memory away
    if (this.#chunks.length === 1) this.#chunks.pop();
    else if (this.#chunks.length > 0) this.#chunks.length = 0;
    this.#first = 0;
    this.#at = 0;
    this.#slab = EMPTY;
    this.#gathered = undefined;
  }

  /** To be called when no more can be taken for now: a short rest of a chunk is copied and the chunk let go. */
  settle(): void {
    if (this.#at === 0) return;
    const front = this.#chunks[this.#first];
    if (front.length - this.#at >= PIN) return;
    this.#chunks[this.#first] = Buffer.from(front.subarray(this.#at));
    this.#at = 0;
    if (this.#first === this.#chunks.length - 1) this.#lent = false;
  }

  /** To be called before the memory of the chunk that was pushed last is used again: what is left of it is copied. */
  retain(): void {
    const last = this.#chunks.length - 1;
    if (last < this.#first || !this.#lent) return;
    this.#lent = false;
    const from = last === this.#first ? this.#at : 0;
    this.#chunks[last] = Buffer.from(this.#chunks[last].subarray(from));
    if (last === this.#first) this.#at = 0;
  }

  clear(): void {
    this.#length = 0;
    this.#empty();
  }
}

/** The same memory as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
