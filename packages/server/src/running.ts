import {
  AbortError,
  abortedError,
  type Handler,
  IdMap,
  type Limits,
  type RemoteProtocolError,
  type RequestEvent,
  reasonOf,
  type ServerConnection,
} from '@postern/core';
import type { Driver } from './driver.ts';
import { ServerExchange } from './exchange.ts';
import { FilterExchange } from './filter-exchange.ts';
import type { PeerLog } from './log.ts';
import { LONG } from './read-buffer.ts';
import type { ServerContext } from './served-connection.ts';

/** The application gets the request, unless it is one too many, or its body is declared too long. Never throws. */
export function admit(exchange: ServerExchange, context: ServerContext): void {
  const refusal = context.refusal();
  if (refusal === undefined) handOver(exchange, context);
  else exchange.end(refusal);
}

/** The application gets the request, unless its body is declared too long. Never throws. */
export function handOver(
  exchange: ServerExchange,
  { handler, limits }: { readonly handler: Handler; readonly limits: Limits },
): void {
  try {
    if (limits.maxBody > 0 && exchange.head.contentLength > limits.maxBody) exchange.refuseBody();
    else exchange.work = handler(exchange);
  } catch (error) {
    exchange.fail(error);
  }
}

/** The requests of one connection that are not over, by id. */
export class Running {
  readonly #driver: Driver;
  readonly #log: PeerLog;
  readonly #exchanges = new IdMap<ServerExchange>();

  /** In which lies what is read; undefined: nothing is. */
  #memory: ArrayBufferLike | undefined;
  /** It is used again. */
  #lent = false;
  /** A long piece of a body was in it. */
  #long = false;

  constructor(driver: Driver, log: PeerLog) {
    this.#driver = driver;
    this.#log = log;
  }

  get size(): number {
    return this.#exchanges.size;
  }

  get(id: number): ServerExchange | undefined {
    return this.#exchanges.get(id);
  }

  [Symbol.iterator](): Iterator<ServerExchange> {
    return this.#exchanges.values()[Symbol.iterator]();
  }

  /** A head is complete: the application gets it. */
  begin(event: RequestEvent & { type: 'request' }): void {
    const Exchange = event.role === 'filter' ? FilterExchange : ServerExchange;
    const exchange = new Exchange(this.#driver, event);
    this.#exchanges.set(event.id, exchange);
    admit(exchange, this.#driver.context);
  }

  /** What comes behind a head. False: it is for nobody any more. */
  dispatch(event: Exclude<RequestEvent, { type: 'request' }>): boolean {
    const exchange = this.#exchanges.get(event.id);
    if (exchange === undefined) return false;
    try {
      if (event.type === 'data') exchange.receive(this.#own(event.chunk));
      else if (event.type === 'end') exchange.receiveEnd();
      else if (event.type === 'filter-data') (exchange as FilterExchange).receiveData(this.#own(event.chunk));
      else if (event.type === 'filter-end') (exchange as FilterExchange).receiveDataEnd();
      else {
        const error = event.error instanceof AbortError ? event.error : abortedError(event.error);
        this.#log.write('info', 'abort', error.code, error.message, event.id);
        exchange.end(error);
      }
    } catch (error) {
      // thrown by what the application attached to its request
      exchange.fail(error);
    }
    return true;
  }

  /** A body that is not read must not keep the others from their turn. True: it goes on, and waits elsewhere. */
  makeRoom(connection: ServerConnection): boolean {
    const { blocker = 0, sharing = 'no' } = connection;
    if (sharing === 'no' || this.#exchanges.get(blocker)?.keepBody(this.#driver.context.spools) !== true) return false;
    connection.pull(blocker);
    return connection.blocker !== blocker;
  }

  /** The web server broke a rule of the protocol. True: in one request alone, and the connection goes on. Never throws. */
  brokeRule(cause: RemoteProtocolError): boolean {
    if (cause.limit !== undefined) this.#driver.context.counts[cause.limit]++;
    if (cause.scope === 'request') {
      this.#refuse(cause);
      return true;
    }
    this.#log.write('warn', 'protocol_error', cause.code, cause.message);
    this.abort(new AbortError('ERR_ABORTED', 'the connection broke a rule of its protocol', 0, { cause }));
    return false;
  }

  /** That request is answered, the others go on. */
  #refuse(cause: RemoteProtocolError): void {
    const { id, code, message, statusHint: status } = cause;
    this.#log.write('warn', 'protocol_error', code, message, id);
    const exchange = this.#exchanges.get(id);
    if (exchange !== undefined) {
      exchange.end(new AbortError(code, message, status, { cause }));
      return;
    }
    const reason = reasonOf(status);
    const headers = ['Content-Type', 'text/plain'];
    try {
      this.#driver.send({ type: 'whole', id, status, reason, headers, body: `${status} ${reason}\n` });
    } catch (error) {
      this.#driver.defect(error);
    }
  }

  /** What is read lies in this memory until `readEnd`. */
  readBegin(memory: ArrayBufferLike, lent: boolean): void {
    this.#memory = memory;
    this.#lent = lent;
    this.#long = false;
  }

  /** @returns true: a long piece of a body was in it, which has been kept if the memory was not lent */
  readEnd(): boolean {
    this.#memory = undefined;
    return this.#long;
  }

  /** A piece of a body for the application. Short ones are copied: they would keep all of the memory. */
  #own(piece: Uint8Array): Uint8Array {
    if (piece.buffer !== this.#memory) return piece;
    this.#long ||= piece.length >= LONG;
    return this.#long && !this.#lent ? piece : Buffer.from(piece);
  }

  remove(exchange: ServerExchange): void {
    if (this.#exchanges.get(exchange.id) === exchange) this.#exchanges.delete(exchange.id);
  }

  /** The peer is gone, which is no error. */
  leave(error: Error | undefined): void {
    if (error !== undefined) this.#log.broken(error);
    // an error costs more than the rest of a connection
    if (this.size === 0) return;
    for (const { id } of this) this.#log.write('info', 'abort', 'ERR_ABORTED', error?.message ?? 'the peer left', id);
    this.abort(abortedError(error));
  }

  /** Nothing more can be written for any of them. */
  abort(error: AbortError): void {
    for (const exchange of this) exchange.end(error);
  }

  /** None of them can be completed. */
  breakOff(error: AbortError): void {
    for (const exchange of this) exchange.breakOff(error);
  }
}
