import { LocalProtocolError } from '@postern/core';
import { ByteQueue } from '@postern/wire';
import { bodyHeader, END_OF_BODY } from './packets.ts';
import { type UploadInput, type UploadState, uploadTable } from './state.ts';

/** One packet with body bytes: what stands before them, as latin-1 text, and views of them. */
export interface BodyPacket {
  readonly header: string;
  readonly pieces: readonly Buffer[];
}

/**
 * The body of a request on its way to the application: packet by packet, each but the first of a stated length only
 * when it is asked for.
 */
export class Upload {
  /** Body bytes of one packet, at most. */
  readonly #most: number;
  readonly #queue = new ByteQueue();
  #state: UploadState = 'ended';
  /** Bytes that the caller may still give; Infinity: no length is stated. */
  #expected = 0;
  /** Bytes that may still be sent. */
  #left = 0;
  /** Bytes that the latest GET_BODY_CHUNK asks for. */
  #asked = 0;
  #complete = false;

  /** @param most body bytes of one packet */
  constructor(most: number) {
    this.#most = most;
  }

  /** @param length of the body in bytes; Infinity: not stated */
  begin(length: number): void {
    this.#queue.clear();
    this.#expected = length;
    this.#left = length;
    this.#complete = false;
    this.#state = length === 0 ? 'whole' : length === Number.POSITIVE_INFINITY ? 'held' : 'first';
  }

  /** @throws LocalProtocolError ERR_BODY_LONG: more bytes than the request has stated */
  push(chunk: Uint8Array): void {
    if (this.#state === 'ended' || this.#complete) return;
    if (chunk.length > this.#expected) {
      const message = `${chunk.length} bytes of body where CONTENT_LENGTH leaves ${this.#expected}: a body of unknown length is announced with HTTP_TRANSFER_ENCODING "chunked"`;
      throw new LocalProtocolError('ERR_BODY_LONG', message);
    }
    this.#expected -= chunk.length;
    this.#queue.push(chunk);
  }

  /**
   * All of the body was given.
   * @throws LocalProtocolError ERR_BODY_CUT: fewer bytes than the request has stated. They could be ended with an empty
   * packet, but Tomcat hands such a body to its application as a whole one
   */
  complete(): void {
    if (this.#state === 'ended') return;
    if (this.#expected > 0 && this.#expected !== Number.POSITIVE_INFINITY)
      throw new LocalProtocolError('ERR_BODY_CUT', `the body ended ${this.#expected} bytes before its CONTENT_LENGTH`);
    this.#complete = true;
  }

  /** GET_BODY_CHUNK; false: it is not allowed here. */
  ask(length: number): boolean {
    if (uploadTable[this.#state].ASK === undefined) return false;
    this.#asked = length;
    this.#move('ASK');
    return true;
  }

  /** The packet that may go out now. */
  take(): BodyPacket | undefined {
    switch (this.#state) {
      case 'first':
        return this.#packet(this.#most);
      case 'asked':
        return this.#packet(Math.min(this.#asked, this.#most));
      case 'surplus':
        return this.#end();
      default:
        return undefined;
    }
  }

  #packet(most: number): BodyPacket | undefined {
    const length = Math.min(this.#queue.length, most);
    // who asks for nothing can only be told the end
    if (length === 0) return this.#complete || most === 0 ? this.#end() : undefined;
    const pieces: Buffer[] = [];
    for (let wanted = length; wanted > 0; ) {
      const piece = this.#queue.takeSome(wanted);
      pieces.push(piece);
      wanted -= piece.length;
    }
    this.#left -= length;
    this.#move(this.#left === 0 ? 'LAST' : 'PIECE');
    return { header: bodyHeader(length), pieces };
  }

  #end(): BodyPacket {
    this.#queue.clear();
    this.#move('END');
    return { header: END_OF_BODY, pieces: [] };
  }

  /** Nobody waits for the rest. */
  drop(): void {
    this.#queue.clear();
    this.#move('DROP');
  }

  #move(input: UploadInput): void {
    this.#state = uploadTable[this.#state][input] as UploadState;
  }

  /** Bytes that wait. */
  get queued(): number {
    return this.#queue.length;
  }

  /** The peer waits for a packet that has not gone out: what came next would be taken for it. */
  get owes(): boolean {
    return this.#state === 'first' || this.#state === 'asked' || this.#state === 'surplus';
  }
}
