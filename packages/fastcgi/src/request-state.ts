import { ByteQueue, ByteWriter } from '@postern/wire';
import type { ReceiveState, ReplyState } from './state.ts';

/** One request id of a server connection. */
export class RequestState {
  readonly id: number;
  receive: ReceiveState = 'params';
  reply: ReplyState = 'waiting';
  /** All of the reply is on its way, or nobody waits for it any more. */
  answered = false;
  /** Body bytes that the application may still get; Infinity: until the stream ends. */
  left = 0;
  /** The application knows that the body is whole, or broken. */
  bodyDone = false;
  /** Body bytes handed out since the last `pull`. */
  window = 0;
  paramsRecords = 0;
  stderrBytes = 0;
  /** Body of the reply that waits, and whether its end does. */
  readonly out = new ByteQueue();
  ending = false;
  /** STDIN that came before the end of PARAMS. */
  early: ByteWriter | undefined;
  #view: Buffer | undefined;
  #joined: ByteWriter | undefined;

  constructor(id: number) {
    this.id = id;
  }

  get paramsBytes(): number {
    return this.#joined?.length ?? this.#view?.length ?? 0;
  }

  /** The first piece of PARAMS is kept as a view; only a second one makes a copy, for pairs may straddle records. */
  addParams(piece: Buffer): void {
    if (this.#joined !== undefined) this.#joined.bytes(piece);
    else if (this.#view === undefined) this.#view = piece;
    else {
      this.#joined = new ByteWriter((this.#view.length + piece.length) * 2).bytes(this.#view).bytes(piece);
      this.#view = undefined;
    }
  }

  takeParams(): Buffer {
    const params = this.#joined?.view() ?? this.#view ?? Buffer.alloc(0);
    this.#joined = undefined;
    this.#view = undefined;
    return params;
  }

  addEarly(piece: Buffer): void {
    this.early ??= new ByteWriter(piece.length * 2);
    this.early.bytes(piece);
  }
}
