import { CgiReplyReader, type Limits, lacking, type Role } from '@postern/core';
import { ByteQueue } from '@postern/wire';
import { RecordType } from './constants.ts';
import { headerBytes, paddingFor, STREAM_PIECE } from './records.ts';

/** A stream on its way to the application: STDIN or DATA. */
class Upload {
  readonly type: number;
  readonly queue = new ByteQueue();
  /** All of it is queued. */
  complete = false;

  constructor(type: number) {
    this.type = type;
  }
}

/** The streams of each role, in the order in which they go out (FastCGI 1.0 §6.2 to §6.4). */
const streams: Record<Role, readonly number[]> = {
  responder: [RecordType.STDIN],
  authorizer: [],
  filter: [RecordType.STDIN, RecordType.DATA],
};

const PADDING = Buffer.alloc(8);

/** One request id of a client connection. */
export class ClientRequest {
  readonly id: number;
  readonly role: Role;
  readonly keep: boolean;
  /** Undefined: the head of the reply is there. */
  reader: CgiReplyReader | undefined;
  stdoutEnded = false;
  stderrBytes = 0;
  /** Empty records that mean nothing. */
  junk = 0;
  /** Body bytes handed out since the last `pull`, and those of STDERR behind them. */
  window = 0;
  /** ABORT_REQUEST went out: what still comes is thrown away, up to END_REQUEST. */
  aborted = false;
  /** What is still to be sent, the end of each stream included. */
  readonly #uploads: Upload[];
  /** Bytes of the body that were not sent; Infinity: nobody knows. */
  #left: number;

  /** @param length of the body; Infinity: until its end */
  constructor(id: number, role: Role, keep: boolean, length: number, limits: Limits, nph: boolean) {
    this.id = id;
    this.role = role;
    this.keep = keep;
    this.#left = length;
    this.reader = new CgiReplyReader(limits, nph);
    this.#uploads = streams[role].map((type) => new Upload(type));
  }

  /** All streams are on their way, with their ends. */
  get sent(): boolean {
    return this.#uploads.length === 0;
  }

  /** Nothing but the end of STDIN was not sent: an application that knows the length of a body does not wait for it. */
  get lacksEnd(): boolean {
    const [first, second] = this.#uploads;
    return second === undefined && first?.type === RecordType.STDIN && first.queue.length === 0 && this.#left === 0;
  }

  /** Stream bytes that wait. */
  get queued(): number {
    let bytes = 0;
    for (const { queue } of this.#uploads) bytes += queue.length;
    return bytes;
  }

  /** There is something to send now. */
  get due(): boolean {
    const first = this.#uploads[0];
    return first !== undefined && (first.complete || first.queue.length > 0);
  }

  /** More of a stream that is not complete. @throws LocalProtocolError ERR_PROTOCOL_LACKS: the role has no such stream */
  push(type: number, chunk: Uint8Array): void {
    const upload = this.#upload(type);
    if (upload?.complete === false) upload.queue.push(chunk);
    else if (chunk.length > 0 && !streams[this.role].includes(type)) {
      lacking(`the role ${this.role}`, type === RecordType.DATA ? 'filter data' : 'body');
    }
  }

  complete(type: number): void {
    const upload = this.#upload(type);
    if (upload !== undefined) upload.complete = true;
  }

  #upload(type: number): Upload | undefined {
    return this.#uploads.find((one) => one.type === type);
  }

  /** Nothing more is sent of it. */
  drop(): void {
    this.#uploads.length = 0;
  }

  /**
   * One record of the stream whose turn it is, with at most so many bytes, or its end.
   * @returns bytes of content
   */
  takeRecord(most: number, into: Uint8Array[]): number {
    const { type, queue, complete } = this.#uploads[0];
    const length = Math.min(queue.length, most, STREAM_PIECE);
    if (length > 0) {
      into.push(headerBytes(type, this.id, length));
      for (let left = length; left > 0; ) {
        const piece = queue.takeSome(left);
        into.push(piece);
        left -= piece.length;
      }
      // of a filter's DATA, which comes last, nobody asks
      this.#left -= length;
      if (paddingFor(length) > 0) into.push(PADDING.subarray(0, paddingFor(length)));
    }
    if (queue.length === 0 && complete) {
      into.push(headerBytes(type, this.id, 0));
      this.#uploads.shift();
    }
    return length;
  }
}
