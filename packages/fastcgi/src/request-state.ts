import type { ReplyState, Role } from '@postern/core';
import { ByteQueue, ByteWriter } from '@postern/wire';
import type { FilterState } from './state.ts';

/** The file of a filter, as far as it has come. */
export class FilterFile {
  /** As stated, in bytes; -1: not stated. */
  readonly length: number;
  /** Bytes that the application may still get; Infinity: until the stream ends. */
  left: number;
  /** The application knows that it is whole, or broken. */
  done: boolean;
  /** Bytes handed out since the last `pull`. */
  window = 0;

  constructor(length: number) {
    this.length = length;
    this.left = length < 0 ? Number.POSITIVE_INFINITY : length;
    this.done = length === 0;
  }
}

/** One request id of a server connection. */
export class RequestState {
  readonly id: number;
  readonly role: Role;
  receive: FilterState = 'params';
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
  /** Where PARAMS lie in `params`, as far as they have come. */
  paramsFrom = 0;
  paramsTo = 0;
  /** Where the first pair of PARAMS begins whose lengths have not been looked at. */
  paramsChecked = 0;
  stderrBytes = 0;
  /** The end of the reply waits behind its body. */
  ending = false;
  /** Of a filter whose head is complete. */
  file: FilterFile | undefined;
  /** It asks for an upgrade, and is not answered. */
  asked = false;
  /** Of a tunnel: its STDOUT ends, or has ended, before the request does. */
  half: 'open' | 'ending' | 'ended' = 'open';
  /** STDIN that came before the end of PARAMS, or before an upgrade was answered. */
  early: ByteWriter | undefined;
  #out: ByteQueue | undefined;
  #view: Buffer | undefined;
  /** It was copied already. */
  #viewKept = false;
  #joined: ByteWriter | undefined;

  constructor(id: number, role: Role) {
    this.id = id;
    this.role = role;
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
    return this.receive === 'body' || this.receive === 'complete' || this.receive === 'data';
  }

  /** All that the application reads has come. */
  get whole(): boolean {
    return this.bodyDone && this.file?.done !== false;
  }

  /** Bytes handed out since the last `pull`, of the stream that is on its way. */
  get handedOut(): number {
    return this.receive === 'data' ? (this.file as FilterFile).window : this.window;
  }

  get paramsBytes(): number {
    return this.paramsTo - this.paramsFrom;
  }

  /** The first piece of PARAMS is kept as a view; only a second one makes a copy, for pairs may straddle records. */
  addParams(piece: Buffer): void {
    if (this.#joined !== undefined) this.#joined.bytes(piece);
    else if (this.#view === undefined) this.#view = piece;
    else {
      this.#joined = new ByteWriter((this.#view.length + piece.length) * 2).bytes(this.#view).bytes(piece);
      this.#view = undefined;
    }
    this.paramsTo += piece.length;
  }

  /** All of PARAMS, which are read at once. */
  lendParams(bytes: Buffer, from: number, to: number): void {
    this.#view = bytes;
    this.paramsFrom = from;
    this.paramsTo = to;
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
    this.paramsFrom = 0;
    this.paramsTo = 0;
    return params;
  }

  addEarly(piece: Buffer): void {
    this.early ??= new ByteWriter(piece.length * 2);
    this.early.bytes(piece);
  }
}

function answered(role: Role): RequestState {
  const state = new RequestState(0, role);
  state.receive = 'refused';
  state.reply = 'ended';
  state.answered = true;
  return state;
}

const answeredStdin = answered('responder');
const answeredData = answered('filter');

/** Stands for every id whose reply is done while the rest of its request is still to come: STDIN, or of a filter DATA. */
export function answeredState(role: Role): RequestState {
  return role === 'filter' ? answeredData : answeredStdin;
}
