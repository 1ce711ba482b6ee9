import { RemoteProtocolError } from '@postern/core';
import { ByteQueue } from '@postern/wire';
import { HEADER_LENGTH, VERSION } from './constants.ts';

/**
 * Cuts received bytes into records (FastCGI 1.0 §3.3), one at a time; the content may be taken in pieces as it comes,
 * and padding is skipped whenever it comes. The header is read by hand: `recordHeader` is its description and oracle.
 */
export class RecordReader {
  readonly #input = new ByteQueue();
  #padding = 0;
  type = 0;
  id = 0;
  /** Content bytes that were not taken; -1: no record is open. */
  left = -1;

  receive(chunk: Uint8Array): void {
    this.#input.push(chunk);
  }

  /** Bytes that were received and not taken. */
  get buffered(): number {
    return this.#input.length;
  }

  /**
   * Opens the next record: `type`, `id` and `left` are its own then. False: its header has not come.
   * @throws RemoteProtocolError ERR_FCGI_VERSION
   */
  open(): boolean {
    const input = this.#input;
    const skip = Math.min(this.#padding, input.length);
    if (skip > 0) input.skip(skip);
    this.#padding -= skip;
    if (input.length < HEADER_LENGTH) {
      const version = input.peek(0);
      if (version !== undefined && version !== VERSION) refuseVersion(version);
      return false;
    }
    const front = input.front(HEADER_LENGTH);
    if (front === undefined) this.#read(input.take(HEADER_LENGTH), 0);
    else {
      // byte by byte, for a view of eight bytes costs more than they do
      this.#read(front, input.frontAt);
      input.skip(HEADER_LENGTH);
    }
    return true;
  }

  #read(bytes: Buffer, at: number): void {
    if (bytes[at] !== VERSION) refuseVersion(bytes[at]);
    this.type = bytes[at + 1];
    this.id = (bytes[at + 2] << 8) | bytes[at + 3];
    this.left = (bytes[at + 4] << 8) | bytes[at + 5];
    this.#padding = bytes[at + 6];
  }

  /** Where the next record begins, no padding before it: the chunk, if so many bytes lie in it from `frontAt` on. */
  front(count: number): Buffer | undefined {
    return this.left < 0 && this.#padding === 0 ? this.#input.front(count) : undefined;
  }

  get frontAt(): number {
    return this.#input.frontAt;
  }

  /** Takes whole records that were read in the chunk at the front. */
  skipFront(count: number): void {
    this.#input.skip(count);
  }

  /** A byte that has come and was not taken. */
  byte(offset: number): number {
    return this.#input.peek(offset) as number;
  }

  /** The record is done with; its padding may still be on its way. */
  close(): void {
    this.left = -1;
  }

  /** All of the content that was not taken, and closes the record; undefined: it has not come. */
  whole(): Buffer | undefined {
    if (this.#input.length < this.left) return undefined;
    const content = this.#input.take(this.left);
    this.left = -1;
    return content;
  }

  /** What of the content lies in one piece; undefined: none has come. An emptied record is closed. */
  some(): Buffer | undefined {
    if (this.#input.length === 0) return undefined;
    const piece = this.#input.takeSome(this.left);
    this.left -= piece.length;
    if (this.left === 0) this.left = -1;
    return piece;
  }

  /** Throws the content away and closes the record; false: some of it has not come. */
  skip(): boolean {
    const count = Math.min(this.left, this.#input.length);
    this.#input.skip(count);
    this.left -= count;
    if (this.left > 0) return false;
    this.left = -1;
    return true;
  }

  /** Whether the next record is an empty one of this type and id, as far as can be seen. */
  emptyFollows(type: number, id: number): boolean {
    const input = this.#input;
    const at = this.#padding;
    return (
      input.length >= at + HEADER_LENGTH &&
      input.peek(at) === VERSION &&
      input.peek(at + 1) === type &&
      input.peek(at + 2) === id >> 8 &&
      input.peek(at + 3) === (id & 255) &&
      input.peek(at + 4) === 0 &&
      input.peek(at + 5) === 0
    );
  }

  /** Takes an empty record of this type and id, if it is the next one; false: it is not, or has not come. */
  takeEmpty(type: number, id: number): boolean {
    if (!this.emptyFollows(type, id)) return false;
    const at = this.#padding;
    this.#padding = this.byte(at + 6);
    this.#input.skip(at + HEADER_LENGTH);
    return true;
  }

  /** Something came behind the record that was closed last and its padding. */
  get followed(): boolean {
    return this.#input.length > this.#padding;
  }

  /** To be called when nothing more can be taken for now. */
  settle(): void {
    this.#input.settle();
  }

  /** To be called before the memory of what was received last is used again. */
  retain(): void {
    this.#input.retain();
  }

  clear(): void {
    this.#input.clear();
    this.left = -1;
  }
}

function refuseVersion(version: number): never {
  throw new RemoteProtocolError(
    'ERR_FCGI_VERSION',
    `the first byte of a record is ${version}, not 1: the peer does not speak FastCGI`,
  );
}
