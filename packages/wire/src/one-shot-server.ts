import {
  AbortError,
  type ErrorCode,
  type Limits,
  LocalProtocolError,
  type Notice,
  nextReplyState,
  type Output,
  type PeerOptions,
  RemoteProtocolError,
  type ReplyEvent,
  type ReplyState,
  type RequestEvent,
  type RequestHead,
  reasonOf,
  type ServerConnection,
  upgradeAsked,
} from '@postern/core';
import { ByteQueue } from './byte-queue.ts';
import { OneShotOutput } from './one-shot-output.ts';
import { type OneShotInput, type OneShotState, oneShotTable } from './one-shot-state.ts';

const EXCESS: Notice = { code: 'ERR_BODY_EXCESS', message: 'bytes behind CONTENT_LENGTH are dropped' };

/** A connection carries one request. */
export const ONE_SHOT_ID = 1;

/** How a protocol frames the head of its one request, and writes that of the reply. */
export interface OneShotFormat {
  /** The code of a connection that ends within the head. */
  readonly broken: ErrorCode;
  head(limits: Limits, peer: PeerOptions): OneShotHead;
  /** The head of a reply up to its empty line, bytes as latin-1; `headers` are flat [name, value, …], checked. */
  replyHead(status: number, reason: string, headers: readonly string[]): string;
}

/** Reads one head. Both methods throw RemoteProtocolError: with scope `connection` these bytes are no such head. */
export interface OneShotHead {
  /** Takes the length of the block out of the input; false: it has not come. From then on a reply can be sent. */
  takeLength(input: ByteQueue): boolean;
  /** Takes the block, and gives what it says; text: the answer to what was no request; undefined: it has not come. */
  takeBlock(input: ByteQueue): RequestHead | string | undefined;
  /** What is amiss with the block that was taken, and does no harm. */
  readonly notice?: Notice;
}

/**
 * The application's side of a connection that carries one request: a block of variables, CONTENT_LENGTH bytes of body;
 * the reply; the end. Behind a 101 it carries raw bytes both ways. SCGI and uwsgi are this, with heads of their own.
 */
export class OneShotServerConnection implements ServerConnection {
  readonly #format: OneShotFormat;
  readonly #head: OneShotHead;
  readonly #limits: Limits;
  readonly #halfCloseServes: boolean;
  readonly #input = new ByteQueue();
  readonly #output = new OneShotOutput();
  #receive: OneShotState = 'length';
  #reply: ReplyState = 'waiting';
  /** Body bytes that the application may still get; of a tunnel Infinity. */
  #left = 0;
  /** Body bytes handed out since the last `pull`. */
  #window = 0;
  /** The peer is there to be answered no more. */
  #gone = false;
  #peerEnded = false;
  #close: false | 'half' | 'fin' | 'reset' = false;
  #notice: Notice | undefined;
  allReceived = false;

  constructor(format: OneShotFormat, limits: Limits, peer: PeerOptions = {}) {
    this.#format = format;
    this.#head = format.head(limits, peer);
    this.#limits = limits;
    this.#halfCloseServes = peer.halfCloseServes === true;
  }

  receive(chunk: Uint8Array): void {
    if (this.#receive !== 'dropped') this.#input.push(chunk);
  }

  retain(): void {
    this.#input.retain();
  }

  receiveEnd(): void {
    this.#peerEnded = true;
  }

  next(): RequestEvent | undefined {
    const event = this.#read();
    if (event !== undefined) return event;
    this.#input.settle();
    return this.#peerEnded ? this.#afterFin() : undefined;
  }

  #read(): RequestEvent | undefined {
    switch (this.#receive) {
      case 'length':
      case 'block':
        return this.#readHead();
      case 'body':
      case 'tunnel':
        return this.#body();
      case 'complete':
        if (this.#input.length > 0) this.#notice ??= EXCESS;
        this.#input.clear();
        return undefined;
      case 'asked':
      case 'dropped':
        return undefined;
    }
  }

  #readHead(): RequestEvent | undefined {
    try {
      if (this.#receive === 'length') {
        if (!this.#head.takeLength(this.#input)) return undefined;
        this.#move('LENGTH');
      }
      const head = this.#head.takeBlock(this.#input);
      if (head === undefined) return undefined;
      if (typeof head === 'string') {
        this.#output.whole(head, null);
        this.#finish();
        return undefined;
      }
      this.#notice = this.#head.notice;
      this.#left = Math.max(0, head.contentLength);
      const ended = this.#left === 0;
      this.#move(!ended ? 'HEAD_BODY' : upgradeAsked(head) ? 'HEAD_ASKS' : 'HEAD');
      return { type: 'request', id: ONE_SHOT_ID, role: 'responder', head, ended };
    } catch (error) {
      if (!(error instanceof RemoteProtocolError)) throw error;
      if (error.scope === 'connection') throw this.#poison(error);
      this.#drop();
      const { code, message, statusHint: status, limit } = error;
      throw new RemoteProtocolError(code, message, { scope: 'request', status, id: ONE_SHOT_ID, limit });
    }
  }

  #body(): RequestEvent | undefined {
    if (this.#left === 0) {
      this.#move('BODY_END');
      return { type: 'end', id: ONE_SHOT_ID };
    }
    const room = this.#limits.bodyHighWater - this.#window;
    if (room <= 0 || this.#input.length === 0) return undefined;
    const chunk = this.#input.takeSome(Math.min(this.#left, room));
    this.#left -= chunk.length;
    this.#window += chunk.length;
    this.#move('BODY');
    return { type: 'data', id: ONE_SHOT_ID, chunk };
  }

  /** The peer's FIN: it gave up what is still running, unless it only half-closed. */
  #afterFin(): RequestEvent | undefined {
    if (this.headPending) {
      throw this.#poison(
        new RemoteProtocolError(this.#format.broken, 'the connection ended within the head of its request'),
      );
    }
    if (this.#receive === 'dropped') return undefined;
    if (this.#receive === 'tunnel') {
      if (this.#input.length > 0) return undefined;
      this.#move('BODY_END');
      return { type: 'end', id: ONE_SHOT_ID };
    }
    if (this.#receive === 'length') {
      this.#finish();
      return undefined;
    }
    if (this.#halfCloseServes && this.#input.length >= this.#left) return undefined;
    this.#leave('fin');
    return {
      type: 'abort',
      id: ONE_SHOT_ID,
      error: new AbortError('ERR_ABORTED', 'the web server closed the connection'),
    };
  }

  #move(input: OneShotInput): void {
    this.#receive = oneShotTable[this.#receive][input] as OneShotState;
  }

  #drop(): void {
    this.#move('DROP');
    this.#input.clear();
  }

  /** Nothing is read or answered any more. */
  #leave(close: 'fin' | 'reset'): void {
    this.#drop();
    this.#output.clear();
    this.#gone = true;
    this.#reply = 'ended';
    this.#close = close;
  }

