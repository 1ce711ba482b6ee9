import {
  AbortError,
  isBodyless,
  type Limits,
  nextReplyState,
  type Output,
  type PeerOptions,
  RemoteProtocolError,
  type ReplyEvent,
  type ReplyState,
  type RequestEvent,
  type ServerConnection,
} from '@postern/core';
import { HEADER_LENGTH, Magic, MessageType } from './constants.ts';
import { type ForwardRequest, readForwardRequest } from './head.ts';
import { bodyOf, PacketReader } from './packet-reader.ts';
import { CPONG, END_CLOSE, END_REUSE } from './packets.ts';
import { LIGHTTPD_ASKED, type Peer, peerOf } from './peer.ts';
import { sendHeadersText } from './reply-head.ts';
import { ReplyOutput } from './reply-output.ts';
import { type ReceiveInput, type ReceiveState, receiveTable } from './state.ts';

/** Answers to CPING that the peer does not read: above this many bytes no more is read of it. */
const MAX_ANSWERS = 65_536;

/** What a handler of a packet says when it has no event: go on with the next packet. */
const MORE = Symbol('more');
/** An event; MORE; or undefined: the payload has not come. */
type Step = RequestEvent | typeof MORE | undefined;

function broken(code: 'ERR_AJP_PACKET' | 'ERR_AJP_MESSAGE', message: string): never {
  throw new RemoteProtocolError(code, message);
}

/** The application's side of one AJP connection: one request at a time, its body on demand. */
export class AjpServerConnection implements ServerConnection {
  readonly #limits: Limits;
  readonly #peer: Peer;
  readonly #packets: PacketReader;
  readonly #output: ReplyOutput;
  #receive: ReceiveState = 'idle';
  #reply: ReplyState = 'ended';
  /** Of the latest request. */
  #id = 0;
  #method = '';
  /** Body bytes that may still come; Infinity: until the end of the body. */
  #left = 0;
  /** Body bytes that lighttpd was asked for and has not sent. */
  #owed = 0;
  /** The body is whole, and the application does not know yet. */
  #endDue = false;
  /** The reply to the latest request has no body. */
  #bodyless = false;
  /** The one packet without payload that lighttpd sends behind a request without body has not come. */
  #emptyFree = false;
  /** No further request is taken. */
  #closing = false;
  #peerEnded = false;
  #close: false | 'fin' | 'reset' = false;

  /** @throws ConfigError ERR_OPTION: see `peerOf` */
  constructor(limits: Limits, options?: PeerOptions) {
    this.#limits = limits;
    this.#peer = peerOf(options);
    this.#packets = new PacketReader(Magic.request, this.#peer.sizes.payload);
    this.#output = new ReplyOutput(this.#peer.sizes.replyPiece);
  }

