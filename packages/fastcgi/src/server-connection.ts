import {
  type LimitCounts,
  type Limits,
  type Notice,
  type Output,
  type PeerOptions,
  RemoteProtocolError,
  type ReplyEvent,
  type RequestEvent,
  type ServerConnection,
  upgradeAsked,
} from '@postern/core';
import { KEEP_CONN, RecordType } from './constants.ts';
import { takeEarly } from './early-stdin.ts';
import { takeData } from './filter-data.ts';
import { readHead, takeParams } from './head.ts';
import { unknownTypeAnswer, valuesResult } from './management.ts';
import { RecordReader } from './record-reader.ts';
import { checkHeader, move } from './record-rules.ts';
import { aborted, bodyShort, MORE, type Step } from './request-events.ts';
import type { RequestState } from './request-state.ts';
import { Requests } from './requests.ts';
import { openWhole } from './whole-head.ts';

/** Answers to the peer's management records that it does not read: above this many bytes no more is read of it. */
const MAX_ANSWERS = 65_536;

const CONCURRENT: Notice = {
  code: 'ERR_FCGI_CONCURRENT',
  message: 'more requests at once on a connection than maxConcurrentPerConnection are answered 503',
};
const EXCESS: Notice = { code: 'ERR_BODY_EXCESS', message: 'STDIN behind CONTENT_LENGTH is dropped' };

/** The application's side of one FastCGI connection (FastCGI 1.0 §3 to §6). */
export class FastcgiServerConnection implements ServerConnection {
  readonly #limits: Limits;
  readonly #halfCloseServes: boolean;
  /** The web server, where the address names it. */
  readonly #peer: string | undefined;
  readonly #record = new RecordReader();
  readonly #requests: Requests;
  /** Events that came of one record and were not given out. */
  readonly #events: RequestEvent[] = [];
  #peerEnded = false;
  #notice: Notice | undefined;
  #noticed = false;

  constructor(limits: Limits, peer: PeerOptions = {}, counts?: LimitCounts) {
    this.#limits = limits;
    this.#requests = new Requests(limits, peer.roles, counts);
    this.#peer = peer.peer;
    this.#halfCloseServes = peer.halfCloseServes === true;
  }

  receive(chunk: Uint8Array): void {
    this.#record.receive(chunk);
  }

  retain(): void {
    this.#record.retain();
    this.#requests.retain();
  }

  receiveEnd(): void {
    this.#peerEnded = true;
  }

