import {
  type AnswerEvent,
  type AskEvent,
  CgiReplyReader,
  type ClientConnection,
  checkRole,
  type Limits,
  LocalProtocolError,
  lacking,
  type Output,
  RemoteProtocolError,
} from '@postern/core';
import { ByteQueue } from './byte-queue.ts';

/** How a protocol writes its one request, and what its reply begins with. */
export interface OneShotRequests {
  /** The protocol. */
  readonly name: string;
  /** @param variables flat [name, value, …], bytes as latin-1 @throws LocalProtocolError */
  encodeRequest(variables: readonly string[], contentLength: number): Buffer;
  /** The reply may begin with a status line of HTTP. */
  readonly statusLine: boolean;
  /** Bytes that ask whether the back-end is alive, and those of the answer; undefined: there are none. */
  readonly ping?: { readonly ask: Buffer; readonly answer: Buffer };
}

function broken(message: string): never {
  throw new RemoteProtocolError('ERR_REPLY', message, { status: 502 });
}

/** The web server's side of a connection that carries one request, as SCGI and uwsgi have it. */
export class OneShotClientConnection implements ClientConnection {
  readonly #requests: OneShotRequests;
  readonly #limits: Limits;
  readonly #input = new ByteQueue();
  readonly #output = new ByteQueue();
  readonly #events: AnswerEvent[] = [];
  #state: 'new' | 'head' | 'body' | 'ping' | 'over' = 'new';
  #id = 0;
  readonly #reader: CgiReplyReader;
  /** Body bytes that are still to be sent. */
  #left = 0;
  /** Body bytes handed out since the last `pull`. */
  #window = 0;
  #peerEnded = false;
  #close: false | 'fin' | 'reset' = false;

  constructor(requests: OneShotRequests, limits: Limits) {
    this.#requests = requests;
    this.#limits = limits;
    this.#reader = new CgiReplyReader(limits, requests.statusLine);
  }