  receive(chunk: Uint8Array): void {
    if (this.#receive !== 'dropped') this.#packets.receive(chunk);
  }

  retain(): void {
    this.#packets.retain();
  }

  receiveEnd(): void {
    this.#peerEnded = true;
  }

  next(): RequestEvent | undefined {
    if (this.#endDue) {
      this.#endDue = false;
      return { type: 'end', id: this.#id };
    }
    try {
      const event = this.#read();
      if (event !== undefined || !this.#peerEnded) return event;
      return this.#afterFin();
    } catch (error) {
      if (error instanceof RemoteProtocolError && error.scope === 'connection') this.#leave('reset');
      throw error;
    }
  }

  #read(): RequestEvent | undefined {
    const packets = this.#packets;
    while (this.#receive !== 'dropped') {
      if (packets.length < 0 && !packets.open()) break;
      const step = this.#packet();
      if (step === undefined) break;
      if (step !== MORE) return step;
    }
    packets.settle();
    return undefined;
  }

  /** What a packet means follows from the state: one with body bytes has no type. */
  #packet(): Step {
    const { length } = this.#packets;
    switch (this.#receive) {
      case 'idle':
        if (this.#packets.tooLong) throw this.#refusal('ERR_AJP_PACKET', this.#tooLong(length), 400);
        return length === 0 ? this.#empty() : this.#message();
      case 'due':
        if (this.#packets.tooLong) broken('ERR_AJP_PACKET', this.#tooLong(length));
        return this.#body();
      case 'held':
        return broken('ERR_AJP_MESSAGE', 'a packet came while none was asked for');
      case 'complete':
        if (length === 0) return this.#empty();
        // the reply that runs is still delivered
        this.#drop();
        return MORE;
      case 'dropped':
        return undefined;
    }
  }

  #tooLong(length: number): string {
    return `a packet of ${length + HEADER_LENGTH} bytes, packetSize is ${this.#peer.sizes.packet}`;
  }

  #empty(): Step {
    if (!this.#emptyFree) broken('ERR_AJP_MESSAGE', 'a packet without payload that belongs to no request');
    this.#emptyFree = false;
    this.#packets.take();
    this.#move('EMPTY');
    return MORE;
  }

  #message(): Step {
    const { type, length } = this.#packets;
    if (type === undefined) return undefined;
    if (type === MessageType.CPING && length === 1) {
      this.#packets.take();
      this.#move('CPING');
      this.#output.push(CPONG);
      return MORE;
    }
    if (type !== MessageType.FORWARD_REQUEST)
      broken('ERR_AJP_MESSAGE', `a packet of type ${type} with ${length} bytes, where a request may begin`);
    const { maxEnvBytes } = this.#limits;
    if (length > maxEnvBytes)
      throw this.#refusal('ERR_ENV_BYTES', `a request of ${length} bytes, maxEnvBytes is ${maxEnvBytes}`, 431);
    const payload = this.#packets.take();
    return payload === undefined ? undefined : this.#start(payload);
  }

  #start(payload: Buffer): RequestEvent {
    let request: ForwardRequest;
    try {
      request = readForwardRequest(payload, this.#limits, this.#peer);
    } catch (error) {
      if (!(error instanceof RemoteProtocolError)) throw error;
      throw this.#refusal(error.code, error.message, error.statusHint);
    }
    this.#open();
    const { head, chunked } = request;
    this.#method = head.method;
    this.#left = chunked ? Number.POSITIVE_INFINITY : Math.max(0, head.contentLength);
    if (chunked) this.#move('HEAD_CHUNKED');
    else this.#move(this.#left > 0 ? 'HEAD_LENGTH' : 'HEAD');
    return { type: 'request', id: this.#id, role: 'responder', head, ended: this.#left === 0 };
  }

  #open(): void {
    if (++this.#id >= this.#limits.maxConnectionRequests) this.#closing = true;
    this.#reply = 'waiting';
    this.#bodyless = false;
    this.#emptyFree = true;
  }

  /** The request is answered with an error, and the connection takes no other. */
  #refusal(code: RemoteProtocolError['code'], message: string, status: number): RemoteProtocolError {
    this.#open();
    this.#drop();
    return new RemoteProtocolError(code, message, { scope: 'request', status, id: this.#id });
  }

  #body(): Step {
    const payload = this.#packets.take();
    if (payload === undefined) return undefined;
    // a packet that overtook what asks for it is its answer
    if (this.#output.withdraw()) this.#owed = 0;
    if (this.#reply === 'ended') {
      this.#move('BODY');
      return MORE;
    }
    const chunk = this.#peer.lighttpd ? payload : bodyOf(payload);
    const { length } = chunk;
    if (length > this.#left) broken('ERR_AJP_PACKET', `${length} bytes of body, Content-Length leaves ${this.#left}`);
    if (length === 0) return this.#bodyEnd();
    this.#left -= length;
    this.#owed -= length;
    this.#move(this.#left === 0 ? 'BODY_END' : this.#owed > 0 ? 'BODY_PART' : 'BODY');
    this.#endDue = this.#left === 0;
    return { type: 'data', id: this.#id, chunk };
  }

  #bodyEnd(): RequestEvent {
    if (this.#left === Number.POSITIVE_INFINITY) {
      this.#move('BODY_END');
      return { type: 'end', id: this.#id };
    }
    this.#drop();
    const error = new AbortError('ERR_BODY_SHORT', `the body ended ${this.#left} bytes before its Content-Length`, 400);
    return { type: 'body-error', id: this.#id, error };
  }

  /** The peer's FIN: it gave up what is still running, unless it only half-closed. */
  #afterFin(): RequestEvent | undefined {
    this.#closing = true;
    if (this.#receive === 'idle') {
      if (this.#packets.pending) broken('ERR_AJP_PACKET', 'the connection ended within a packet');
      this.shutdown();
      return undefined;
    }
    if (this.#receive === 'dropped' || this.#reply === 'ended') return undefined;
    if (this.#peer.halfCloseServes && this.#receive === 'complete') return undefined;
    this.#leave('fin');
    return {
      type: 'abort',
      id: this.#id,
      error: new AbortError('ERR_ABORTED', 'the web server closed the connection'),
    };
  }

  #move(input: ReceiveInput): void {
    this.#receive = receiveTable[this.#receive][input] as ReceiveState;
  }

  /** What still comes is thrown away. */
  #drop(): void {
    this.#move('DROP');
    this.#packets.clear();
    this.#closing = true;
  }

  /** Nothing is read or answered any more. */
  #leave(close: 'fin' | 'reset'): void {
    this.#drop();
    this.#output.clear();
    this.#endDue = false;
    this.#reply = 'ended';
    this.#close = close;
  }

  /** GET_BODY_CHUNK, one at a time, and never for more than may come. */
  pull(id: number): void {
    if (id !== this.#id || this.#reply === 'ended' || receiveTable[this.#receive].ASK === undefined) return;
    this.#move('ASK');
    const { lighttpd, sizes } = this.#peer;
    const length = Math.min(this.#left, lighttpd ? LIGHTTPD_ASKED : sizes.requestPiece);
    this.#owed = lighttpd ? length : 0;
    this.#output.ask(length);
  }

  send(event: ReplyEvent): void {
    // the web server has no log that AJP reaches
    if (event.id !== this.#id || this.#close !== false || event.type === 'log') return;
    const next = nextReplyState(this.#reply, event.type);
    switch (event.type) {
      case 'interim':
        this.#output.push(this.#head(event.status, event.reason, event.headers));
        break;
      case 'whole':
        this.#output.push(this.#head(event.status, event.reason, event.headers));
        this.#output.whole(event.body);
        break;
      case 'head':
        this.#output.push(this.#head(event.status, event.reason, event.headers));
        this.#bodyless = isBodyless(this.#method, event.status);
        break;
      case 'data':
        this.#output.data(event.chunk);
        break;
      case 'flush':
        if (!this.#bodyless) this.#output.flush();
        break;
      case 'end':
        this.#output.end();
        break;
      case 'abort':
        // without END_RESPONSE the web server knows that the reply is not complete
        this.#leave('reset');
        break;
    }
    this.#reply = next;
  }

  #head(status: number, reason: string, headers: readonly string[]): string {
    return sendHeadersText(status, reason, headers, this.#peer.sizes.packet);
  }

  queued(id: number): number {
    return id === this.#id ? this.#output.bodyBytes : 0;
  }

  takeOutput(budget: number): Output | undefined {
    return this.#output.take(budget, this.#onEnd);
  }

  /** END_RESPONSE goes out: the connection goes on if nothing of this request can come any more. */
  readonly #onEnd = (): string => {
    if (this.#receive === 'due' && (this.#output.withdraw() || this.#packets.skip())) this.#move('BODY');
    if (!this.#closing && receiveTable[this.#receive].END !== undefined) {
      this.#move('END');
      return END_REUSE;
    }
    this.#drop();
    this.#close ||= 'fin';
    return END_CLOSE;
  };

  /** AJP cannot answer a request that has not come. */
  expireHeads(): void {
    if (this.headPending) this.#leave('reset');
  }

  shutdown(): void {
    this.#closing = true;
    if (!this.idle) return;
    this.#drop();
    this.#close ||= 'fin';
  }

  get idle(): boolean {
    return this.#close !== false || (this.#receive === 'idle' && !this.#packets.pending);
  }

  get headPending(): boolean {
    return this.#receive === 'idle' && this.#packets.pending;
  }

  get wantsRead(): boolean {
    return this.#output.dueBytes < MAX_ANSWERS;
  }

  get wantsClose(): false | 'fin' | 'reset' {
    return this.#close;
  }
}
