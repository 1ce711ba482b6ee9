import {
  type AnswerEvent,
  type AskEvent,
  CgiReplyReader,
  type ClientConnection,
  type Limits,
  LocalProtocolError,
  type Output,
  RemoteProtocolError,
} from '@postern/core';
import { ByteQueue, ByteWriter } from '@postern/wire';
import { KEEP_CONN, MAX_CONTENT, ProtocolStatus, RecordType, RoleNumber } from './constants.ts';
import { beginRequest } from './layouts.ts';
import { writePair } from './params.ts';
import { RecordReader } from './record-reader.ts';
import { headerBytes, paddingFor, STREAM_PIECE } from './records.ts';

function broken(message: string): never {
  throw new RemoteProtocolError('ERR_REPLY', message, { status: 502 });
}

/** The web server's side of one FastCGI connection: one request at a time. */
export class FastcgiClientConnection implements ClientConnection {
  readonly #limits: Limits;
  readonly #record = new RecordReader();
  readonly #output: Uint8Array[] = [];
  readonly #events: AnswerEvent[] = [];
  readonly #stdin = new ByteQueue();
  #stdinEnds = false;
  #stdinEndSent = false;
  #id = 0;
  #keep = false;
  #reader: CgiReplyReader | undefined;
  #window = 0;
  #peerEnded = false;
  #poisoned = false;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  receive(chunk: Uint8Array): void {
    if (!this.#poisoned) this.#record.receive(chunk);
  }

  receiveEnd(): void {
    this.#peerEnded = true;
  }

