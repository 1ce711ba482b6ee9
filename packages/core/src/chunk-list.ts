/** Behind so many waiting chunks small ones are copied together: a byte at a time must not cost an object each. */
const LOOSE = 8;
const SMALL = 1024;
/** The memory in which small chunks are put together. */
const SLAB = 4096;
/** Behind so many waiting chunks, larger ones are put together too. */
const MOST = 1024;
const LARGE_SLAB = 65_536;
/** So many places at the front may be empty before the list is moved up. */
const GONE = 64;

/**
 * Chunks that wait for a reader, in their order. Large ones are kept as they came; what waits in small ones costs no more
 * than a few times its bytes, however it was cut, and whatever large read a chunk is a view of.
 */
export class ChunkList {
  #chunks: (Uint8Array | undefined)[] = [];
  /** The place of the first chunk. */
  #first = 0;
  #length = 0;
  /** Where the last chunk grows, if it is one of small ones. */
  #slab: Buffer | undefined;
  #filled = 0;

  /** Bytes that wait. */
  get length(): number {
    return this.#length;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#length += chunk.length;
    const count = this.#chunks.length - this.#first;
    if (this.#slab !== undefined && this.#filled + chunk.length <= this.#slab.length) this.#gather(this.#slab, chunk);
    else if (count >= MOST && chunk.length < LARGE_SLAB) this.#open(LARGE_SLAB, chunk);
    else if (count > LOOSE && chunk.length < SMALL) this.#open(SLAB, chunk);
    else {
      this.#slab = undefined;
      this.#chunks.push(unpinned(chunk));
    }
  }

  #open(size: number, chunk: Uint8Array): void {
    this.#slab = Buffer.allocUnsafeSlow(size);
    this.#filled = 0;
    this.#chunks.push(undefined);
    this.#gather(this.#slab, chunk);
  }

  #gather(slab: Buffer, chunk: Uint8Array): void {
    slab.set(chunk, this.#filled);
    this.#filled += chunk.length;
    this.#chunks[this.#chunks.length - 1] = slab.subarray(0, this.#filled);
  }

  /** Takes the first chunk; undefined: nothing waits. */
  shift(): Uint8Array | undefined {
    if (this.#length === 0) return undefined;
    const chunk = this.#chunks[this.#first] as Uint8Array;
    this.#chunks[this.#first++] = undefined;
    this.#length -= chunk.length;
    if (this.#length === 0) this.clear();
    else if (this.#first > GONE && this.#first * 2 > this.#chunks.length) {
      this.#chunks.splice(0, this.#first);
      this.#first = 0;
    }
    return chunk;
  }

  /** All that waits, as one chunk, which stays the first. There must be something. */
  join(): Uint8Array {
    const chunks = this.#chunks.slice(this.#first) as Uint8Array[];
    const whole = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, this.#length);
    this.#chunks = [whole];
    this.#first = 0;
    this.#slab = undefined;
    return whole;
  }

  /** Drops bytes of the first chunk. */
  skip(count: number): void {
    const chunk = this.#chunks[this.#first] as Uint8Array;
    if (count === chunk.length) this.shift();
    else {
      this.#chunks[this.#first] = chunk.subarray(count);
      this.#length -= count;
    }
  }

  clear(): void {
    this.#chunks = [];
    this.#first = 0;
    this.#length = 0;
    this.#slab = undefined;
  }
}

/** A small view would keep all of a large read alive while it waits. */
function unpinned(chunk: Uint8Array): Uint8Array {
  if (chunk.length * 4 >= chunk.buffer.byteLength) return chunk;
  const copy = Buffer.allocUnsafeSlow(chunk.length);
  copy.set(chunk);
  return copy;
}
