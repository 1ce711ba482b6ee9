import type { Chunk, Output } from '@postern/core';
import { ByteQueue } from '@postern/wire';
import { CHUNK_FRAME, chunkHeaderText, chunksText, FLUSH, getBodyText } from './packets.ts';

/** Up to here a body, or that of a packet, is copied behind what frames it; above it goes by reference. */
const FUSE = 16_384;

/** What goes towards the web server: packets that are due, then the body of the reply, then its end. */
export class ReplyOutput {
  /** Body bytes of one packet, at most. */
  readonly #most: number;
  /** Packets that are due, as latin-1 text. */
  #due = '';
  /** The length that GET_BODY_CHUNK asks for; 0: nothing is asked. */
  #ask = 0;
  readonly #body = new ByteQueue();
  #flush = false;
  #ending = false;

  /** @param most body bytes of one packet */
  constructor(most: number) {
    this.#most = most;
  }

  /** Bytes that are due whatever the body does. */
  get dueBytes(): number {
    return this.#due.length;
  }

  /** Body bytes that wait. */
  get bodyBytes(): number {
    return this.#body.length;
  }

  push(packet: string): void {
    this.#due += packet;
  }

  ask(length: number): void {
    this.#ask = length;
  }

  /** Takes back what was asked, if it has not gone out; false: it has. */
  withdraw(): boolean {
    const kept = this.#ask > 0;
    this.#ask = 0;
    return kept;
  }

  /**
   * The body of a whole reply, and its end. Text that can be written as it is goes out as one string with its head.
   * @param size in bytes, where they were counted already
   */
  whole(body: Chunk | null, size?: number): void {
    if (typeof body === 'string' && (size ?? Buffer.byteLength(body)) === body.length)
      this.#due += chunksText(body, this.#most);
    else if (body !== null) this.data(body);
    this.#ending = true;
  }

  data(chunk: Chunk): void {
    this.#body.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  }

  flush(): void {
    this.#flush = true;
  }

  end(): void {
    this.#ending = true;
  }

  /** The reply broke off, or nobody waits for it. */
  clear(): void {
    this.#due = '';
    this.#ask = 0;
    this.#body.clear();
    this.#flush = false;
    this.#ending = false;
  }

  /** @param end gives END_RESPONSE when it goes out */
  take(budget: number, end: () => string): Output | undefined {
    let before = this.#due;
    this.#due = '';
    const length = Math.min(this.#body.length, Math.max(budget, 1));
    let after = '';
    if (length === this.#body.length) {
      if (this.#flush) after = FLUSH;
      this.#flush = false;
      if (this.#ending) after += end();
      this.#ending = false;
    }
    if (this.#ask > 0) before += getBodyText(this.#ask);
    this.#ask = 0;
    if (length === 0) return before + after || undefined;
    const copied = length <= FUSE || this.#most < FUSE;
    return copied ? this.#fused(before, length, after) : this.#pieces(before, length, after);
  }

  /** Packets of a few KiB cost more as a vector than as a copy. */
  #fused(before: string, length: number, after: string): Buffer {
    const count = Math.ceil(length / this.#most);
    const bytes = Buffer.allocUnsafe(before.length + length + count * CHUNK_FRAME + after.length);
    let at = bytes.write(before, 0, 'latin1');
    for (let left = length; left > 0; ) {
      const size = Math.min(left, this.#most);
      at += bytes.write(chunkHeaderText(size), at, 'latin1');
      for (let wanted = size; wanted > 0; ) {
        const piece = this.#body.takeSome(wanted);
        bytes.set(piece, at);
        at += piece.length;
        wanted -= piece.length;
      }
      bytes[at++] = 0;
      left -= size;
    }
    bytes.write(after, at, 'latin1');
    return bytes;
  }

  /** Larger ones go by reference, with what frames them in between. */
  #pieces(before: string, length: number, after: string): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    let frame = before;
    for (let left = length; left > 0; ) {
      const size = Math.min(left, this.#most);
      pieces.push(Buffer.from(frame + chunkHeaderText(size), 'latin1'));
      for (let wanted = size; wanted > 0; ) {
        const piece = this.#body.takeSome(wanted);
        pieces.push(piece);
        wanted -= piece.length;
      }
      frame = '\0';
      left -= size;
    }
    pieces.push(Buffer.from(frame + after, 'latin1'));
    return pieces;
  }
}
