import {
  AbortError,
  CgiHead,
  type Limits,
  type Output,
  type PeerOptions,
  RemoteProtocolError,
  type ReplyEvent,
  type RequestEvent,
  reasonOf,
  type ServerConnection,
  type VariableNames,
} from '@postern/core';
import { KEEP_CONN, ProtocolStatus, RecordType, RoleNumber } from './constants.ts';
import { unknownTypeAnswer, valuesResult } from './management.ts';
import { readParams } from './params.ts';
import { RecordReader } from './record-reader.ts';
import { ReplyOutput } from './reply-output.ts';
import { RequestState } from './request-state.ts';
import { type ReceiveInput, receiveTable } from './state.ts';

/** Answers to the peer's management records that it does not read: above this many bytes no more is read of it. */
const MAX_ANSWERS = 65_536;

/** What a handler of a record says when it has no event: go on with the next record. */
const MORE = Symbol('more');
/** An event; MORE; or undefined: the content has not come, or waits for `pull`. */
type Step = RequestEvent | typeof MORE | undefined;

/** The names of the latest request of the process: most requests carry the same ones. */
let latestNames: VariableNames | undefined;

function broken(code: 'ERR_FCGI_RECORD' | 'ERR_FCGI_STATE' | 'ERR_FCGI_JUNK', message: string): never {
  throw new RemoteProtocolError(code, message);
}

/** The application's side of one FastCGI connection (FastCGI 1.0 §3 to §6). */
export class FastcgiServerConnection implements ServerConnection {
  readonly #limits: Limits;
  readonly #halfCloseServes: boolean;
  readonly #record = new RecordReader();
  readonly #output = new ReplyOutput();
  /** Events that came of one record and were not given out. */
  readonly #events: RequestEvent[] = [];
  /** Every id whose request or reply is not finished. */
  readonly #ids = new Map<number, RequestState>();
  /** How many of them are not answered. */
  #active = 0;
  #served = 0;
  #junk = 0;
  /** The flag of the latest BEGIN. */
  #keep = true;
  /** Whose body waits for `pull`. */
  #stalled: RequestState | undefined;
  /** No further request is taken. */
  #closing = false;
  #peerEnded = false;
  #poisoned = false;
  #close: false | 'fin' | 'reset' = false;

  constructor(limits: Limits, peer: PeerOptions = {}) {
    this.#limits = limits;
    this.#halfCloseServes = peer.halfCloseServes === true;
  }

