import type { Socket } from 'node:net';
import {
  AbortError,
  abortedError,
  describeError,
  type ErrorCode,
  type Exchange,
  type Handler,
  type Limits,
  type Output,
  type PeerOptions,
  RemoteProtocolError,
  type ReplyEvent,
  type RequestEvent,
  reasonOf,
  type ServerConnection,
  type ServerProtocol,
} from '@postern/core';
import { ServerExchange } from './exchange.ts';
import type { LogEntry } from './log.ts';
import type { ReplyWriter } from './reply-writer.ts';
import { wrongProtocolPage } from './wrong-protocol.ts';

/** How much is taken out of a connection for one write. */
const BUDGET = 131_072;

/** What all connections of a server share. */
export interface DriverContext {
  readonly handler: Handler;
  readonly limits: Limits;
  readonly mount: string | undefined;
  /** The clock, as of the last tick. */
  now: number;
  report(error: unknown, exchange: Exchange | undefined): void;
  log(entry: LogEntry): void;
  closed(driver: Driver): void;
}

/** Moves bytes between one socket and one protocol connection, and events between that and the application. */
export class Driver {
  readonly #context: DriverContext;
  readonly #socket: Socket;
  readonly #protocol: ServerProtocol;
  readonly #connection: ServerConnection;
  readonly #peer: string;
  readonly #exchanges = new Map<number, ServerExchange>();
  /** Streams that wait for room, by id. */
  readonly #waiting = new Map<number, ReplyWriter>();
  /** The first bytes, until they made sense. */
  #first: Uint8Array | undefined;
  #pumping = false;
  #flushing = false;
  #flushScheduled = false;
  #blocked = false;
  #lingering = false;
  #lingered = 0;
  #dead = false;
  // times of the server's clock
  #headSince = -1;
  #quietSince: number;
  #blockedSince = 0;
  #blockedBytes = -1;

  constructor(context: DriverContext, socket: Socket, protocol: ServerProtocol, peer: PeerOptions) {
    this.#context = context;
    this.#socket = socket;
    this.#protocol = protocol;
    this.#connection = protocol.server(context.limits, peer);
    this.#peer = socket.remoteAddress === undefined ? 'unix' : `${socket.remoteAddress}:${socket.remotePort}`;
    this.#quietSince = context.now;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('drain', this.#onDrain);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
  }

  get protocol(): string {
    return this.#protocol.name;
  }

  get limits(): Limits {
    return this.#context.limits;
  }

  get mount(): string | undefined {
    return this.#context.mount;
  }

  get now(): number {
    return this.#context.now;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#quietSince = this.#context.now;
    if (this.#lingering) {
      this.#lingered += chunk.length;
      if (this.#lingered > this.#context.limits.lingerBytes) this.#socket.destroy();
      return;
    }
    this.#first ??= chunk;
    this.#connection.receive(chunk);
    this.#pump();
    if (!this.#connection.headPending) this.#headSince = -1;
    else if (this.#headSince < 0) this.#headSince = this.#context.now;
  };

  readonly #onEnd = (): void => {
    if (this.#lingering) {
      this.#socket.destroy();
      return;
    }
    this.#connection.receiveEnd();
    this.#pump();
  };

  readonly #onDrain = (): void => {
    this.#blocked = false;
    this.flush();
  };

  /** The peer reset the connection: what was running is told by `close`. */
  readonly #onError = (error: Error): void => {
    this.#abortAll(abortedError(error));
  };

