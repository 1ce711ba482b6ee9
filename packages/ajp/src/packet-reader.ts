import { RemoteProtocolError } from '@postern/core';
import { ByteQueue } from '@postern/wire';
import { HEADER_LENGTH } from './constants.ts';
import { PayloadReader } from './strings.ts';

/** Packets whose beginning has so many bytes are put together as they come. */
const LARGE = 4096;

/** Cuts received bytes into packets. The header is read by hand: `packetHeader` is its description and oracle. */
export class PacketReader {
  readonly #magic: number;
  readonly #most: number;
  readonly #input = new ByteQueue();
  /** The payload of the open packet, where it is put together as it comes. */
  #payload: Buffer | undefined;
  /** Bytes of it that have come. */
  #filled = 0;
  /** Payload bytes of the packet that is open; -1: none is. */
  length = -1;

  /**
   * @param magic the first two bytes of a packet
   * @param most payload bytes of one packet; it is for the caller to refuse more, as far as the state allows an answer
   */
  constructor(magic: number, most: number) {
    this.#magic = magic;
    this.#most = most;
  }

  /** The open packet is larger than may be. */
  get tooLong(): boolean {
    return this.length > this.#most;
  }

  receive(chunk: Uint8Array): void {
    const payload = this.#payload;
    if (payload === undefined) {
      this.#input.push(chunk);
      return;
    }
    const count = Math.min(chunk.length, payload.length - this.#filled);
    payload.set(count === chunk.length ? chunk : chunk.subarray(0, count), this.#filled);
    this.#filled += count;
    if (count < chunk.length) this.#input.push(chunk.subarray(count));
  }

  /** Bytes were received that belong to no packet that was taken. */
  get pending(): boolean {
    return this.length >= 0 || this.#input.length > 0;
  }

  /**
   * Opens the next packet; false: its header has not come.
   * @throws RemoteProtocolError ERR_AJP_PACKET: these bytes are no packet
   */
  open(): boolean {
    const input = this.#input;
    for (let at = 0; at < 2; at++) {
      const byte = input.peek(at);
      if (byte === undefined) return false;
      if (byte !== this.#magicAt(at)) {
        throw new RemoteProtocolError(
          'ERR_AJP_PACKET',
          `byte ${at} of a packet is 0x${byte.toString(16).padStart(2, '0')}: the peer does not speak AJP`,
        );
      }
    }
    if (input.length < HEADER_LENGTH) return false;
    this.length = ((input.peek(2) as number) << 8) | (input.peek(3) as number);
    input.skip(HEADER_LENGTH);
    return true;
  }

  #magicAt(at: number): number {
    return at === 0 ? this.#magic >> 8 : this.#magic & 255;
  }

  /** The first byte of the payload; undefined: it has not come. */
  get type(): number | undefined {
    return this.#payload === undefined ? this.#input.peek(0) : this.#payload[0];
  }

  /** The payload, and closes the packet; undefined: it has not come. */
  take(): Buffer | undefined {
    let payload = this.#payload;
    if (payload === undefined) {
      if (this.#input.length < this.length) return undefined;
      payload = this.#input.take(this.length);
    } else if (this.#filled < payload.length) return undefined;
    this.#payload = undefined;
    this.length = -1;
    return payload;
  }

  /** As `take`, for who reads it at once: it is read where it lies. */
  read(): PayloadReader | undefined {
    const { length } = this;
    const input = this.#input;
    const front = this.#payload === undefined ? input.front(length) : undefined;
    if (front === undefined) {
      const payload = this.take();
      return payload === undefined ? undefined : new PayloadReader(payload);
    }
    const reader = new PayloadReader(front, input.frontAt, length);
    input.skip(length);
    this.length = -1;
    return reader;
  }

  /** Throws a packet away that has come whole; false: it has not, or is none. */
  skip(): boolean {
    if (this.length < 0) {
      const input = this.#input;
      if (input.length < HEADER_LENGTH || input.peek(0) !== this.#magicAt(0)) return false;
      if (input.peek(1) !== this.#magicAt(1)) return false;
      this.open();
    }
    return !this.tooLong && this.take() !== undefined;
  }

  /** To be called when nothing more can be taken for now. */
  settle(): void {
    this.#input.settle();
  }

  /** To be called before the memory of what was received last is used again. */
  retain(): void {
    const { length } = this.#input;
    // it has to be copied: then to where it goes; a peer that announces much and sends little gets no memory for that
    if (this.#payload === undefined && length >= LARGE && length < this.length && length * 4 >= this.length) {
      this.#payload = Buffer.allocUnsafeSlow(this.length);
      this.#filled = 0;
      while (this.#filled < length) {
        const piece = this.#input.takeSome(length);
        this.#payload.set(piece, this.#filled);
        this.#filled += piece.length;
      }
    } else this.#input.retain();
  }

  clear(): void {
    this.#input.clear();
    this.#payload = undefined;
    this.length = -1;
  }
}

/**
 * The body bytes of a packet of a request: a view. None at all is the end of the body.
 * @throws RemoteProtocolError ERR_AJP_PACKET: the two lengths contradict each other
 */
export function bodyOf(payload: Buffer): Buffer {
  if (payload.length === 0) return payload;
  const length = (payload[0] << 8) | payload[1];
  if (length !== payload.length - 2) {
    throw new RemoteProtocolError(
      'ERR_AJP_PACKET',
      `a body packet of ${payload.length} bytes gives ${length} as its length (lighttpd: add peer=lighttpd to the address)`,
    );
  }
  return payload.subarray(2);
}
