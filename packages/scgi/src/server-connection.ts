import {
  AbortError,
  type Limits,
  nextReplyState,
  type Output,
  type PeerOptions,
  RemoteProtocolError,
  type ReplyEvent,
  type ReplyState,
  type RequestEvent,
  reasonOf,
  type ServerConnection,
} from '@postern/core';
import { ByteQueue } from '@postern/wire';
import { REQUEST_ID } from './constants.ts';
import { readHead } from './head.ts';
import { takeBlock, takeLength } from './netstring.ts';
import { ReplyOutput } from './reply-output.ts';
import { type ReceiveInput, type ReceiveState, receiveTable } from './state.ts';

/** The application's side of one SCGI connection: one request, one reply, the end. */
export class ScgiServerConnection implements ServerConnection {
  readonly #limits: Limits;
  readonly #halfCloseServes: boolean;
  readonly #input = new ByteQueue();
  readonly #output = new ReplyOutput();
  #receive: ReceiveState = 'length';
  #reply: ReplyState = 'waiting';
  #blockLength = 0;
  /** Body bytes that the application may still get. */
  #left = 0;
  /** Body bytes handed out since the last `pull`. */
  #window = 0;
  /** The peer is there to be answered no more. */
  #gone = false;
  #peerEnded = false;
  #close: false | 'fin' | 'reset' = false;

  constructor(limits: Limits, peer: PeerOptions = {}) {
    this.#limits = limits;
    this.#halfCloseServes = peer.halfCloseServes === true;
  }

  receive(chunk: Uint8Array): void {
    if (this.#receive !== 'dropped') this.#input.push(chunk);
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
        return this.#head();
      case 'body':
        return this.#body();
      case 'complete':
      case 'dropped':
        this.#input.clear();
        return undefined;
    }
  }

  #head(): RequestEvent | undefined {
    try {
      if (this.#receive === 'length') {
        const length = takeLength(this.#input, this.#limits.maxEnvBytes);
        if (length === undefined) return undefined;
        this.#blockLength = length;
        this.#move('LENGTH');
      }
      const block = takeBlock(this.#input, this.#blockLength);
      if (block === undefined) return undefined;
      const head = readHead(block, this.#limits);
      this.#left = head.contentLength;
      const ended = this.#left === 0;
      this.#move(ended ? 'HEAD' : 'HEAD_BODY');
      return { type: 'request', id: REQUEST_ID, role: 'responder', head, ended };
    } catch (error) {
      if (!(error instanceof RemoteProtocolError)) throw error;
      if (error.scope === 'connection') throw this.#poison(error);
      this.#drop();
      const { code, message, statusHint: status } = error;
      throw new RemoteProtocolError(code, message, { scope: 'request', status, id: REQUEST_ID });
    }
  }

  #body(): RequestEvent | undefined {
    if (this.#left === 0) {
      this.#move('BODY_END');
      return { type: 'end', id: REQUEST_ID };
    }
    const room = this.#limits.bodyHighWater - this.#window;
    if (room <= 0 || this.#input.length === 0) return undefined;
    const chunk = this.#input.takeSome(Math.min(this.#left, room));
    this.#left -= chunk.length;
    this.#window += chunk.length;
    this.#move('BODY');
    return { type: 'data', id: REQUEST_ID, chunk };
  }

  /** The peer's FIN: it gave up what is still running, unless it only half-closed. */
  #afterFin(): RequestEvent | undefined {
    if (this.headPending) {
      throw this.#poison(new RemoteProtocolError('ERR_SCGI_NETSTRING', 'the connection ended within the header block'));
    }
    if (this.#receive === 'dropped' || this.#reply === 'ended') return undefined;
    if (this.#receive === 'length') {
      this.#finish();
      return undefined;
    }
    if (this.#halfCloseServes && this.#input.length >= this.#left) return undefined;
    this.#leave('fin');
    return {
      type: 'abort',
      id: REQUEST_ID,
      error: new AbortError('ERR_ABORTED', 'the web server closed the connection'),
    };
  }

  #move(input: ReceiveInput): void {
    this.#receive = receiveTable[this.#receive][input] as ReceiveState;
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

  pull(id: number): void {
    if (id === REQUEST_ID) this.#window = 0;
  }

  send(event: ReplyEvent): void {
    if (event.id !== REQUEST_ID || this.#gone || this.#receive === 'length' || this.#receive === 'block') return;
    this.#reply = nextReplyState(this.#reply, event.type);
    switch (event.type) {
      case 'whole':
        this.#output.whole(event.status, event.reason, event.headers, event.body);
        this.#finish();
        break;
      case 'head':
        this.#output.head(event.status, event.reason, event.headers);
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
    this.#drop();
    this.#close ||= 'fin';
  }

  queued(id: number): number {
    return id === REQUEST_ID ? this.#output.length : 0;
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
    this.send({ type: 'whole', id: REQUEST_ID, status: 408, reason, headers, body: `408 ${reason}\n` });
  }

  shutdown(): void {
    if (this.idle) this.#finish();
  }

  get idle(): boolean {
    return this.#close !== false || this.#reply === 'ended' || (this.#receive === 'length' && this.#input.length === 0);
  }

  get headPending(): boolean {
    return this.#receive === 'block' || (this.#receive === 'length' && this.#input.length > 0);
  }

  get wantsRead(): boolean {
    return this.#receive !== 'body' || this.#left === 0 || this.#window < this.#limits.bodyHighWater;
  }

  get wantsClose(): false | 'fin' | 'reset' {
    return this.#close;
  }
}