  next(): AnswerEvent | undefined {
    if (this.#events.length > 0) return this.#events.shift();
    if (this.#poisoned) return undefined;
    try {
      return this.#read();
    } catch (error) {
      this.#poisoned = true;
      this.#record.clear();
      throw error;
    }
  }

  #read(): AnswerEvent | undefined {
    const record = this.#record;
    while (this.#events.length === 0) {
      if (record.left < 0 && !record.open()) break;
      if (record.id !== this.#id || this.#id === 0) broken(`a record of id ${record.id}, asked was ${this.#id}`);
      if (!this.#content()) break;
    }
    const event = this.#events.shift();
    if (event !== undefined) return event;
    record.settle();
    if (this.#peerEnded && this.#id !== 0) broken('the back-end closed the connection before the end of its reply');
    return undefined;
  }

  /** False: more bytes are needed, or `pull`. */
  #content(): boolean {
    const { type, left } = this.#record;
    switch (type) {
      case RecordType.STDOUT:
      case RecordType.STDERR: {
        if (left === 0) {
          this.#record.close();
          return true;
        }
        if (this.#window >= this.#limits.replyHighWater) return false;
        const piece = this.#record.some();
        if (piece === undefined) return false;
        if (type === RecordType.STDERR) this.#events.push({ type: 'log', id: this.#id, chunk: piece });
        else this.#stdout(piece);
        return true;
      }
      case RecordType.END_REQUEST: {
        if (left !== 8) broken(`END_REQUEST of ${left} bytes`);
        const body = this.#record.whole();
        if (body === undefined) return false;
        this.#end(body[4]);
        return true;
      }
      default:
        return broken(`a record of type ${type}`);
    }
  }

  #stdout(piece: Buffer): void {
    const id = this.#id;
    let rest: Uint8Array = piece;
    if (this.#reader !== undefined) {
      const head = this.#reader.push(piece);
      if (head === undefined) return;
      this.#reader = undefined;
      this.#events.push({ type: 'head', id, status: head.status, reason: head.reason, headers: head.headers });
      rest = head.rest;
    }
    if (rest.length === 0) return;
    this.#window += rest.length;
    this.#events.push({ type: 'data', id, chunk: rest });
  }

  #end(protocolStatus: number): void {
    if (protocolStatus !== ProtocolStatus.REQUEST_COMPLETE) broken(`END_REQUEST with protocolStatus ${protocolStatus}`);
    if (this.#reader !== undefined) broken('END_REQUEST before the head of the reply');
    const reuse = this.#keep && this.#stdinEndSent;
    this.#events.push({ type: 'end', id: this.#id, reuse });
    this.#id = 0;
  }

  /** @throws LocalProtocolError a request is running already, a variable cannot be sent */
  send(event: AskEvent): void {
    switch (event.type) {
      case 'request':
        this.#request(event.id, event.variables, event.keep);
        break;
      case 'data':
        if (event.id === this.#id && !this.#stdinEnds) this.#stdin.push(event.chunk);
        break;
      case 'end':
        if (event.id === this.#id) this.#stdinEnds = true;
        break;
      case 'abort':
        if (event.id === this.#id) this.#output.push(headerBytes(RecordType.ABORT_REQUEST, event.id, 0));
    }
  }

  #request(id: number, variables: readonly string[], keep: boolean): void {
    if (this.#id !== 0)
      throw new LocalProtocolError('ERR_FCGI_STATE', `a request is running on this connection: id ${this.#id}`);
    const params = encodeParams(id, variables);
    this.#id = id;
    this.#keep = keep;
    this.#stdinEnds = false;
    this.#stdinEndSent = false;
    this.#window = 0;
    this.#reader = new CgiReplyReader(this.#limits);
    const begin = beginRequest.write({ role: RoleNumber.responder, flags: keep ? KEEP_CONN : 0 });
    this.#output.push(headerBytes(RecordType.BEGIN_REQUEST, id, begin.length), begin, ...params);
  }

  pull(): void {
    this.#window = 0;
  }

  queued(): number {
    return this.#stdin.length;
  }

  takeOutput(budget: number): Output | undefined {
    const pieces = this.#output.splice(0);
    let taken = 0;
    while (this.#stdin.length > 0 && taken < budget) {
      const length = Math.min(this.#stdin.length, STREAM_PIECE);
      pieces.push(
        headerBytes(RecordType.STDIN, this.#id, length),
        this.#stdin.take(length),
        Buffer.alloc(paddingFor(length)),
      );
      taken += length;
    }
    if (this.#stdinEnds && !this.#stdinEndSent && this.#stdin.length === 0) {
      this.#stdinEndSent = true;
      pieces.push(headerBytes(RecordType.STDIN, this.#id, 0));
    }
    return pieces.length === 0 ? undefined : pieces;
  }

  get wantsRead(): boolean {
    return this.#window < this.#limits.replyHighWater;
  }

  get wantsClose(): false | 'reset' {
    return this.#poisoned ? 'reset' : false;
  }
}

/** PARAMS records, none of which holds a part of a pair: PHP and others read each record by itself (§3.4). */
function encodeParams(id: number, variables: readonly string[]): Buffer[] {
  const records: Buffer[] = [];
  let writer = new ByteWriter(2048);
  for (let i = 0; i < variables.length; i += 2) {
    const name = variables[i];
    const value = variables[i + 1];
    if (!/^[!-<>-~]+$/.test(name) || /[\0\u0100-\uffff]/.test(value)) {
      throw new LocalProtocolError('ERR_ENV_VALUE', `variable ${JSON.stringify(name)} cannot be sent`);
    }
    const size = name.length + value.length + 8;
    if (size > STREAM_PIECE)
      throw new LocalProtocolError('ERR_ENV_ITEM', `variable ${name} has more than ${MAX_CONTENT} bytes`);
    if (writer.length + size > STREAM_PIECE) {
      pushRecord(records, id, writer);
      writer = new ByteWriter(2048);
    }
    writePair(writer, name, value);
  }
  if (writer.length > 0) pushRecord(records, id, writer);
  records.push(headerBytes(RecordType.PARAMS, id, 0));
  return records;
}

function pushRecord(records: Buffer[], id: number, writer: ByteWriter): void {
  const content = writer.view();
  records.push(headerBytes(RecordType.PARAMS, id, content.length), content, Buffer.alloc(paddingFor(content.length)));
}