  receive(chunk: Uint8Array): void {
    if (!this.#poisoned) this.#record.receive(chunk);
  }

  receiveEnd(): void {
    this.#peerEnded = true;
  }

  next(): RequestEvent | undefined {
    if (this.#events.length > 0) return this.#events.shift();
    if (this.#poisoned) return undefined;
    try {
      const event = this.#read();
      if (event === undefined && this.#peerEnded) return this.#afterFin();
      return event;
    } catch (error) {
      if (error instanceof RemoteProtocolError && error.scope === 'connection') {
        this.#poisoned = true;
        this.#record.clear();
        this.#close = 'reset';
      }
      throw error;
    }
  }

  #read(): RequestEvent | undefined {
    const record = this.#record;
    for (;;) {
      if (record.left < 0) {
        if (!record.open()) break;
        this.#checkHeader();
      }
      const step = this.#content();
      if (step === undefined) break;
      if (step !== MORE) return step;
    }
    record.settle();
    return undefined;
  }

  /** What is wrong already by its header is refused before its content is waited for. */
  #checkHeader(): void {
    const { type, id, left } = this.#record;
    switch (type) {
      case RecordType.BEGIN_REQUEST: {
        if (id === 0 || left !== 8) broken('ERR_FCGI_RECORD', `BEGIN_REQUEST with id ${id} and ${left} bytes`);
        const state = this.#ids.get(id);
        if (state !== undefined && !state.answered) {
          broken('ERR_FCGI_STATE', `BEGIN_REQUEST for id ${id}, which is active`);
        }
        break;
      }
      case RecordType.ABORT_REQUEST:
      case RecordType.PARAMS:
      case RecordType.STDIN:
      case RecordType.DATA:
        if (id === 0) broken('ERR_FCGI_RECORD', `a record of type ${type} with id 0`);
        break;
      case RecordType.END_REQUEST:
      case RecordType.STDOUT:
      case RecordType.STDERR:
      case RecordType.GET_VALUES_RESULT:
      case RecordType.UNKNOWN_TYPE:
        broken('ERR_FCGI_RECORD', `a record of type ${type}, which only an application sends`);
    }
  }

  #content(): Step {
    const { type, id } = this.#record;
    switch (type) {
      case RecordType.BEGIN_REQUEST:
        return this.#begin();
      case RecordType.PARAMS:
        return this.#params();
      case RecordType.STDIN:
        return this.#stdin();
      case RecordType.ABORT_REQUEST:
        return this.#record.skip() ? this.#abort() : undefined;
      case RecordType.GET_VALUES:
        return id === 0 ? this.#getValues() : this.#ignored(false);
      case RecordType.DATA:
        return this.#ignored(this.#ids.has(id));
      default:
        if (id !== 0) return this.#ignored(false);
        if (!this.#record.skip()) return undefined;
        this.#output.push(unknownTypeAnswer(type));
        return MORE;
    }
  }

  /** A record without meaning here: skipped; free of charge where it belongs to a request that is known. */
  #ignored(free: boolean): Step {
    if (!this.#record.skip()) return undefined;
    if (!free && ++this.#junk > this.#limits.maxJunkRecords) {
      broken('ERR_FCGI_JUNK', `more than ${this.#limits.maxJunkRecords} records that belong to no request`);
    }
    return MORE;
  }

  #getValues(): Step {
    const content = this.#record.whole();
    if (content === undefined) return undefined;
    this.#output.push(valuesResult(content, this.#limits));
    return MORE;
  }

  #begin(): Step {
    const body = this.#record.whole();
    if (body === undefined) return undefined;
    const role = (body[0] << 8) | body[1];
    this.#keep = (body[2] & KEEP_CONN) !== 0;
    const late = this.#closing;
    const state = new RequestState(this.#record.id);
    this.#ids.set(state.id, state);
    this.#active++;
    if (++this.#served >= this.#limits.maxConnectionRequests) this.#closing = true;
    if (role !== RoleNumber.responder) this.#endAtOnce(state, ProtocolStatus.UNKNOWN_ROLE);
    else if (late) this.#refuse(state, 503);
    else if (this.#active > this.#limits.maxConcurrentPerConnection) {
      // a peer that was told 1 knows what this means; to a user's request nobody reads the status
      if (this.#limits.maxConcurrentPerConnection === 1) this.#endAtOnce(state, ProtocolStatus.CANT_MPX_CONN);
      else this.#refuse(state, 503);
    }
    return MORE;
  }

  #endAtOnce(state: RequestState, protocolStatus: number): void {
    state.receive = 'refused';
    this.#output.endRequest(state.id, 0, protocolStatus);
    this.#finish(state);
  }

  /** Answers without the application. */
  #refuse(state: RequestState, status: number): void {
    const reason = reasonOf(status);
    const headers = ['Content-Type', 'text/plain'];
    if (status === 503) headers.push('Retry-After', '1');
    state.receive = 'refused';
    this.send({ type: 'whole', id: state.id, status, reason, headers, body: `${status} ${reason}\n` });
  }

  #move(state: RequestState, input: ReceiveInput): void {
    const next = receiveTable[state.receive][input];
    if (next === undefined) broken('ERR_FCGI_STATE', `${input} for id ${state.id}, whose request is ${state.receive}`);
    state.receive = next;
  }

