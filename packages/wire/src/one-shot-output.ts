import type { Chunk, Output } from '@postern/core';
import { asBuffer, ByteQueue } from './byte-queue.ts';

/** Up to here pieces are copied into one; above it they go by reference. */
const FUSE = 16_384;

/** A reply whose end is that of the connection: a head, then the body as it is. */
export class OneShotOutput {
  /** A whole reply that fits one piece. */
  #ready: string | Buffer | undefined;
  readonly #queue = new ByteQueue();
  /** What goes in front of the reply. */
  #interim = '';

  /** Bytes that wait. */
  get length(): number {
    return this.#interim.length + this.#queue.length + (this.#ready?.length ?? 0);
  }

  /** @param head bytes as latin-1 */
  whole(head: string, body: Chunk | null): void {
    if (body === null) this.#ready = head;
    else if (typeof body === 'string' && Buffer.byteLength(body) === body.length) this.#ready = head + body;
    else {
      const bytes = typeof body === 'string' ? Buffer.from(body) : asBuffer(body);
      if (head.length + bytes.length <= FUSE) {
        const fused = Buffer.allocUnsafe(head.length + bytes.length);
        fused.set(bytes, fused.write(head, 0, 'latin1'));
        this.#ready = fused;
      } else {
        this.#queue.push(Buffer.from(head, 'latin1'));
        this.#queue.push(bytes);
      }
    }
  }

  /** @param head bytes as latin-1 */
  interim(head: string): void {
    this.#interim += head;
  }

  /** @param head bytes as latin-1 */
  head(head: string): void {
    this.#queue.push(Buffer.from(head, 'latin1'));
  }

  data(chunk: Chunk): void {
    this.#queue.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  }

  clear(): void {
    this.#interim = '';
    this.#ready = undefined;
    this.#queue.clear();
  }

  take(budget: number): Output | undefined {
    if (this.#interim !== '') {
      const interim = this.#interim;
      this.#interim = '';
      return interim;
    }
    const ready = this.#ready;
    if (ready !== undefined) {
      this.#ready = undefined;
      return ready;
    }
    const pieces: Buffer[] = [];
    let taken = 0;
    while (taken < budget && this.#queue.length > 0) {
      const piece = this.#queue.takeSome(budget - taken);
      pieces.push(piece);
      taken += piece.length;
    }
    if (pieces.length <= 1) return pieces[0];
    return taken <= FUSE ? Buffer.concat(pieces, taken) : pieces;
  }
}