  readonly #onClose = (): void => {
    this.#dead = true;
    this.#abortAll(abortedError());
    this.#context.closed(this);
  };

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    for (;;) {
      try {
        const event = this.#connection.next();
        if (event === undefined) break;
        this.#dispatch(event);
      } catch (error) {
        this.#protocolError(error);
      }
      if (this.#dead) break;
    }
    this.#pumping = false;
    this.flush();
  }

  #dispatch(event: RequestEvent): void {
    if (event.type === 'request') {
      this.#first = EMPTY;
      const exchange = new ServerExchange(this, event);
      this.#exchanges.set(event.id, exchange);
      const { maxBody } = this.limits;
      if (maxBody > 0 && event.head.contentLength > maxBody) exchange.refuseBody();
      else this.#context.handler(exchange);
      return;
    }
    const exchange = this.#exchanges.get(event.id);
    if (exchange === undefined) {
      // nobody reads it any more
      if (event.type === 'data') this.#connection.pull(event.id);
      return;
    }
    switch (event.type) {
      case 'data':
        exchange.receive(event.chunk);
        break;
      case 'end':
        exchange.receiveEnd();
        break;
      case 'body-error':
      case 'abort':
        this.#log('info', 'abort', 'ERR_ABORTED', event.error.message, event.id);
        exchange.end(event.error as AbortError);
    }
  }

  #protocolError(error: unknown): void {
    if (!(error instanceof RemoteProtocolError)) {
      this.defect(error);
      return;
    }
    if (error.scope === 'request') {
      const { id, statusHint: status } = error;
      this.#log('warn', 'protocol_error', error.code, error.message, id);
      const reason = reasonOf(status);
      this.send({
        type: 'whole',
        id,
        status,
        reason,
        headers: ['Content-Type', 'text/plain'],
        body: `${status} ${reason}\n`,
      });
      return;
    }
    this.#abortAll(new AbortError('ERR_ABORTED', 'the connection broke a rule of its protocol', 0, { cause: error }));
    const page = this.#first === undefined ? undefined : wrongProtocolPage(this.#first, this.#protocol.name);
    if (page === undefined) {
      this.#log('warn', 'protocol_error', error.code, error.message);
      this.#socket.destroy();
      return;
    }
    this.#log('warn', 'protocol_error', 'ERR_WRONG_PROTOCOL', `HTTP on a port that speaks ${this.#protocol.name}`);
    this.#socket.write(page, 'latin1');
    this.#linger();
  }

  /** An error that should not be: this connection ends, the others go on. */
  defect(error: unknown): void {
    this.#log('error', 'internal', 'ERR_INTERNAL', describeError(error));
    this.#context.report(error, undefined);
    this.#socket.destroy();
  }

  report(error: unknown, exchange: Exchange): void {
    this.#context.report(error, exchange);
  }

  #log(level: LogEntry['level'], event: LogEntry['event'], code: ErrorCode, message: string, id?: number): void {
    this.#context.log({
      level,
      event,
      code,
      message,
      protocol: this.#protocol.name,
      peer: this.#peer,
      ...(id === undefined ? {} : { id }),
    });
  }

  /** @throws LocalProtocolError the event is not allowed in this state */
  send(event: ReplyEvent): void {
    this.#connection.send(event);
  }

  queued(id: number): number {
    return this.#connection.queued(id);
  }

  awaitDrain(id: number, writer: ReplyWriter): void {
    this.#waiting.set(id, writer);
    this.flushSoon();
  }

  /** The exchange is over; events for its id are for nobody. */
  release(exchange: ServerExchange): void {
    if (this.#exchanges.get(exchange.id) === exchange) this.#exchanges.delete(exchange.id);
    this.#waiting.delete(exchange.id);
    // what is left of its body is thrown away
    this.#connection.pull(exchange.id);
    this.#quietSince = this.#context.now;
  }

  /** The reader of a body wants more. */
  pull(id: number): void {
    this.#connection.pull(id);
    this.#pump();
  }

  /** Writes what is due; inside the read loop this is left to its end, so that replies go out together. */
  flush(): void {
    if (this.#pumping || this.#flushing || this.#dead) return;
    this.#flushing = true;
    while (!this.#blocked) {
      const output = this.#connection.takeOutput(BUDGET);
      if (output === undefined) break;
      if (!this.#write(output)) this.#block();
    }
    this.#flushing = false;
    if (this.#waiting.size > 0) this.#wakeWriters();
    if (!this.#blocked && this.#connection.wantsClose !== false) this.#close(this.#connection.wantsClose);
    else this.#updateReading();
  }

  /** Once at the end of the turn, so that a head and the body behind it are one write. */
  flushSoon(): void {
    if (this.#flushScheduled || this.#pumping || this.#dead) return;
    this.#flushScheduled = true;
    process.nextTick(flushDriver, this);
  }

  flushScheduled(): void {
    this.#flushScheduled = false;
    this.flush();
  }

  #write(output: Output): boolean {
    if (typeof output === 'string') return this.#socket.write(output, 'latin1');
    if (!Array.isArray(output)) return this.#socket.write(output);
    this.#socket.cork();
    let room = true;
    for (const piece of output) room = this.#socket.write(piece);
    this.#socket.uncork();
    return room || !this.#socket.writableNeedDrain;
  }

  #block(): void {
    this.#blocked = true;
    this.#blockedSince = this.#context.now;
    this.#blockedBytes = -1;
  }

  #wakeWriters(): void {
    for (const [id, writer] of this.#waiting) {
      if (this.#connection.queued(id) >= this.limits.replyHighWater) continue;
      this.#waiting.delete(id);
      writer.wake();
    }
  }

  #updateReading(): void {
    const wants = this.#connection.wantsRead;
    if (wants && this.#socket.isPaused()) this.#socket.resume();
    else if (!wants && !this.#socket.isPaused()) this.#socket.pause();
  }

  #close(how: 'fin' | 'reset'): void {
    if (this.#lingering) return;
    if (how === 'fin') this.#linger();
    else if (this.#socket.remoteAddress !== undefined) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  /** Half-closes, then drains what the peer still sends: a close with unread input would take the reply from it. */
  #linger(): void {
    this.#lingering = true;
    this.#quietSince = this.#context.now;
    this.#blockedSince = this.#context.now;
    this.#socket.end();
    if (this.#socket.readableEnded) this.#socket.destroySoon();
    else this.#socket.resume();
  }

  #abortAll(error: AbortError): void {
    for (const exchange of this.#exchanges.values()) exchange.end(error);
  }

  /** No further request; what runs ends as it would. */
  shutdown(): void {
    this.#connection.shutdown();
    this.flush();
  }

  get idle(): boolean {
    return this.#exchanges.size === 0 && this.#connection.idle;
  }

  /** What runs is cut. */
  destroy(error: AbortError): void {
    this.#abortAll(error);
    this.#socket.destroy();
  }

  /** The clock ticked: everything that has been silent for too long is ended. */
  check(): void {
    const { now, limits } = this.#context;
    if (this.#lingering) {
      if (now - this.#blockedSince > limits.lingerTimeout && this.#socket.writableLength === 0) this.#socket.destroy();
    } else if (this.#headSince >= 0 && now - this.#headSince > limits.headersTimeout) {
      this.#log(
        'warn',
        'timeout',
        'ERR_TIMEOUT_HEAD',
        `the head of a request took longer than ${limits.headersTimeout} ms`,
      );
      this.#headSince = -1;
      this.#connection.expireHeads();
      this.flush();
    } else if (this.idle && now - this.#quietSince > limits.keepAliveTimeout) this.shutdown();
    if (this.#blocked) this.#checkWrite();
    for (const exchange of this.#exchanges.values()) this.#checkExchange(exchange);
  }

  #checkWrite(): void {
    const { now, limits } = this.#context;
    const handle = (this.#socket as unknown as { _handle?: { writeQueueSize?: number } | null })._handle;
    const bytes = this.#socket.writableLength + (handle?.writeQueueSize ?? 0);
    if (bytes !== this.#blockedBytes) {
      this.#blockedBytes = bytes;
      this.#blockedSince = now;
    } else if (now - this.#blockedSince > limits.writeTimeout) {
      this.#log('warn', 'timeout', 'ERR_TIMEOUT_WRITE', `the peer read nothing for ${limits.writeTimeout} ms`);
      this.#abortAll(new AbortError('ERR_TIMEOUT_WRITE', 'the peer does not read the reply'));
      if (this.#socket.remoteAddress !== undefined) this.#socket.resetAndDestroy();
      else this.#socket.destroy();
    }
  }

  #checkExchange(exchange: ServerExchange): void {
    const { now, limits } = this.#context;
    if (exchange.starved) {
      if (now - exchange.bodySince > limits.bodyIdleTimeout) this.#expire(exchange, 'ERR_TIMEOUT_BODY', 408);
    } else if (exchange.waiting && limits.appTimeout > 0 && now - exchange.since > limits.appTimeout) {
      this.#expire(exchange, 'ERR_TIMEOUT_APP', 504);
    }
  }

  #expire(exchange: ServerExchange, code: 'ERR_TIMEOUT_APP' | 'ERR_TIMEOUT_BODY', status: number): void {
    const what = code === 'ERR_TIMEOUT_APP' ? 'the application did not answer in time' : 'the request body stalled';
    this.#log('warn', 'timeout', code, what, exchange.id);
    exchange.end(new AbortError(code, what, status));
  }
}

const EMPTY = new Uint8Array(0);

function flushDriver(driver: Driver): void {
  driver.flushScheduled();
}
