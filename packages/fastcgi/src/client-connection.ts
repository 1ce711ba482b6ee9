import {
  type AnswerEvent,
  type AskEvent,
  type BackEndOptions,
  type CgiReplyHead,
  type CgiReplyReader,
  type ClientConnection,
  IdMap,
  type Limits,
  LocalProtocolError,
  lacking,
  type Output,
  RemoteProtocolError,
  type Role,
} from '@postern/core';
import { bodyLength, encodeParams } from './client-params.ts';
import { ClientRequest } from './client-request.ts';
import { broken, checkHeader, checkStream, errorOfEnd, refused } from './client-rules.ts';
import { askValues, readValues } from './client-values.ts';
import { KEEP_CONN, ProtocolStatus, RecordType, RoleNumber } from './constants.ts';
import { beginRequest } from './layouts.ts';
import { RecordReader } from './record-reader.ts';
import { headerBytes, STREAM_PIECE } from './records.ts';

/** How much of a stream goes out in one turn where others wait for theirs. */
const SLICE = 16_384;

/**
 * FastCGI has no flow control for one id: where several share the connection, a reply that is not read is taken so many
 * times further than `replyHighWater`, so that the others go on; then the connection is not read.
 */
const SHARED_WINDOWS = 4;

/** The web server's side of one FastCGI connection, with as many requests at once as it is asked. */
export class FastcgiClientConnection implements ClientConnection {
  readonly #limits: Limits;
  readonly #nph: boolean;
  readonly #record = new RecordReader();
  readonly #output: Uint8Array[] = [];
  readonly #events: AnswerEvent[] = [];
  readonly #requests = new IdMap<ClientRequest>();
  /** Whose streams have something to send, in the order of their turns. */
  readonly #turns: ClientRequest[] = [];
  /** Ids whose reply is complete: what still comes for one is junk. */
  readonly #over = new Set<number>();
  /** Those who asked for values, in the order of the answers. */
  readonly #asking: number[] = [];
  /** Records of ids that are over, without a head between. */
  #junk = 0;
  /** No further request may be sent. */
  #closing = false;
  #peerEnded = false;
  #poisoned = false;

  constructor(limits: Limits, { nph = false }: BackEndOptions = {}) {
    this.#limits = limits;
    this.#nph = nph;
  }

