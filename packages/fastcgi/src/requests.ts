import {
  Budget,
  IdMap,
  type LimitCounts,
  type Limits,
  LocalProtocolError,
  limitCounts,
  type Output,
  RemoteProtocolError,
  type ReplyEvent,
  type Role,
  reasonOf,
} from '@postern/core';
import { ProtocolStatus, RecordType, roleNames } from './constants.ts';
import { headerText } from './records.ts';
import { ReplyOutput } from './reply-output.ts';
import { answeredState, RequestState } from './request-state.ts';

const responders: readonly Role[] = ['responder'];

/** The requests of one connection by their ids, their replies, and whether the connection goes on. */
export class Requests {
  readonly output = new ReplyOutput();
  readonly #limits: Limits;
  readonly #counts: LimitCounts;
  readonly #roles: readonly Role[];
  readonly #responder: boolean;
  /** Every id whose request or reply is not finished. */
  readonly #ids = new IdMap<RequestState>();
  /** How many of them are not answered. */
  #active = 0;
  #served = 0;
  /** Records that belong to no request, until one is answered. */
  readonly #junk: Budget;
  readonly #aborts: Budget;
  /** Records about the connection itself. */
  readonly management: Budget;
  /** The flag of the latest BEGIN. */
  #keep = true;
  /** No further request is taken. */
  #closing = false;
  #close: false | 'fin' | 'reset' = false;
  /** Whose body waits for `pull`. */
  stalled: RequestState | undefined;
  /** Whether the peer is HAProxy; undefined: no head has said it. */
  haproxy: boolean | undefined;
  /** Whether a body that waits keeps other requests waiting. */
  sharing: 'no' | 'maybe' | 'yes' = 'no';

  /** @param roles those that the application has */
  constructor(limits: Limits, roles = responders, counts = limitCounts()) {
    this.#limits = limits;
    this.#roles = roles;
    this.#responder = roles.includes('responder');
    this.#counts = counts;
    this.#junk = new Budget(limits, 'maxJunkRecords', 'ERR_FCGI_JUNK', 'records that belong to no request');
    this.#aborts = new Budget(limits, 'maxAbortedRequests', 'ERR_FLOOD', 'requests aborted before their reply in 10 s');
    this.management = new Budget(limits, 'maxManagementMessages', 'ERR_FLOOD', 'management records in 10 s');
  }

  renewBudgets(): void {
    this.#aborts.renew();
    this.management.renew();
  }

  get(id: number): RequestState | undefined {
    return this.#ids.get(id);
  }

  get active(): number {
    return this.#active;
  }

