import {
  type AnswerEvent,
  type AskEvent,
  type BackEndOptions,
  type ClientConnection,
  checkRole,
  type Limits,
  LocalProtocolError,
  lacking,
  type Output,
  RemoteProtocolError,
} from '@postern/core';
import { HEADER_LENGTH, Magic, MessageType } from './constants.ts';
import { writeForwardRequest } from './forward-request.ts';
import { endResponse, getBodyChunk } from './layouts.ts';
import { PacketReader } from './packet-reader.ts';
import { type PacketSizes, packetSizes } from './packet-sizes.ts';
import { CPING } from './packets.ts';
import { broken, readChunk, readReplyHead } from './reply-reader.ts';
import { checkSecret } from './secret.ts';
import { type AnswerInput, type AnswerState, answerTable } from './state.ts';
import { Upload } from './upload.ts';

/** What a handler of a packet says when it has no event: go on with the next packet. */
const MORE = Symbol('more');
type Step = AnswerEvent | typeof MORE;

/** Payload bytes of the packets that have a fixed size, by their type. */
const fixedSizes: Partial<Record<number, number>> = {
  [MessageType.END_RESPONSE]: endResponse.size,
  [MessageType.GET_BODY_CHUNK]: getBodyChunk.size,
  [MessageType.CPONG]: 1,
};

/**
 * The web server's side of one AJP connection: one request at a time, and CPING between them. An `abort` has no message
 * in AJP: the connection is to be reset.
 */
export class AjpClientConnection implements ClientConnection {
  readonly #limits: Limits;
  readonly #sizes: PacketSizes;
  readonly #secret: string | undefined;
  readonly #packets: PacketReader;
  readonly #upload: Upload;
  #state: AnswerState = 'idle';
  /** Of what was asked last. */
  #id = 0;
  #keep = false;
  /** A packet that is due, bytes as latin-1. */
  #due = '';
  /** Body bytes handed out since the last `pull`. */
  #window = 0;
  #peerEnded = false;
  #close: false | 'fin' | 'reset' = false;

  /** @throws ConfigError ERR_OPTION: see `packetSizes`, `checkSecret` */
  constructor(limits: Limits, options: BackEndOptions = {}) {
    this.#limits = limits;
    this.#sizes = packetSizes(options.packetSize);
    this.#secret = checkSecret(options.secret);
    this.#packets = new PacketReader(Magic.reply, this.#sizes.payload);
    this.#upload = new Upload(this.#sizes.requestPiece);
  }

