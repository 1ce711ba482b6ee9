import {
  Budget,
  type LimitCounts,
  type Limits,
  limitCounts,
  type Output,
  type PeerOptions,
  RemoteProtocolError,
  type ReplyEvent,
  type RequestEvent,
  type ServerConnection,
} from '@postern/core';
import { HEADER_LENGTH, Magic, MessageType } from './constants.ts';
import { ExpectedBody } from './expected-body.ts';
import { type ForwardRequest, readForwardRequest } from './head.ts';
import { PacketReader } from './packet-reader.ts';
import { CPONG, END_CLOSE, END_REUSE } from './packets.ts';
import { type Peer, peerOf } from './peer.ts';
import { Reply } from './reply.ts';
import { ReplyOutput } from './reply-output.ts';
import { aborted, bodyShort, MORE, type Step } from './request-events.ts';
import { type ReceiveInput, type ReceiveState, receiveTable } from './state.ts';
import type { PayloadReader } from './strings.ts';

/** Answers to CPING that the peer does not read: above this many bytes no more is read of it. */
const MAX_ANSWERS = 65_536;

function broken(code: 'ERR_AJP_PACKET' | 'ERR_AJP_MESSAGE', message: string, limit?: 'packetSize'): never {
  throw new RemoteProtocolError(code, message, { limit });
}

/** The application's side of one AJP connection: one request at a time, its body on demand. */
export class AjpServerConnection implements ServerConnection {
  readonly #limits: Limits;
  readonly #counts: LimitCounts;
  readonly #peer: Peer;
  readonly #packets: PacketReader;
  readonly #body: ExpectedBody;
  readonly #output: ReplyOutput;
  readonly #reply: Reply;
  /** CPINGs that no request follows: some web servers send one in front of each. */
  readonly #pings: Budget;
  #receive: ReceiveState = 'idle';
  /** Of the latest request. */
  #id = 0;
  /** The body is whole, and the application does not know yet. */
  #endDue = false;
  /** The one packet without payload that lighttpd sends behind a request without body has not come. */
  #emptyFree = false;
  /** No further request is taken. */
  #closing = false;
  #peerEnded = false;
  #close: false | 'fin' | 'reset' = false;