  receive(chunk: Uint8Array): void {
    if (this.#state !== 'over') this.#input.push(chunk);
  }

  receiveEnd(): void {
    this.#peerEnded = true;
  }

  next(): AnswerEvent | undefined {
    if (this.#events.length > 0) return this.#events.shift();
    try {
      return this.#read();
    } catch (error) {
      this.#leave('reset');
      throw error;
    }
  }

  /** Nothing is read or sent any more. */
  #leave(close: 'fin' | 'reset'): void {
    this.#state = 'over';
    this.#events.length = 0;
    this.#input.clear();
    this.#output.clear();
    this.#close = close;
  }

  #read(): AnswerEvent | undefined {
    switch (this.#state) {
      case 'new':
        if (this.#input.length > 0) broken('bytes although nothing was asked');
        return undefined;
      case 'ping':
        return this.#pong();
      case 'head':
        return this.#head();
      case 'body':
        return this.#body();
      case 'over':
        return undefined;
    }
  }

  #pong(): AnswerEvent | undefined {
    const answer = this.#requests.ping?.answer as Buffer;
    if (this.#input.length >= answer.length) {
      if (!this.#input.take(answer.length).equals(answer)) broken('the answer to the ping is something else');
      this.#leave('fin');
      return { type: 'pong', id: this.#id };
    }
    if (this.#peerEnded) broken('the back-end closed the connection instead of answering the ping');
    return undefined;
  }

  #head(): AnswerEvent | undefined {
    while (this.#input.length > 0) {
      const head = this.#reader.push(this.#input.takeSome(this.#input.length));
      if (head === undefined) continue;
      const { status, reason, headers, rest } = head;
      if (rest.length > 0) this.#events.push(this.#data(rest));
      this.#state = 'body';
      return { type: 'head', id: this.#id, status, reason, headers };
    }
    if (this.#peerEnded) broken('the back-end closed the connection before the head of its reply');
    return undefined;
  }

  #body(): AnswerEvent | undefined {
    if (!this.wantsRead) return undefined;
    if (this.#input.length > 0) return this.#data(this.#input.takeSome(this.#input.length));
    if (!this.#peerEnded) return undefined;
    this.#leave('fin');
    return { type: 'end', id: this.#id, reuse: false };
  }

  #data(chunk: Uint8Array): AnswerEvent {
    this.#window += chunk.length;
    return { type: 'data', id: this.#id, chunk };
  }

  /**
   * @throws LocalProtocolError ERR_BODY_LONG, ERR_BODY_CUT: more body than CONTENT_LENGTH, or less; ERR_ENV_LENGTH:
   * CONTENT_LENGTH is not one whole number, or the body has no known length, which these protocols cannot carry;
   * ERR_REQUEST_STATE: the connection is not new; ERR_PROTOCOL_LACKS: a role, or what belongs to one, values, or a ping
   * where there is none; and what `encodeRequest` throws
   */
  send(event: AskEvent): void {
    switch (event.type) {
      case 'request':
        checkRole(event.role, this.#requests.name);
        this.#request(event.id, event.variables);
        break;
      case 'data':
        if (event.id === this.#id) this.#send(event.chunk);
        break;
      case 'ping':
        this.#ping(event.id);
        break;
      case 'abort':
        if (event.id === this.#id && this.#state !== 'over') this.#leave('reset');
        break;
      case 'end':
        if (event.id === this.#id && this.#left > 0 && this.#isOpen)
          throw new LocalProtocolError('ERR_BODY_CUT', `the body ended ${this.#left} bytes before its CONTENT_LENGTH`);
        break;
      default:
        lacking(this.#requests.name, event.type);
    }
  }

  #open(id: number): void {
    if (this.#state !== 'new')
      throw new LocalProtocolError('ERR_REQUEST_STATE', 'the connection carries one request, and is not new');
    this.#id = id;
  }

  #request(id: number, variables: readonly string[]): void {
    const length = contentLengthOf(variables);
    const bytes = this.#requests.encodeRequest(variables, length);
    this.#open(id);
    this.#state = 'head';
    this.#left = length;
    this.#output.push(bytes);
  }

  #ping(id: number): void {
    const { ping } = this.#requests;
    if (ping === undefined) lacking(this.#requests.name, 'ping');
    this.#open(id);
    this.#state = 'ping';
    this.#output.push(ping.ask);
  }

  /** A reply is waited for, or is coming. */
  get #isOpen(): boolean {
    return this.#state === 'head' || this.#state === 'body';
  }

  #send(chunk: Uint8Array): void {
    if (!this.#isOpen) return;
    if (chunk.length > this.#left)
      throw new LocalProtocolError('ERR_BODY_LONG', `the body has more bytes than its CONTENT_LENGTH`);
    this.#left -= chunk.length;
    this.#output.push(chunk);
  }

  pull(): void {
    this.#window = 0;
  }

  queued(): number {
    return this.#output.length;
  }

  takeOutput(budget: number): Output | undefined {
    const pieces: Buffer[] = [];
    for (let taken = 0; taken < budget && this.#output.length > 0; ) {
      const piece = this.#output.takeSome(budget - taken);
      pieces.push(piece);
      taken += piece.length;
    }
    return pieces.length > 1 ? pieces : pieces[0];
  }

  get wantsRead(): boolean {
    return this.#window < this.#limits.replyHighWater;
  }

  get ready(): boolean {
    return this.#state === 'new' && !this.#peerEnded;
  }

  get wantsClose(): false | 'fin' | 'reset' {
    return this.#close;
  }
}

/** @throws LocalProtocolError ERR_ENV_LENGTH */
function contentLengthOf(variables: readonly string[]): number {
  let length: string | undefined;
  let coding: string | undefined;
  for (let i = 0; i < variables.length; i += 2) {
    if (variables[i] === 'CONTENT_LENGTH') {
      if (length !== undefined && length !== variables[i + 1])
        throw new LocalProtocolError('ERR_ENV_LENGTH', `CONTENT_LENGTH "${length}" and "${variables[i + 1]}"`);
      length = variables[i + 1];
    } else if (variables[i] === 'HTTP_TRANSFER_ENCODING') coding = variables[i + 1];
  }
  if (length !== undefined && length !== '') {
    if (!/^[0-9]{1,15}$/.test(length)) throw new LocalProtocolError('ERR_ENV_LENGTH', `CONTENT_LENGTH "${length}"`);
    return Number(length);
  }
  if (coding)
    throw new LocalProtocolError('ERR_ENV_LENGTH', 'a body of unknown length cannot be sent: give CONTENT_LENGTH');
  return 0;
}