  receive(chunk: Uint8Array): void {
    if (this.#state !== 'over') this.#packets.receive(chunk);
  }

  receiveEnd(): void {
    this.#peerEnded = true;
  }

  next(): AnswerEvent | undefined {
    if (this.#state === 'over') return undefined;
    try {
      return this.#read();
    } catch (error) {
      this.#leave();
      // packets and strings blame the peer of a server: a client tells its user that the gateway failed
      if (!(error instanceof RemoteProtocolError)) throw error;
      throw new RemoteProtocolError(error.code, error.message, { status: 502 });
    }
  }

  #read(): AnswerEvent | undefined {
    const packets = this.#packets;
    if (this.#state === 'idle' && packets.pending) broken('bytes came although nothing was asked');
    while (packets.length >= 0 || packets.open()) {
      if (packets.tooLong) {
        const size = packets.length + HEADER_LENGTH;
        broken(`a packet of ${size} bytes, packetSize is ${this.#sizes.packet}`);
      }
      if (packets.length === 0) broken('a packet without payload');
      const { type } = packets;
      if (type === undefined) break;
      this.#checkType(type, packets.length);
      if (type === MessageType.SEND_BODY_CHUNK && !this.wantsRead) break;
      const payload = packets.take();
      if (payload === undefined) break;
      const step = this.#message(type, payload);
      if (step !== MORE) return step;
    }
    packets.settle();
    if (this.#peerEnded && this.wantsRead) this.#fin();
    return undefined;
  }

  /** The FIN of the peer, behind all that came. @throws RemoteProtocolError ERR_REPLY (502): something is running */
  #fin(): void {
    if (this.#state !== 'idle') broken('the back-end closed the connection before the end of its reply');
    this.#move('DROP');
    this.#close = 'fin';
  }

  /** What is wrong already by its first byte is refused before the rest of it is waited for. */
  #checkType(type: number, length: number): void {
    if (this.#due !== '') broken('an answer came before its request went out');
    const size = fixedSizes[type];
    if (size !== undefined && length !== size) broken(`a packet of type ${type} with ${length} bytes`);
    if (type === MessageType.SEND_HEADERS && length > this.#limits.maxReplyHeaderBytes)
      broken(`a reply head of ${length} bytes, maxReplyHeaderBytes is ${this.#limits.maxReplyHeaderBytes}`);
  }

  #message(type: number, payload: Buffer): Step {
    const id = this.#id;
    switch (type) {
      case MessageType.SEND_HEADERS:
        this.#move('SEND_HEADERS');
        return { type: 'head', id, ...readReplyHead(payload, this.#limits.maxReplyHeaders) };
      case MessageType.SEND_BODY_CHUNK:
        return this.#chunk(readChunk(payload));
      case MessageType.GET_BODY_CHUNK:
        this.#move('GET_BODY_CHUNK');
        if (!this.#upload.ask((payload[1] << 8) | payload[2])) broken('GET_BODY_CHUNK where no body can follow');
        return MORE;
      case MessageType.END_RESPONSE:
        return this.#end(payload[1] !== 0);
      case MessageType.CPONG:
        this.#move('CPONG');
        return { type: 'pong', id };
      default:
        return broken(`a packet of type ${type}`);
    }
  }

  #chunk(chunk: Buffer): Step {
    this.#move(chunk.length === 0 ? 'FLUSH' : 'SEND_BODY_CHUNK');
    if (chunk.length === 0) return MORE;
    this.#window += chunk.length;
    return { type: 'data', id: this.#id, chunk };
  }

  #end(offered: boolean): AnswerEvent {
    // where a packet is owed, the next request would be taken for it
    const reuse = offered && this.#keep && !this.#upload.owes && !this.#packets.pending && !this.#peerEnded;
    this.#move(reuse ? 'END_REUSE' : 'END_CLOSE', 'END_RESPONSE');
    this.#upload.drop();
    if (!reuse) {
      this.#packets.clear();
      this.#close = 'fin';
    }
    return { type: 'end', id: this.#id, reuse };
  }

  /** @throws RemoteProtocolError ERR_REPLY (502): the state does not allow it */
  #move(input: AnswerInput, name: string = input): void {
    const next = answerTable[this.#state][input];
    if (next === undefined) broken(`${name} in the state "${this.#state}"`);
    this.#state = next;
  }

  /** Nothing is read or sent any more. */
  #leave(): void {
    this.#move('DROP');
    this.#packets.clear();
    this.#upload.drop();
    this.#due = '';
    this.#close = 'reset';
  }

  /**
   * @throws LocalProtocolError ERR_AJP_MESSAGE: a request or ping is running, or the connection is over; ERR_BODY_LONG,
   * ERR_BODY_CUT: more body than was stated, or less; ERR_PROTOCOL_LACKS: a role, or what belongs to one, or values; for
   * a request see `writeForwardRequest`
   */
  send(event: AskEvent): void {
    switch (event.type) {
      case 'request':
        checkRole(event.role, 'AJP');
        this.#request(event.id, event.variables, event.keep);
        break;
      case 'ping':
        this.#ask('PING', event.id);
        this.#due = CPING;
        break;
      case 'data':
        if (event.id === this.#id) this.#upload.push(event.chunk);
        break;
      case 'end':
        if (event.id === this.#id) this.#upload.complete();
        break;
      case 'abort':
        if (event.id === this.#id && this.#state !== 'idle' && this.#close === false) this.#leave();
        break;
      default:
        lacking('AJP', event.type);
    }
  }

  #request(id: number, variables: readonly string[], keep: boolean): void {
    const { text, bodyLength } = writeForwardRequest(variables, this.#secret, this.#sizes.packet);
    this.#ask('REQUEST', id);
    this.#keep = keep;
    this.#due = text;
    this.#upload.begin(bodyLength);
  }

  #ask(input: 'REQUEST' | 'PING', id: number): void {
    const next = answerTable[this.#state][input];
    if (next === undefined) {
      const why = this.#state === 'over' ? 'this connection is over' : `id ${this.#id} is running on this connection`;
      throw new LocalProtocolError('ERR_AJP_MESSAGE', why);
    }
    this.#state = next;
    this.#id = id;
    this.#window = 0;
  }

  pull(id: number): void {
    if (id === this.#id) this.#window = 0;
  }

  queued(id: number): number {
    return id === this.#id ? this.#upload.queued : 0;
  }

  /** One packet with body bytes at most, whatever the budget: the next one must be asked for. */
  takeOutput(_budget: number): Output | undefined {
    const due = this.#due;
    this.#due = '';
    const body = this.#upload.take();
    if (body === undefined) return due || undefined;
    return [Buffer.from(due + body.header, 'latin1'), ...body.pieces];
  }

  get wantsRead(): boolean {
    return this.#window < this.#limits.replyHighWater;
  }

  get ready(): boolean {
    return this.#state === 'idle' && !this.#peerEnded;
  }

  get wantsClose(): false | 'fin' | 'reset' {
    return this.#close;
  }
}