  /** @throws ConfigError ERR_OPTION: see `peerOf` */
  constructor(limits: Limits, options?: PeerOptions, counts = limitCounts()) {
    this.#limits = limits;
    this.#counts = counts;
    this.#peer = peerOf(options);
    this.#packets = new PacketReader(Magic.request, this.#peer.sizes.payload);
    this.#body = new ExpectedBody(this.#peer);
    this.#output = new ReplyOutput(this.#peer.sizes.replyPiece);
    this.#reply = new Reply(this.#output, this.#peer.sizes.packet);
    this.#pings = new Budget(limits, 'maxManagementMessages', 'ERR_FLOOD', 'CPINGs without a request in 10 s');
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
    while (packets.length >= 0 || packets.open()) {
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
        if (this.#packets.tooLong) throw this.#refusal('ERR_AJP_PACKET', this.#tooLong(length), 400, 'packetSize');
        return length === 0 ? this.#empty() : this.#message();
      case 'due':
        if (this.#packets.tooLong) broken('ERR_AJP_PACKET', this.#tooLong(length), 'packetSize');
        return this.#bodyPacket();
      case 'held':
        return broken('ERR_AJP_MESSAGE', 'a packet came while none was asked for');
      case 'complete':
        if (length === 0) return this.#empty();
        // the reply that runs is still delivered
        this.#drop();
        return MORE;
      // 'dropped': nothing is received any more
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
      this.#pings.spend();
      this.#move('CPING');
      this.#output.push(CPONG);
      return MORE;
    }
    if (type !== MessageType.FORWARD_REQUEST)
      broken('ERR_AJP_MESSAGE', `a packet of type ${type} with ${length} bytes, where a request may begin`);
    const { maxEnvBytes } = this.#limits;
    if (length > maxEnvBytes)
      throw this.#refusal(
        'ERR_ENV_BYTES',
        `a request of ${length} bytes, maxEnvBytes is ${maxEnvBytes}`,
        431,
        'maxEnvBytes',
      );
    const payload = this.#packets.read();
    return payload === undefined ? undefined : this.#start(payload);
  }

  #start(payload: PayloadReader): RequestEvent {
    let request: ForwardRequest;
    try {
      request = readForwardRequest(payload, this.#limits, this.#peer);
    } catch (error) {
      if (!(error instanceof RemoteProtocolError)) throw error;
      throw this.#refusal(error.code, error.message, error.statusHint, error.limit);
    }
    const { head, chunked } = request;
    this.#open(head.method);
    const length = chunked ? Number.POSITIVE_INFINITY : Math.max(0, head.contentLength);
    this.#body.begin(length);
    if (chunked) this.#move('HEAD_CHUNKED');
    else this.#move(length > 0 ? 'HEAD_LENGTH' : 'HEAD');
    return { type: 'request', id: this.#id, role: 'responder', head, ended: length === 0 };
  }

  #open(method: string): void {
    if (++this.#id >= this.#limits.maxConnectionRequests) {
      this.#counts.maxConnectionRequests++;
      this.#closing = true;
    }
    this.#pings.renew();
    this.#reply.begin(method);
    this.#emptyFree = true;
  }

  /** The request is answered with an error, and the connection takes no other. */
  #refusal(
    code: RemoteProtocolError['code'],
    message: string,
    status: number,
    limit?: RemoteProtocolError['limit'],
  ): RemoteProtocolError {
    this.#open('');
    this.#drop();
    return new RemoteProtocolError(code, message, { scope: 'request', status, id: this.#id, limit });
  }

  #bodyPacket(): Step {
    const payload = this.#packets.take();
    if (payload === undefined) return undefined;
    // a packet that overtook what asks for it is its answer
    if (this.#output.withdraw()) this.#body.withdraw();
    if (this.#reply.ended) {
      this.#move('BODY');
      return MORE;
    }
    const chunk = this.#body.take(payload);
    if (chunk.length === 0) return this.#bodyEnd();
    this.#move(this.#body.progress);
    this.#endDue = this.#receive === 'complete';
    return { type: 'data', id: this.#id, chunk };
  }

  #bodyEnd(): RequestEvent {
    const { left } = this.#body;
    if (left === Number.POSITIVE_INFINITY) {
      this.#move('BODY_END');
      return { type: 'end', id: this.#id };
    }
    this.#drop();
    return bodyShort(this.#id, left);
  }

  /** The peer's FIN: it gave up what is still running, unless it only half-closed. */
  #afterFin(): RequestEvent | undefined {
    this.#closing = true;
    if (this.#receive === 'idle') {
      if (this.#packets.pending) broken('ERR_AJP_PACKET', 'the connection ended within a packet');
      this.shutdown();
      return undefined;
    }
    if (this.#receive === 'dropped' || this.#reply.ended) return undefined;
    if (this.#peer.halfCloseServes && this.#receive === 'complete') return undefined;
    this.#leave('fin');
    return aborted(this.#id);
  }

  #move(input: ReceiveInput): void {
    this.#receive = receiveTable[this.#receive][input] as ReceiveState;
  }

  /** What still comes is thrown away. */
  #drop(): void {
    this.#move('DROP');
    this.#packets.clear();
    this.#output.withdraw();
  }

  /** Nothing is read or answered any more. What was answered before still goes out. */
  #leave(close: 'fin' | 'reset'): void {
    this.#drop();
    if (!this.#reply.ended) this.#output.clear();
    this.#endDue = false;
    this.#close = close;
  }

  /** GET_BODY_CHUNK, one at a time, and never for more than may come. */
  pull(id: number): void {
    if (id !== this.#id || this.#reply.ended || receiveTable[this.#receive].ASK === undefined) return;
    this.#move('ASK');
    this.#output.ask(this.#body.ask());
  }

  send(event: ReplyEvent): void {
    if (event.id !== this.#id || this.#close !== false) return;
    this.#reply.send(event);
    // without END_RESPONSE the web server knows that the reply is not complete
    if (event.type === 'abort') this.#leave('reset');
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

  renewBudgets(): void {
    this.#pings.renew();
  }

  get idle(): boolean {
    return this.#close !== false || (this.#receive === 'idle' && !this.#packets.pending);
  }

  get headPending(): boolean {
    return this.#receive === 'idle' && this.#packets.pending;
  }

  /** A body is asked for: none comes before there is room. */
  get blocker(): number {
    return 0;
  }

  get wantsRead(): boolean {
    return this.#output.dueBytes < MAX_ANSWERS;
  }

  get wantsClose(): false | 'fin' | 'reset' {
    return this.#close;
  }
}