  #params(): Step {
    const record = this.#record;
    const state = this.#ids.get(record.id);
    if (state === undefined) return this.#ignored(false);
    if (record.left === 0) {
      const starts = state.receive === 'params';
      this.#move(state, 'PARAMS_END');
      record.close();
      return starts ? this.#start(state) : MORE;
    }
    this.#move(state, 'PARAMS');
    if (state.receive === 'refused') return record.skip() ? MORE : undefined;
    const { maxEnvBytes, maxParamsRecords } = this.#limits;
    if (state.paramsBytes + record.left > maxEnvBytes) {
      throw this.#refusal(state, 'ERR_ENV_BYTES', `PARAMS have more than ${maxEnvBytes} bytes (maxEnvBytes)`, 431);
    }
    const piece = record.some();
    if (piece === undefined) return undefined;
    state.addParams(piece);
    if (record.left < 0 && ++state.paramsRecords > maxParamsRecords) {
      throw this.#refusal(
        state,
        'ERR_ENV_BYTES',
        `more than ${maxParamsRecords} PARAMS records (maxParamsRecords)`,
        431,
      );
    }
    return MORE;
  }

  /** The rest of this request is thrown away, and the connection takes no other. */
  #refusal(
    state: RequestState,
    code: RemoteProtocolError['code'],
    message: string,
    status: number,
  ): RemoteProtocolError {
    state.receive = 'refused';
    state.bodyDone = true;
    state.takeParams();
    this.#closing = true;
    return new RemoteProtocolError(code, message, { scope: 'request', status, id: state.id });
  }

  #start(state: RequestState): RequestEvent {
    let head: CgiHead;
    try {
      const { names, values } = readParams(state.takeParams(), latestNames, this.#limits);
      latestNames = names;
      head = new CgiHead(names, values);
    } catch (error) {
      if (!(error instanceof RemoteProtocolError)) throw error;
      throw this.#refusal(state, error.code, error.message, error.statusHint);
    }
    this.#junk = 0;
    state.left = head.openLength ? Number.POSITIVE_INFINITY : Math.max(0, head.contentLength);
    const { early } = state;
    state.early = undefined;
    if (head.openLength && early === undefined && this.#record.emptyFollows(RecordType.STDIN, state.id)) state.left = 0;
    state.bodyDone = state.left === 0;
    const ended = state.bodyDone;
    if (early !== undefined && !ended) this.#deliver(state, early.view());
    return { type: 'request', id: state.id, role: 'responder', head, ended };
  }

  #stdin(): Step {
    const record = this.#record;
    const state = this.#ids.get(record.id);
    if (state === undefined) return this.#ignored(false);
    if (record.left === 0) return this.#stdinEnd(state);
    this.#move(state, 'STDIN');
    if (state.receive === 'refused' || state.reply === 'ended' || state.bodyDone)
      return record.skip() ? MORE : undefined;
    if (state.window >= this.#limits.bodyHighWater) {
      this.#stalled = state;
      return undefined;
    }
    const piece = record.some();
    if (piece === undefined) return undefined;
    if (state.receive === 'body') this.#deliver(state, piece);
    else {
      // the specification lets STDIN come before the end of PARAMS; no server does it
      state.addEarly(piece);
      state.window += piece.length;
    }
    return this.#events.shift() ?? MORE;
  }

  /** Queues the events of a piece of body: what lies behind CONTENT_LENGTH is dropped. */
  #deliver(state: RequestState, piece: Buffer): void {
    const { id } = state;
    const chunk = piece.length > state.left ? piece.subarray(0, state.left) : piece;
    state.left -= chunk.length;
    state.window += chunk.length;
    this.#events.push({ type: 'data', id, chunk });
    if (state.left > 0) return;
    // CONTENT_LENGTH bytes are the whole body: lighttpd may hold the empty STDIN back (its "upgrade" option)
    state.bodyDone = true;
    this.#events.push({ type: 'end', id });
  }

  #stdinEnd(state: RequestState): Step {
    const { id } = state;
    this.#record.close();
    this.#move(state, 'STDIN_END');
    if (state.answered) this.#ids.delete(id);
    if (state.reply === 'ended' || state.receive !== 'complete' || state.bodyDone) return MORE;
    state.bodyDone = true;
    if (state.left === Number.POSITIVE_INFINITY) return { type: 'end', id };
    const error = new AbortError('ERR_BODY_SHORT', `the body ended ${state.left} bytes before its CONTENT_LENGTH`, 400);
    return { type: 'body-error', id, error };
  }

  #abort(): Step {
    const state = this.#ids.get(this.#record.id);
    if (state === undefined || state.answered) return MORE;
    const known = state.receive === 'body' || state.receive === 'complete';
    this.#move(state, 'ABORT');
    this.#output.drop(state);
    this.#output.endRequest(state.id, 1, ProtocolStatus.REQUEST_COMPLETE);
    this.#finish(state);
    return known ? aborted(state.id, 'the web server aborted the request') : MORE;
  }

  /** The peer's FIN: it gave up what is still running, unless it only half-closed. */
  #afterFin(): RequestEvent | undefined {
    for (const state of this.#ids.values()) {
      const known = state.receive === 'body' || state.receive === 'complete';
      if (!state.answered && this.#halfCloseServes && known && state.bodyDone) continue;
      this.#ids.delete(state.id);
      if (state.answered) continue;
      this.#output.drop(state);
      this.#finish(state);
      if (known) return aborted(state.id, 'the web server closed the connection');
    }
    this.shutdown();
    return undefined;
  }

  /** This id is answered. What is left of its request is still read, and thrown away. */
  #finish(state: RequestState): void {
    state.reply = 'ended';
    state.answered = true;
    this.#active--;
    if (state.receive === 'complete') this.#ids.delete(state.id);
    if (this.#stalled === state) this.#stalled = undefined;
    this.#maybeClose();
  }

  #maybeClose(): void {
    if (this.#active === 0 && (this.#closing || !this.#keep)) this.#close ||= 'fin';
  }

  pull(id: number): void {
    const state = this.#ids.get(id);
    if (state === undefined) return;
    state.window = 0;
    if (this.#stalled === state) this.#stalled = undefined;
  }

  send(event: ReplyEvent): void {
    const state = this.#ids.get(event.id);
    if (state === undefined || (event.type === 'log' && state.reply === 'ended')) return;
    this.#output.send(state, event, this.#limits);
    if (event.type === 'whole') this.#finish(state);
    else if (event.type === 'abort') this.#breakOff(state);
  }

  /**
   * A reply that cannot be completed must not look complete. Alone on its connection it is ended by a header of eight
   * zero bytes, version 0, which nginx and Apache take for an error; a plain close would pass for the end of the reply.
   */
  #breakOff(state: RequestState): void {
    this.#output.drop(state);
    if (this.#active === 1) {
      this.#output.push('\0\0\0\0\0\0\0\0');
      this.#closing = true;
    } else this.#output.endRequest(state.id, 1, ProtocolStatus.REQUEST_COMPLETE);
    this.#finish(state);
  }

  queued(id: number): number {
    return this.#ids.get(id)?.out.length ?? 0;
  }

  takeOutput(budget: number): Output | undefined {
    return this.#output.take(budget, this.#onEnded);
  }

  readonly #onEnded = (state: RequestState): void => this.#finish(state);

  expireHeads(): void {
    this.#closing = true;
    let answered = false;
    for (const state of this.#ids.values()) {
      if (state.receive !== 'params') continue;
      this.#refuse(state, 408);
      answered = true;
    }
    if (!answered) this.#close ||= 'reset';
  }

  shutdown(): void {
    this.#closing = true;
    this.#maybeClose();
  }

  get idle(): boolean {
    return this.#active === 0 && !this.headPending;
  }

  get headPending(): boolean {
    const { left, type, buffered } = this.#record;
    if (left < 0 ? buffered > 0 : type === RecordType.BEGIN_REQUEST) return true;
    for (const state of this.#ids.values()) if (state.receive === 'params') return true;
    return false;
  }

  get wantsRead(): boolean {
    return this.#stalled === undefined && this.#output.readyBytes < MAX_ANSWERS;
  }

  get wantsClose(): false | 'fin' | 'reset' {
    return this.#close;
  }
}

function aborted(id: number, message: string): RequestEvent {
  return { type: 'abort', id, error: new AbortError('ERR_ABORTED', message) };
}
