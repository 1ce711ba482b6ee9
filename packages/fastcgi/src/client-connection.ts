import {
  type AnswerEvent,
  type AskEvent,
  CgiReplyReader,
  type ClientConnection,
  checkVariable,
  type Limits,
  LocalProtocolError,
  type Output,
  RemoteProtocolError,
} from '@postern/core';
import { ByteQueue, ByteWriter } from '@postern/wire';
import { KEEP_CONN, ProtocolStatus, RecordType, RoleNumber } from './constants.ts';
import { beginRequest } from './layouts.ts';
import { writePair } from './params.ts';
import { RecordReader } from './record-reader.ts';
import { headerBytes, paddingFor, STREAM_PIECE } from './records.ts';

/** What is told to the user when the application ends a request without answering it (§5.5). */
const statusOfEnd: Record<number, number> = { [ProtocolStatus.OVERLOADED]: 503, [ProtocolStatus.UNKNOWN_ROLE]: 500 };

function broken(message: string, status = 502): never {
  throw new RemoteProtocolError('ERR_REPLY', message, { status });
}

/** The web server's side of one FastCGI connection: one request at a time. */
export class FastcgiClientConnection implements ClientConnection {
  readonly #limits: Limits;
  readonly #record = new RecordReader();
  readonly #output: Uint8Array[] = [];
  readonly #events: AnswerEvent[] = [];
  readonly #stdin = new ByteQueue();
  /** `ending`: all of the body is queued; `ended`: its end is on its way; `dropped`: nothing more is sent of it. */
  #stdinState: 'open' | 'ending' | 'ended' | 'dropped' = 'dropped';
  /** The request that is running; 0: none. */
  #id = 0;
  #keep = false;
  #reader: CgiReplyReader | undefined;
  #stdoutEnded = false;
  #stderrBytes = 0;
  #junk = 0;
  /** Body bytes handed out since the last `pull`. */
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
      // the record reader blames the peer of a server: a client tells its user that the gateway failed
      if (error instanceof RemoteProtocolError && error.statusHint < 500)
        throw new RemoteProtocolError(error.code, error.message, { status: 502 });
      throw error;
    }
  }

  #read(): AnswerEvent | undefined {
    const record = this.#record;
    while (this.#events.length === 0) {
      if (record.left < 0) {
        if (!record.open()) break;
        this.#checkHeader();
      }
      if (!this.#content()) break;
    }
    const event = this.#events.shift();
    if (event !== undefined) return event;
    record.settle();
    if (this.#peerEnded && this.#id !== 0 && this.wantsRead)
      broken('the back-end closed the connection before the end of its reply');
    return undefined;
  }

  /** What is wrong already by its header is refused before its content is waited for. */
  #checkHeader(): void {
    const { type, id, left } = this.#record;
    if (this.#id === 0) broken(`a record of type ${type} although nothing was asked`);
    if (id !== this.#id) broken(`a record of id ${id}, asked was ${this.#id}`);
    switch (type) {
      case RecordType.STDOUT:
        if (this.#stdoutEnded) broken('STDOUT behind its end');
        if (left === 0) this.#stdoutEnded = true;
        break;
      case RecordType.STDERR:
        if (left === 0 && ++this.#junk > this.#limits.maxJunkRecords)
          broken(`more than ${this.#limits.maxJunkRecords} empty STDERR records`);
        break;
      case RecordType.END_REQUEST:
        if (left !== 8) broken(`END_REQUEST of ${left} bytes`);
        break;
      default:
        broken(`a record of type ${type}`);
    }
  }

  /** False: more bytes are needed, or `pull`. */
  #content(): boolean {
    const record = this.#record;
    if (record.type === RecordType.END_REQUEST) {
      const body = record.whole();
      if (body === undefined) return false;
      this.#end(body[4]);
      return true;
    }
    if (record.left === 0) {
      record.close();
      return true;
    }
    if (!this.wantsRead) return false;
    const piece = record.some();
    if (piece === undefined) return false;
    if (record.type === RecordType.STDERR) this.#stderr(piece);
    else this.#stdout(piece);
    return true;
  }

  #stderr(piece: Buffer): void {
    const room = this.#limits.maxStderrBytes - this.#stderrBytes;
    this.#stderrBytes += piece.length;
    if (room > 0) this.#events.push({ type: 'log', id: this.#id, chunk: piece.subarray(0, room) });
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
    const id = this.#id;
    if (protocolStatus !== ProtocolStatus.REQUEST_COMPLETE)
      broken(`END_REQUEST with protocolStatus ${protocolStatus}`, statusOfEnd[protocolStatus]);
    if (this.#reader !== undefined) broken('END_REQUEST before the head of the reply');
    const dropped = this.#stderrBytes - this.#limits.maxStderrBytes;
    if (dropped > 0) this.#events.push({ type: 'log', id, chunk: Buffer.from(` [${dropped} bytes dropped]\n`) });
    const reuse = this.#keep && this.#stdinState === 'ended' && !this.#record.followed;
    this.#events.push({ type: 'end', id, reuse });
    this.#dropStdin();
    this.#id = 0;
  }

  #dropStdin(): void {
    this.#stdin.clear();
    this.#stdinState = 'dropped';
  }

  /** @throws LocalProtocolError a request is running already, a variable cannot be sent */
  send(event: AskEvent): void {
    switch (event.type) {
      case 'request':
        this.#request(event.id, event.variables, event.keep);
        break;
      case 'data':
        if (event.id === this.#id && this.#stdinState === 'open') this.#stdin.push(event.chunk);
        break;
      case 'end':
        if (event.id === this.#id && this.#stdinState === 'open') this.#stdinState = 'ending';
        break;
      case 'abort':
        if (event.id !== this.#id) return;
        this.#output.push(headerBytes(RecordType.ABORT_REQUEST, event.id, 0));
        this.#dropStdin();
    }
  }

  #request(id: number, variables: readonly string[], keep: boolean): void {
    if (this.#id !== 0)
      throw new LocalProtocolError('ERR_REQUEST_STATE', `a request is running on this connection: id ${this.#id}`);
    const params = encodeParams(id, variables);
    this.#id = id;
    this.#keep = keep;
    this.#stdinState = 'open';
    this.#stdoutEnded = false;
    this.#stderrBytes = 0;
    this.#junk = 0;
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
    for (let taken = 0; this.#stdin.length > 0 && taken < budget; ) {
      const length = Math.min(this.#stdin.length, STREAM_PIECE);
      pieces.push(headerBytes(RecordType.STDIN, this.#id, length));
      for (let left = length; left > 0; ) {
        const piece = this.#stdin.takeSome(left);
        pieces.push(piece);
        left -= piece.length;
      }
      if (paddingFor(length) > 0) pieces.push(Buffer.alloc(paddingFor(length)));
      taken += length;
    }
    if (this.#stdinState === 'ending' && this.#stdin.length === 0) {
      this.#stdinState = 'ended';
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
    checkVariable(name, value);
    const size = name.length + value.length + 8;
    if (size > STREAM_PIECE)
      throw new LocalProtocolError(
        'ERR_ENV_ITEM',
        `variable ${name} has ${value.length} bytes, more than fit into one record`,
      );
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
  const { length } = writer;
  records.push(headerBytes(RecordType.PARAMS, id, length), writer.zeros(paddingFor(length)).view());
}