  #poison(error: RemoteProtocolError): RemoteProtocolError {
    this.#leave('reset');
    return error;
  }

  takeNotice(): Notice | undefined {
    const notice = this.#notice;
    this.#notice = undefined;
    return notice;
  }

  pull(id: number): void {
    if (id === ONE_SHOT_ID) this.#window = 0;
  }

  send(event: ReplyEvent): void {
    if (event.id !== ONE_SHOT_ID || this.#gone || this.#receive === 'length' || this.#receive === 'block') return;
    if (event.type === 'upgrade' && this.#receive !== 'asked')
      throw new LocalProtocolError('ERR_UPGRADE', 'the request does not ask for an upgrade');
    this.#reply = nextReplyState(this.#reply, event.type);
    switch (event.type) {
      case 'whole':
        this.#output.whole(this.#format.replyHead(event.status, event.reason, event.headers), event.body);
        this.#finish();
        break;
      case 'interim':
        this.#output.interim(this.#format.replyHead(event.status, event.reason, event.headers));
        break;
      case 'head':
        if (this.#receive === 'asked') this.#drop();
        this.#output.head(this.#format.replyHead(event.status, event.reason, event.headers));
        break;
      case 'upgrade':
        this.#move('UPGRADE');
        this.#left = Number.POSITIVE_INFINITY;
        this.#output.head(this.#format.replyHead(event.status, event.reason, event.headers));
        break;
      case 'half-end':
        this.#close ||= 'half';
        break;
      case 'data':
        this.#output.data(event.chunk);
        break;
      case 'end':
        this.#finish();
        break;
      case 'abort':
        // a plain close would pass for the end of the reply
        this.#leave('reset');
        break;
      case 'flush':
      case 'log':
        break;
    }
  }

  #finish(): void {
    this.allReceived = this.#receive === 'complete';
    this.#drop();
    if (this.#close !== 'reset') this.#close = 'fin';
  }

  queued(id: number): number {
    return id === ONE_SHOT_ID ? this.#output.length : 0;
  }

  takeOutput(budget: number): Output | undefined {
    return this.#output.take(budget);
  }

  /** Once the length was read a reply can be sent: 408. */
  expireHeads(): void {
    if (!this.headPending) return;
    if (this.#receive === 'length') {
      this.#leave('reset');
      return;
    }
    this.#drop();
    const reason = reasonOf(408);
    const headers = ['Content-Type', 'text/plain'];
    this.send({ type: 'whole', id: ONE_SHOT_ID, status: 408, reason, headers, body: `408 ${reason}\n` });
  }

  shutdown(): void {
    if (this.idle) this.#finish();
  }

  get idle(): boolean {
    if (this.#reply === 'half') return false;
    return this.#close !== false || (this.#receive === 'length' && this.#input.length === 0);
  }

  get headPending(): boolean {
    return this.#receive === 'block' || (this.#receive === 'length' && this.#input.length > 0);
  }

  get wantsRead(): boolean {
    const { bodyHighWater } = this.#limits;
    if (this.#receive === 'asked') return this.#input.length < bodyHighWater;
    if (this.#receive !== 'body' && this.#receive !== 'tunnel') return true;
    return this.#left === 0 || this.#window < bodyHighWater;
  }

  get wantsClose(): false | 'half' | 'fin' | 'reset' {
    return this.#close;
  }
}