  receive(chunk: Uint8Array): void {
    if (!this.#poisoned) this.#record.receive(chunk);
  }

  receiveEnd(): void {
    this.#peerEnded = true;
  }

  next(): AnswerEvent | undefined {
    if (this.#poisoned) return undefined;
    try {
      return this.#read();
    } catch (error) {
      if (!(error instanceof RemoteProtocolError) || error.scope === 'request') throw error;
      this.#leave();
      // to the user of a client it is the gateway that failed
      throw new RemoteProtocolError(error.code, error.message, { status: 502 });
    }
  }

  /** Nothing is read or sent any more. */
  #leave(): void {
    this.#poisoned = true;
    this.#record.clear();
    this.#output.length = 0;
    this.#turns.length = 0;
    for (const { id } of this.#requests.values()) this.#requests.delete(id);
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
    if (this.#peerEnded && this.#blocked === undefined) this.#fin();
    return undefined;
  }

  #fin(): void {
    if (this.#requests.size > 0) broken('the back-end closed the connection before the end of its reply');
    if (this.#asking.length > 0) broken('the back-end closed the connection and answered no GET_VALUES');
  }

  /** What is wrong already by its header is refused before its content is waited for. */
  #checkHeader(): void {
    const { type, id } = this.#record;
    checkHeader(this.#record);
    if (id === 0) {
      if (this.#asking.length === 0) broken(`a record of type ${type} although nothing was asked`);
      return;
    }
    const request = this.#requests.get(id);
    if (request === undefined) this.#tolerate(type, id);
    else checkStream(this.#record, request, this.#limits);
  }

  /** A record for an id that is not active: harmless, but the next request of that id could take it for its own. */
  #tolerate(type: number, id: number): void {
    if (!this.#over.has(id)) broken(`a record of type ${type} for id ${id}, of which nothing was asked`);
    this.#closing = true;
    if (++this.#junk > this.#limits.maxJunkRecords)
      broken(`more than ${this.#limits.maxJunkRecords} records of ids whose reply is complete`);
  }

  /** False: more bytes are needed, or `pull`. */
  #content(): boolean {
    const record = this.#record;
    if (record.id === 0) return this.#management();
    const request = this.#requests.get(record.id);
    if (record.type === RecordType.END_REQUEST && request !== undefined) {
      const body = record.whole();
      if (body === undefined) return false;
      this.#end(request, body[4]);
      return true;
    }
    if (record.left === 0) {
      record.close();
      return true;
    }
    if (request === undefined || request.aborted) return record.skip();
    if (this.#blocked !== undefined) return false;
    const piece = record.some();
    if (piece === undefined) return false;
    if (record.type === RecordType.STDERR) this.#stderr(request, piece);
    else this.#stdout(request, piece);
    return true;
  }

  #management(): boolean {
    const { type } = this.#record;
    const content = this.#record.whole();
    if (content === undefined) return false;
    const id = this.#asking.shift() as number;
    // who does not know GET_VALUES says no more of itself
    const pairs = type === RecordType.UNKNOWN_TYPE ? Buffer.alloc(0) : content;
    this.#events.push({ type: 'values', id, ...readValues(pairs) });
    return true;
  }

  #stderr(request: ClientRequest, piece: Buffer): void {
    const room = this.#limits.maxStderrBytes - request.stderrBytes;
    request.stderrBytes += piece.length;
    // where an answer waits for its reader, a flood beside it waits too: the next `pull` is on its way then
    if (request.window > 0) request.window += piece.length;
    if (room > 0) this.#events.push({ type: 'log', id: request.id, chunk: piece.subarray(0, room) });
  }

  #stdout(request: ClientRequest, piece: Buffer): void {
    const { id, reader } = request;
    let rest: Uint8Array = piece;
    if (reader !== undefined) {
      const head = this.#head(request, reader, piece);
      if (head === undefined) return;
      request.reader = undefined;
      this.#junk = 0;
      this.#events.push({ type: 'head', id, status: head.status, reason: head.reason, headers: head.headers });
      rest = head.rest;
    }
    if (rest.length === 0) return;
    request.window += rest.length;
    this.#events.push({ type: 'data', id, chunk: rest });
  }

  /** A malformed head is the failure of one application: its request is aborted, and the records are as good as before. */
  #head(request: ClientRequest, reader: CgiReplyReader, piece: Buffer): CgiReplyHead | undefined {
    try {
      return reader.push(piece);
    } catch (error) {
      if (!(error instanceof RemoteProtocolError)) throw error;
      this.#abort(request);
      throw refused(request.id, error.code, error.message);
    }
  }

  #end(request: ClientRequest, protocolStatus: number): void {
    const { id, aborted, stderrBytes } = request;
    this.#requests.delete(id);
    this.#over.add(id);
    // of an application that ended before it had all, it is unsure what it does with the rest
    const sole = this.#requests.size === 0;
    if (request.lacksEnd) this.#output.push(headerBytes(RecordType.STDIN, id, 0));
    else if (!request.sent && !aborted) this.#closing = true;
    if (!request.keep || (sole && this.#record.followed && !this.#asking.length)) this.#closing = true;
    request.drop();
    const dropped = stderrBytes - this.#limits.maxStderrBytes;
    if (dropped > 0 && !aborted)
      this.#events.push({ type: 'log', id, chunk: Buffer.from(` [${dropped} bytes dropped]\n`) });
    this.#events.push({ type: 'end', id, reuse: this.ready });
    if (aborted) return;
    if (protocolStatus !== ProtocolStatus.REQUEST_COMPLETE) throw errorOfEnd(id, protocolStatus);
    if (request.reader !== undefined) throw refused(id, 'ERR_REPLY', 'END_REQUEST before the head of the reply');
  }

  /**
   * @throws LocalProtocolError ERR_REQUEST_STATE: the id is in use or none, or the connection takes no further request;
   * ERR_PROTOCOL_LACKS: a ping, no role of FastCGI, or a stream that the role does not have; and what `encodeParams` throws
   */
  send(event: AskEvent): void {
    switch (event.type) {
      case 'request':
        this.#begin(event.id, event.role ?? 'responder', event.variables, event.keep);
        break;
      case 'data':
        this.#push(event.id, RecordType.STDIN, event.chunk);
        break;
      case 'filter-data':
        this.#push(event.id, RecordType.DATA, event.chunk);
        break;
      case 'end':
        this.#complete(event.id, RecordType.STDIN);
        break;
      case 'filter-end':
        this.#complete(event.id, RecordType.DATA);
        break;
      case 'abort': {
        const request = this.#requests.get(event.id);
        if (request !== undefined && !request.aborted) this.#abort(request);
        break;
      }
      case 'values':
        if (this.#poisoned || this.#peerEnded) refuse('this connection is over');
        this.#asking.push(event.id);
        this.#output.push(askValues());
        break;
      case 'ping':
        lacking('FastCGI', 'ping');
    }
  }

  #begin(id: number, role: Role, variables: readonly string[], keep: boolean): void {
    if (!Number.isInteger(id) || id < 1 || id > 65_535) refuse(`a request id is from 1 to 65535, not ${id}`);
    if (this.#requests.get(id) !== undefined) refuse(`a request is running on this connection: id ${id}`);
    if (!this.ready) refuse('this connection takes no further request');
    if (!keep && this.#requests.size > 0) refuse('a request that ends its connection cannot share it: see keep');
    if (!Object.hasOwn(RoleNumber, role))
      lacking('FastCGI', `role "${role}": write ${Object.keys(RoleNumber).join(', ')}`);
    const params = encodeParams(id, role, variables);
    const begin = beginRequest.write({ role: RoleNumber[role], flags: keep ? KEEP_CONN : 0 });
    this.#requests.set(id, new ClientRequest(id, role, keep, bodyLength(variables), this.#limits, this.#nph));
    this.#output.push(headerBytes(RecordType.BEGIN_REQUEST, id, begin.length), begin, ...params);
    this.#over.delete(id);
    if (!keep) this.#closing = true;
  }

  #push(id: number, type: number, chunk: Uint8Array): void {
    const request = this.#requests.get(id);
    if (request === undefined) return;
    request.push(type, chunk);
    this.#takeTurns(request);
  }

  #complete(id: number, type: number): void {
    const request = this.#requests.get(id);
    if (request === undefined) return;
    request.complete(type);
    this.#takeTurns(request);
  }

  #takeTurns(request: ClientRequest): void {
    if (request.due && !this.#turns.includes(request)) this.#turns.push(request);
  }

  /** Its reply is thrown away up to END_REQUEST, which frees the id. */
  #abort(request: ClientRequest): void {
    request.aborted = true;
    request.reader = undefined;
    request.drop();
    this.#output.push(headerBytes(RecordType.ABORT_REQUEST, request.id, 0));
  }

  pull(id: number): void {
    const request = this.#requests.get(id);
    if (request !== undefined) request.window = 0;
  }

  queued(id: number): number {
    return this.#requests.get(id)?.queued ?? 0;
  }

  takeOutput(budget: number): Output | undefined {
    const pieces = this.#output.splice(0);
    for (let taken = 0; this.#turns.length > 0 && taken < budget; ) {
      const request = this.#turns.shift() as ClientRequest;
      if (!request.due) continue;
      taken += request.takeRecord(this.#turns.length > 0 ? SLICE : STREAM_PIECE, pieces);
      if (request.due) this.#turns.push(request);
    }
    return pieces.length === 0 ? undefined : pieces;
  }

  get ready(): boolean {
    return !this.#closing && !this.#poisoned && !this.#peerEnded;
  }

  /** Whose record is open and may not be taken before its reader pulls. */
  get #blocked(): ClientRequest | undefined {
    const { left, type, id } = this.#record;
    if (left <= 0 || type === RecordType.END_REQUEST) return undefined;
    const request = this.#requests.get(id);
    return request === undefined || request.aborted || this.#hasRoom(request) ? undefined : request;
  }

  #hasRoom(request: ClientRequest): boolean {
    return request.window < this.#limits.replyHighWater * (this.#requests.size > 1 ? SHARED_WINDOWS : 1);
  }

  get wantsRead(): boolean {
    if (this.#blocked !== undefined) return false;
    return (
      this.#requests.size !== 1 || this.#requests.values().every((request) => request.aborted || this.#hasRoom(request))
    );
  }

  get wantsClose(): false | 'fin' | 'reset' {
    if (this.#poisoned) return 'reset';
    return this.#closing && this.#requests.size === 0 && this.#asking.length === 0 ? 'fin' : false;
  }
}

function refuse(message: string): never {
  throw new LocalProtocolError('ERR_REQUEST_STATE', message);
}