  /** The peer is one that may send several requests at once. */
  expectSharing(): void {
    if (this.sharing === 'no' && this.#keep && this.#limits.maxConcurrentPerConnection > 1) this.sharing = 'maybe';
  }

  /** How the connection ends, when the output is out. */
  get close(): false | 'fin' | 'reset' {
    return this.#close;
  }

  /** The connection is of no use any more: of the replies that run nothing more is written, above all no end. */
  reset(): void {
    for (const [id, state] of this.#ids.entries()) {
      this.output.drop(state);
      this.#ids.delete(id);
    }
    this.#active = 0;
    this.stalled = undefined;
    this.#close = 'reset';
  }

  /** No request is on its way, and none may begin. */
  get allReceived(): boolean {
    return !this.#keep && this.#ids.size === 0;
  }

  shutdown(): void {
    this.#closing = true;
    this.#maybeClose();
  }

  /** Nothing keeps a responder's request with this id from being taken. */
  takes(id: number): boolean {
    if (this.#closing || !this.#responder || this.#ids.get(id) !== undefined) return false;
    return this.#active < this.#limits.maxConcurrentPerConnection;
  }

  /** A request that is taken. */
  open(id: number, role: Role, keep: boolean): RequestState {
    const state = new RequestState(id, role);
    this.#keep = keep;
    this.#ids.set(id, state);
    if (++this.#active > 1) this.sharing = 'yes';
    if (++this.#served >= this.#limits.maxConnectionRequests) this.#serveNoMore();
    return state;
  }

  /** BEGIN_REQUEST: one that cannot be taken is answered here. False: there are too many at once. */
  begin(id: number, roleNumber: number, keep: boolean): boolean {
    const late = this.#closing;
    const most = this.#limits.maxConcurrentPerConnection;
    const role = roleNames[roleNumber];
    const state = this.open(id, role ?? 'responder', keep);
    if (!this.#roles.includes(role as Role)) this.#endAtOnce(state, ProtocolStatus.UNKNOWN_ROLE);
    else if (late) this.#refuse(state, 503);
    // a peer that was told 1 knows what CANT_MPX_CONN means; to a user's request nobody reads the status
    else if (this.#active > most) {
      this.#counts.maxConcurrentPerConnection++;
      if (most === 1) this.#endAtOnce(state, ProtocolStatus.CANT_MPX_CONN);
      else this.#refuse(state, 503);
      return false;
    }
    return true;
  }

  #serveNoMore(): void {
    if (!this.#closing) this.#counts.maxConnectionRequests++;
    this.#closing = true;
  }

  #endAtOnce(state: RequestState, protocolStatus: number): void {
    this.output.deny(state);
    this.output.endRequest(state.id, 0, protocolStatus);
    this.#finish(state);
  }

  /** Answers without the application. */
  #refuse(state: RequestState, status: number): void {
    const reason = reasonOf(status);
    const headers = ['Content-Type', 'text/plain'];
    if (status === 503) headers.push('Retry-After', '1');
    this.send({ type: 'whole', id: state.id, status, reason, headers, body: `${status} ${reason}\n` });
  }

  /** A record belongs to no request, or says nothing. @throws RemoteProtocolError ERR_FCGI_JUNK */
  charge(): void {
    this.#junk.spend();
  }

  /** What is to be thrown: the rest of this request is thrown away, and the connection takes no other. */
  refusal(
    state: RequestState,
    code: RemoteProtocolError['code'],
    message: string,
    status: number,
    limit?: RemoteProtocolError['limit'],
  ): RemoteProtocolError {
    state.receive = 'refused';
    state.takeParams();
    this.#closing = true;
    return new RemoteProtocolError(code, message, { scope: 'request', status, id: state.id, limit });
  }

  /** The stream of its body has ended: an answered id can be forgotten. */
  forget(id: number): void {
    this.#ids.delete(id);
  }

  /** ABORT_REQUEST (FastCGI 1.0 §5.4). @throws RemoteProtocolError ERR_FLOOD */
  abort(state: RequestState): void {
    if (state.reply === 'waiting') this.#aborts.spend();
    this.output.deny(state);
    this.output.drop(state);
    this.output.endRequest(state.id, 1, ProtocolStatus.REQUEST_COMPLETE);
    this.#finish(state);
  }

  /**
   * The peer's FIN: it gave up what is still running, unless it only half-closed.
   * @returns the next id that the application must hear of; undefined: that was all
   */
  fin(halfCloseServes: boolean): number | undefined {
    for (const [id, state] of this.#ids.entries()) {
      if (halfCloseServes && state.known && state.whole) continue;
      if (!state.answered) {
        this.output.drop(state);
        this.#finish(state);
      }
      this.#ids.delete(id);
      if (state.known) return id;
    }
    this.shutdown();
    return undefined;
  }

  /** This id is answered. What is left of its request is still read, and thrown away. */
  #finish(state: RequestState): void {
    this.#active--;
    if (state.receive === 'complete') this.#ids.delete(state.id);
    else this.#ids.set(state.id, answeredState(state.role));
    if (this.stalled === state) this.stalled = undefined;
    this.#maybeClose();
  }

  #maybeClose(): void {
    if (this.#active === 0 && (this.#closing || !this.#keep)) this.#close ||= 'fin';
  }

  pull(id: number, of?: 'filter-data'): void {
    const state = this.#ids.get(id);
    if (state === undefined) return;
    if (of === undefined) state.window = 0;
    else if (state.file !== undefined) state.file.window = 0;
    // room for the one stream is none for the other
    if (this.stalled === state && (state.reply === 'ended' || state.handedOut < this.#limits.bodyHighWater))
      this.stalled = undefined;
  }

  /** @throws LocalProtocolError the event is not allowed in this state */
  send(event: ReplyEvent): void {
    const state = this.#ids.get(event.id);
    if (state === undefined || (event.type === 'log' && state.reply === 'ended')) return;
    if (event.type === 'upgrade' && !state.asked)
      throw new LocalProtocolError('ERR_UPGRADE', 'the request does not ask for an upgrade');
    if (event.type === 'abort') this.output.deny(state);
    this.output.send(state, event, this.#limits);
    if (state.asked && state.reply !== 'waiting') this.#answered(state);
    if (event.type === 'whole') this.#complete(state);
    else if (event.type === 'abort') this.#breakOff(state);
  }

  /** A request for an upgrade is answered: what came behind it is the tunnel's, or nobody's. */
  #answered(state: RequestState): void {
    state.asked = false;
    if (state.reply !== 'tunnel') state.early = undefined;
    if (this.stalled === state) this.stalled = undefined;
  }

  /**
   * A reply that cannot be completed must not look complete. Alone on its connection it is ended by a header of eight
   * zero bytes, version 0, which nginx and Apache take for an error; a plain close would pass for the end of the reply.
   * lighttpd passes over the header, and takes nothing but a reset for an error; where the connection is kept a reset
   * could take a neighbour's reply with it. HAProxy passes over the exit status too: an END_REQUEST without its body is
   * what fails this id there and leaves the connection to the others.
   */
  #breakOff(state: RequestState): void {
    this.output.drop(state);
    if (this.haproxy) this.output.push(headerText(RecordType.END_REQUEST, state.id, 0));
    else if (this.#active === 1) {
      this.output.push('\0\0\0\0\0\0\0\0');
      this.#closing = true;
      if (!this.#keep) this.#close = 'reset';
    } else this.output.endRequest(state.id, 1, ProtocolStatus.REQUEST_COMPLETE);
    this.#finish(state);
  }

  queued(id: number): number {
    return this.#ids.get(id)?.outLength ?? 0;
  }

  takeOutput(budget: number): Output | undefined {
    return this.output.take(budget, this.#onEnded);
  }

  readonly #onEnded = (state: RequestState): void => this.#complete(state);

  #complete(state: RequestState): void {
    if (state.known) this.#junk.renew();
    this.#finish(state);
  }

  /** 408 for each head that has begun; where there is none and nothing runs, the connection closes. */
  expireHeads(): void {
    this.#closing = true;
    for (const state of this.#ids.values()) if (state.headPending) this.#refuse(state, 408);
    if (this.#active === 0) this.#close ||= 'reset';
  }

  /** The memory of what was received last is about to be used again. */
  retain(): void {
    if (this.#ids.size > 0) for (const state of this.#ids.values()) state.retain();
  }

  get headPending(): boolean {
    return this.#ids.size > 0 && this.#ids.values().some((state) => state.headPending);
  }
}
