import type { ReplyState } from '@postern/core';
import { ByteQueue, ByteWriter } from '@postern/wire';
import type { ReceiveState } from './state.ts';

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
  /** Where the first pair of PARAMS begins whose lengths have not been looked at. */
  paramsChecked = 0;
  stderrBytes = 0;
  /** The end of the reply waits behind its body. */
  ending = false;
  /** STDIN that came before the end of PARAMS. */
  early: ByteWriter | undefined;
  #out: ByteQueue | undefined;
  #view: Buffer | undefined;
  /** It was copied already. */
  #viewKept = false;
  #joined: ByteWriter | undefined;

  constructor(id: number) {
    this.id = id;
  }

  /** Body of the reply that waits. */
  get out(): ByteQueue {
    this.#out ??= new ByteQueue();
    return this.#out;
  }

  get outLength(): number {
    return this.#out?.length ?? 0;
  }

  get headPending(): boolean {
    return this.receive === 'params' || this.receive === 'early';
  }

  /** The application was told of it. */
  get known(): boolean {
    return this.receive === 'body' || this.receive === 'complete';
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

  /** The memory that the piece lies in is about to be used again. */
  retain(): void {
    if (this.#view === undefined || this.#viewKept) return;
    this.#view = Buffer.from(this.#view);
    this.#viewKept = true;
  }

  /** What has come of PARAMS: a view, good until the next piece. */
  get params(): Buffer {
    return this.#joined?.view() ?? this.#view ?? Buffer.alloc(0);
  }

  takeParams(): Buffer {
    const { params } = this;
    this.#joined = undefined;
    this.#view = undefined;
    return params;
  }

  addEarly(piece: Buffer): void {
    this.early ??= new ByteWriter(piece.length * 2);
    this.early.bytes(piece);
  }
}

/** Stands for every id whose reply is done while the rest of its request is still to come. */
export const answeredState = new RequestState(0);
answeredState.receive = 'refused';
answeredState.reply = 'ended';
answeredState.answered = true;
