/**
 * What a request and its response have for a socket. It is no Duplex: the bytes of a request and of its reply never pass
 * through it, so two stream states for each request would be built for nothing. It is an EventEmitter with the
 * properties and methods of `net.Socket` and `tls.TLSSocket` that node:http, frameworks and middleware use. Its life is
 * one exchange, not one connection.
 */
import { AsyncResource } from 'node:async_hooks';
import { AbortError, type Exchange, LocalProtocolError } from '@postern/core';
import { closeUnread, contextIsFixed, detachSignal, hears, type Incoming, isRead, type Outgoing } from './internals.ts';
import { connectionReset } from './node-error.ts';
import { PeerSocket } from './peer-socket.ts';
import type { Reply } from './reply.ts';
import { endBody, RequestInput } from './request-input.ts';
import { timerLength } from './socket-timer.ts';

/** What a server object is to its requests: `req.socket.server`. */
export interface ServerLike {
  emit(event: string, ...values: unknown[]): boolean;
  /** Whether somebody listens for 'upgrade'. */
  listenerCount?(event: string): number;
  listeners?(event: string): unknown[];
  /** Milliseconds of silence after which 'timeout' is emitted; 0 or absent: never. */
  readonly timeout?: number;
}

export class GatewaySocket extends PeerSocket {
  readable = true;
  writable = true;
  destroyed = false;
  closed = false;
  errored: Error | null = null;
  timeout = 0;
  /** The response, until it is finished. Node and `on-finished` read it under this name. */
  _httpMessage: Outgoing | null = null;
  /** What was written has not all gone out: there is no 'finish'. */
  _hadError = false;
  readonly server: ServerLike | undefined;
  readonly #exchange: Exchange;
  /**
   * What the application enters into an AsyncLocalStorage stays with this request: requests of one connection are served
   * from the same callback of one socket, and would inherit it from each other.
   */
  #scope = new AsyncResource('POSTERNREQUEST');
  #req: Incoming | undefined;
  #res: Outgoing | undefined;
  #reply: Reply | undefined;
  #input: RequestInput | undefined;
  #bodyEnded = false;
  #corks = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(exchange: Exchange, server: ServerLike | undefined) {
    super(exchange);
    this.#exchange = exchange;
    this.server = server;
  }

  assign(req: Incoming, res: Outgoing, reply: Reply): void {
    this.#req = req;
    this.#res = res;
    this.#reply = reply;
    this._httpMessage = res;
    if (this.server?.timeout) this.setTimeout(this.server.timeout);
  }

  /** Calls a function as this request: the asynchronous context is the request's own. Arrays of arguments cost time. */
  run<A, B, C, D, R>(fn: (a: A, b: B, c: C, d: D) => R, a?: A, b?: B, c?: C, d?: D): R {
    return this.#scope.runInAsyncScope(fn as (...values: unknown[]) => R, undefined, a, b, c, d);
  }

  /** Called as this request: what the application has entered up to here is there when the reply is complete. */
  keepContext(): void {
    if (contextIsFixed) this.#scope = new AsyncResource('POSTERNREQUEST');
  }

  /** The request's stream wants bytes. */
  resume(): this {
    if (this.#input === undefined) {
      const req = this.#req as Incoming;
      // it was left unread, and has been ended
      if (req._dumped) return this;
      if (this.#exchange.over && !this.#exchange.input.complete) {
        this.#cutBody(req);
        return this;
      }
      try {
        this.#input = new RequestInput(this.#exchange, this, req);
      } catch (error) {
        req.destroy(error as Error);
        return this;
      }
    }
    this.#input.demand();
    return this;
  }

  /** Nothing to do: what the stream does not ask for is not sent to it. */
  pause(): this {
    return this;
  }

  /** All of the body is in the request's stream. */
  bodyEnded(): void {
    this.#bodyEnded = true;
    // the reply is complete
    if (!this.writable && !this.destroyed) this.#retire();
  }

  /** The body broke off. A peer that left is told by the exchange; with any other cause somebody waits for an answer. */
  bodyBroke(error: Error): void {
    if (this.#reply?.ended && this.#exchange.over) return;
    this.run(breakLater, this, this.#req, error);
  }

  get writableCorked(): number {
    return this.#corks;
  }

  get writableLength(): number {
    return this.#reply?.waiting ?? 0;
  }

  get readyState(): string {
    return this.destroyed ? 'closed' : 'open';
  }

  cork(): void {
    this.#corks++;
  }

  uncork(): void {
    if (this.#corks === 0) return;
    this.#corks--;
    if (this.#corks === 0) this.#reply?.uncorked();
  }

  /** Raw bytes past the response have no way to the client: the reply is broken off. */
  write(_data: unknown, encoding?: unknown, callback?: unknown): boolean {
    const error = new LocalProtocolError('ERR_APP_REPLY', 'raw bytes were written to the socket of a request');
    const done = typeof encoding === 'function' ? encoding : callback;
    if (typeof done === 'function') process.nextTick(done as (error: Error) => void, error);
    this.destroy(error);
    return false;
  }

  end(): this {
    return this.destroySoon();
  }

  /** Waits for a reply that has ended. */
  destroySoon(): this {
    return this.#res?.writableEnded ? this : this.destroy();
  }

  resetAndDestroy(): this {
    return this.destroy();
  }

  /** Breaks the reply off where it is not complete. */
  destroy(error?: Error | null): this {
    if (this.destroyed) return this;
    this.errored = error ?? null;
    this.breakOff(error ?? new LocalProtocolError('ERR_APP_ERROR', 'the application destroyed the reply'));
    return this;
  }

  /** `destroy` for a cause that is no error of the socket. */
  breakOff(cause: Error): void {
    this.#reply?.breakOff(cause);
    this.abandon();
  }

  /** There is nobody to be answered, or somebody else has answered. */
  abandon(): void {
    if (this.destroyed) return;
    this.#shut();
    this.#reply?.abandon();
    this.run(closeLater, this, this.#req, this.#res, this.#reply);
  }

  /** The reply is complete and its 'finish' has been emitted. */
  complete(): void {
    const req = this.#req as Incoming;
    const res = this.#res as Outgoing;
    detachSignal(req);
    this.writable = false;
    if (hears(res, 'close')) process.nextTick(emitResponseClose, res);
    else {
      res.destroyed = true;
      res._closed = true;
    }
    if (!isRead(req)) {
      if (!hears(req, 'close') && !hears(req, 'end')) closeUnread(req);
      else {
        // in this order: from Node 26 on what is whole is ended by `_dump` itself, and by nothing else
        endBody(req);
        req._dump();
      }
      this.#retire();
    } else if (this.#bodyEnded || req.destroyed) this.#retire();
    else if (!this.#exchange.input.complete) {
      this.#cutBody(req);
      this.#retire();
    }
  }

  /** No more of the body comes for an exchange that is over: who only drains it need not know. */
  #cutBody(req: Incoming): void {
    this.#bodyEnded = true;
    if (req.listenerCount('data') === 0 && req.listenerCount('readable') === 0) endBody(req);
    else process.nextTick(resetRequest, req);
  }

  #retire(): void {
    this.#shut();
    if (hears(this, 'close')) process.nextTick(emitSocketClose, this);
    else this.closed = true;
  }

  #shut(): void {
    this.readable = false;
    this.writable = false;
    this.destroyed = true;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
  }

  /**
   * Emits 'timeout' after so many milliseconds without a byte either way; 0: never. Where neither request nor response
   * nor server listens the reply is broken off, as node:http does.
   * @throws RangeError ERR_OUT_OF_RANGE
   */
  setTimeout(ms: number, callback?: () => void): this {
    const length = timerLength(ms);
    this.timeout = ms;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    if (ms > 0 && !this.destroyed) {
      this.#timer = setTimeout(emitTimeout, length, this).unref();
    }
    if (callback !== undefined) {
      if (ms === 0) this.removeListener('timeout', callback);
      else this.once('timeout', callback);
    }
    return this;
  }

  /** Bytes went either way. */
  touch(): void {
    if (this.#timer !== undefined) this.#timer.refresh();
  }

  timedOut(): void {
    const { server } = this;
    this.emit('timeout');
    const byRequest = this.#req?.emit('timeout', this);
    const byResponse = this.#res?.emit('timeout', this);
    const byServer = server?.emit('timeout', this);
    if (byRequest || byResponse || byServer || this.destroyed) return;
    this.breakOff(new AbortError('ERR_TIMEOUT_APP', `nothing happened for ${this.timeout} ms`, 504));
  }
}

function emitTimeout(socket: GatewaySocket): void {
  socket.run(callTimedOut, socket);
}

function callTimedOut(socket: GatewaySocket): void {
  socket.timedOut();
}

/** One tick each: what one listener throws does not keep the others from their event. */
function closeLater(socket: GatewaySocket, req?: Incoming, res?: Outgoing, reply?: Reply): void {
  if (reply !== undefined) process.nextTick(dropCallbacks, reply);
  if (socket.errored !== null) process.nextTick(emitSocketError, socket);
  if (req !== undefined) process.nextTick(resetRequest, req);
  if (res !== undefined) process.nextTick(emitResponseClose, res);
  process.nextTick(emitSocketClose, socket);
}

function breakLater(socket: GatewaySocket, req: Incoming | undefined, error: Error): void {
  if (error instanceof AbortError && error.statusHint === 0) process.nextTick(abandonSocket, socket);
  else process.nextTick(breakSocket, socket, error);
  if (req !== undefined) process.nextTick(resetRequest, req, error);
}

function abandonSocket(socket: GatewaySocket): void {
  socket.abandon();
}

function breakSocket(socket: GatewaySocket, cause: Error): void {
  if (!socket.destroyed) socket.breakOff(cause);
}

function dropCallbacks(reply: Reply): void {
  reply.dropCallbacks();
}

function resetRequest(req: Incoming, cause?: Error): void {
  req.destroy(connectionReset(cause));
}

function emitResponseClose(res: Outgoing): void {
  if (res._closed) return;
  res.destroyed = true;
  res._closed = true;
  res.emit('close');
}

function emitSocketError(socket: GatewaySocket): void {
  if (socket.listenerCount('error') > 0) socket.emit('error', socket.errored);
}

function emitSocketClose(socket: GatewaySocket): void {
  socket.closed = true;
  socket.emit('close', socket.errored !== null);
}