  next(): RequestEvent | undefined {
    if (this.#events.length > 0) return this.#events.shift();
    try {
      const event = this.#read();
      if (event === undefined && this.#peerEnded) return this.#afterFin();
      return event;
    } catch (error) {
      if (error instanceof RemoteProtocolError && error.scope === 'connection') {
        this.#record.clear();
        this.#requests.reset();
      }
      throw error;
    }
  }

  #read(): RequestEvent | undefined {
    const record = this.#record;
    for (;;) {
      // it is broken, or the reply that closes it is out: whatever else was sent is for nobody
      if (this.#requests.close !== false) record.clear();
      if (record.left < 0) {
        const whole = openWhole(record, this.#requests, this.#limits);
        if (whole !== undefined) return this.#start(whole);
        if (!record.open()) break;
        checkHeader(record, this.#requests.get(record.id));
      }
      const step = this.#content();
      if (step === undefined) break;
      if (step !== MORE) return step;
    }
    record.settle();
    return undefined;
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
        return this.#data();
      default:
        if (id !== 0) return this.#ignored(false);
        if (!this.#record.skip()) return undefined;
        this.#requests.management.spend();
        this.#requests.output.push(unknownTypeAnswer(type));
        return MORE;
    }
  }

  /** A record without meaning here: skipped; free of charge where it belongs to a request that is known. */
  #ignored(free: boolean): Step {
    if (!this.#record.skip()) return undefined;
    if (!free) this.#requests.charge();
    return MORE;
  }

  #getValues(): Step {
    const content = this.#record.whole();
    if (content === undefined) return undefined;
    this.#requests.management.spend();
    this.#requests.expectSharing();
    this.#requests.output.push(valuesResult(content, this.#limits));
    return MORE;
  }

  #begin(): Step {
    const record = this.#record;
    if (record.buffered < record.left) return undefined;
    const role = (record.byte(0) << 8) | record.byte(1);
    const keep = (record.byte(2) & KEEP_CONN) !== 0;
    record.skip();
    if (!this.#requests.begin(record.id, role, keep)) this.#notice ??= CONCURRENT;
    return MORE;
  }

  #params(): Step {
    const record = this.#record;
    const state = this.#requests.get(record.id);
    if (state === undefined) return this.#ignored(false);
    if (record.left === 0) {
      const starts = state.headPending;
      move(state, 'PARAMS_END');
      if (!starts) return this.#ignored(state.receive === 'refused');
      record.close();
      return this.#start(state);
    }
    move(state, 'PARAMS');
    if (state.receive === 'refused') return record.skip() ? MORE : undefined;
    return takeParams(record, state, this.#requests, this.#limits);
  }

  #start(state: RequestState): RequestEvent {
    const head = readHead(state, this.#requests, this.#limits, this.#peer);
    this.#requests.haproxy ??=
      this.#peer === undefined ? head.software.startsWith('HAProxy') : this.#peer === 'haproxy';
    const { early, file } = state;
    state.early = undefined;
    if (!head.openLength) state.left = Math.max(0, head.contentLength);
    else if (state.receive !== 'body' || this.#record.emptyFollows(RecordType.STDIN, state.id))
      state.left = early?.length ?? 0;
    else state.left = Number.POSITIVE_INFINITY;
    state.bodyDone = state.left === 0;
    const ended = state.bodyDone;
    state.asked = ended && state.role === 'responder' && upgradeAsked(head);
    // HAProxy is the one web server that may send further requests behind a body that it has begun to send
    if (!ended && this.#requests.haproxy) this.#requests.expectSharing();
    // most requests have no body, and their empty STDIN lies behind their head
    if (ended && state.receive === 'body' && this.#record.takeEmpty(RecordType.STDIN, state.id))
      state.receive = state.role === 'filter' ? 'data' : 'complete';
    if (early !== undefined && !ended) this.#deliver(state, early.view());
    if (state.receive !== 'body' && !state.bodyDone) this.#events.push(bodyShort(state));
    const { id, role } = state;
    if (file === undefined) return { type: 'request', id, role, head, ended };
    if (file.done) this.#events.push({ type: 'filter-end', id });
    return { type: 'request', id, role, head, ended, dataLength: file.length };
  }

  #stdin(): Step {
    const record = this.#record;
    const state = this.#requests.get(record.id);
    if (state === undefined) return this.#ignored(false);
    if (record.left === 0) return this.#stdinEnd(state);
    move(state, 'STDIN');
    if (state.asked || state.receive === 'params') return takeEarly(record, state, this.#requests, this.#limits);
    if (state.receive === 'refused' || state.reply === 'ended' || state.bodyDone) {
      if (state.known && state.left === 0) this.#notice ??= EXCESS;
      return record.skip() ? MORE : undefined;
    }
    if (state.window >= this.#limits.bodyHighWater) {
      this.#requests.stalled = state;
      return undefined;
    }
    const piece = record.some();
    if (piece === undefined) return undefined;
    this.#deliver(state, piece);
    return this.#events.shift() ?? MORE;
  }

  /** Queues the events of a piece of body: what lies behind CONTENT_LENGTH is dropped. */
  #deliver(state: RequestState, piece: Buffer): void {
    const { id } = state;
    const chunk = piece.length > state.left ? piece.subarray(0, state.left) : piece;
    if (chunk.length < piece.length) this.#notice ??= EXCESS;
    state.left -= chunk.length;
    state.window += chunk.length;
    this.#events.push({ type: 'data', id, chunk });
    if (state.left > 0) return;
    // CONTENT_LENGTH bytes are the whole body: lighttpd may hold the empty STDIN back (its "upgrade" option)
    state.bodyDone = true;
    this.#events.push({ type: 'end', id });
  }

  #stdinEnd(state: RequestState): Step {
    const { id } = this.#record;
    const again = state.receive === 'complete' || state.receive === 'early' || state.receive === 'data';
    move(state, 'STDIN_END');
    if (again) return this.#ignored(false);
    this.#record.close();
    if (state.answered && state.role !== 'filter') this.#requests.forget(id);
    if (state.reply === 'ended' || !state.known || state.bodyDone) return MORE;
    if (state.left !== Number.POSITIVE_INFINITY) return bodyShort(state);
    state.bodyDone = true;
    return { type: 'end', id };
  }

  #data(): Step {
    const state = this.#requests.get(this.#record.id);
    if (state?.role !== 'filter') return this.#ignored(state !== undefined);
    return takeData(this.#record, state, this.#requests, this.#events, this.#limits);
  }

  #abort(): Step {
    const state = this.#requests.get(this.#record.id);
    if (state === undefined || state.answered) {
      this.#requests.charge();
      return MORE;
    }
    const { known } = state;
    const whole = state.receive === 'complete';
    move(state, 'ABORT');
    this.#requests.abort(state);
    if (whole) this.#requests.forget(state.id);
    return known ? aborted(state.id, 'the web server aborted the request') : MORE;
  }

  /** The peer's FIN: it gave up what is still running, unless it only half-closed. */
  #afterFin(): RequestEvent | undefined {
    // what waits for `pull` has come
    if (this.#halfCloseServes && this.#requests.stalled !== undefined) return undefined;
    const id = this.#requests.fin(this.#halfCloseServes);
    return id === undefined ? undefined : aborted(id, 'the web server closed the connection');
  }

  takeNotice(): Notice | undefined {
    if (this.#notice === undefined || this.#noticed) return undefined;
    this.#noticed = true;
    return this.#notice;
  }

  pull(id: number, of?: 'filter-data'): void {
    this.#requests.pull(id, of);
  }

  send(event: ReplyEvent): void {
    this.#requests.send(event);
    if (event.type === 'upgrade') this.#openTunnel(event.id);
  }

  /** All STDIN is the tunnel's from now on: what came while the request was asked, and whether it has ended. */
  #openTunnel(id: number): void {
    const state = this.#requests.get(id);
    if (state === undefined) return;
    const { early } = state;
    state.early = undefined;
    state.left = Number.POSITIVE_INFINITY;
    state.bodyDone = state.receive === 'complete';
    if (early !== undefined) this.#deliver(state, early.view());
    if (state.bodyDone) this.#events.push({ type: 'end', id });
  }

  queued(id: number): number {
    return this.#requests.queued(id);
  }

  takeOutput(budget: number): Output | undefined {
    return this.#requests.takeOutput(budget);
  }

  expireHeads(): void {
    this.#requests.expireHeads();
  }

  shutdown(): void {
    this.#requests.shutdown();
  }

  renewBudgets(): void {
    this.#requests.renewBudgets();
  }

  get idle(): boolean {
    return this.#requests.active === 0 && !this.headPending;
  }

  get headPending(): boolean {
    const { left, type, buffered } = this.#record;
    // the first bytes of a header may be those of any record: they begin a request only where there is none
    if (left < 0 ? buffered > 0 && this.#requests.active === 0 : type === RecordType.BEGIN_REQUEST) return true;
    return this.#requests.headPending;
  }

  get blocker(): number {
    return this.#requests.stalled?.id ?? 0;
  }

  get sharing(): 'no' | 'maybe' | 'yes' {
    return this.#requests.sharing;
  }

  get allReceived(): boolean {
    return this.#requests.allReceived;
  }

  get wantsRead(): boolean {
    return this.#requests.stalled === undefined && this.#requests.output.readyBytes < MAX_ANSWERS;
  }

  get wantsClose(): false | 'fin' | 'reset' {
    return this.#requests.close;
  }
}
