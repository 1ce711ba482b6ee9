import {
  abortedError,
  type BodyWriter,
  type Chunk,
  chunkBytes,
  type Exchange,
  reasonOf,
  unbuffered,
} from '@postern/core';
import type { GatewaySocket } from './gateway-socket.ts';
import { refuseInformationalHead } from './informational.ts';
import {
  type Callback,
  emitDrain,
  hasEndCallbacks,
  type Incoming,
  isUnheard,
  noCallback,
  type Outgoing,
} from './internals.ts';
import { isUtf8, join } from './reply-chunks.ts';
import { flattenHeaders, statedLength } from './reply-headers.ts';
import { completeAtTurnEnd } from './unheard-replies.ts';

/** So many bytes may wait for the end of the tick: what ends by then is one reply in one piece. */
const GATHER = 65_536;

/**
 * The way of one response out, behind the hooks of `internals.ts`. Head and body are held to the end of the tick: what
 * is complete by then is `Exchange.respond`, everything else is `Exchange.start` and a writer.
 */
export class Reply {
  readonly #exchange: Exchange;
  readonly #socket: GatewaySocket;
  readonly #req: Incoming;
  readonly #res: Outgoing;
  #status = 0;
  #reason = '';
  #headers: string[] | undefined;
  #lengthStated = false;
  /** The first chunk that waits, and those behind it. */
  #first: Chunk | undefined;
  #rest: Chunk[] | undefined;
  #waiting = 0;
  #writer: BodyWriter | undefined;
  #blocked = false;
  #drained: (() => void) | undefined;
  /** The latest callback of `_send`: at the end it is the one that makes 'finish' happen. */
  #callback: Callback | undefined;
  #callbacks: Callback[] | undefined;
  /** The listener is in its first turn, which ends with `settle`. */
  #firstTurn = true;
  /** There is something to do at the end of the tick. */
  #due = false;
  #ticking = false;
  #watching = false;
  #ended = false;
  #gone = false;

  constructor(exchange: Exchange, socket: GatewaySocket, req: Incoming, res: Outgoing) {
    this.#exchange = exchange;
    this.#socket = socket;
    this.#req = req;
    this.#res = res;
  }

  /** Bytes that have not been taken by the peer, as far as is known here. */
  get waiting(): number {
    return this.#waiting;
  }

  /** `end()` was called. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The head is fixed. @throws what is wrong with it; it can be given anew then */
  head(statusLine: string, headers: unknown): void {
    const res = this.#res;
    if (res.statusCode < 200) refuseInformationalHead(res);
    const flat = flattenHeaders(res, headers);
    const length = statedLength(flat);
    if (length !== undefined) {
      this.#lengthStated = true;
      res._contentLength = Number(length);
      res._removedContLen = false;
    }
    this.#status = res.statusCode;
    this.#reason = res.statusMessage || reasonOf(res.statusCode);
    this.#headers = flat;
    res._header = statusLine;
  }

  /** See `ResponseHooks._send`. */
  send(data: string | Uint8Array, encoding: string | null | undefined, callback: Callback | null | undefined): boolean {
    if (this.#callback !== undefined) {
      this.#callbacks ??= [];
      this.#callbacks.push(this.#callback);
    }
    this.#callback = callback === noCallback || callback === null ? undefined : callback;
    this.schedule();
    if (this.#gone || this.#exchange.over) return false;
    if (data.length === 0) {
      if (callback === undefined) this.#flushHead();
      return !this.#blocked;
    }
    this.#socket.touch();
    const chunk = typeof data !== 'string' || isUtf8(encoding) ? data : Buffer.from(data, encoding as BufferEncoding);
    if (this.#writer === undefined && this.#first !== undefined && this.#waiting + chunk.length > GATHER) this.#start();
    if (this.#writer !== undefined) return this.#write(chunk);
    if (this.#first === undefined) this.#first = chunk;
    else {
      this.#rest ??= [];
      this.#rest.push(chunk);
    }
    this.#waiting += chunk.length;
    return this.#waiting < this.#socket.writableHighWaterMark;
  }

  /** All of the body has gone through `send`. */
  end(): void {
    this.#ended = true;
    if (this.#gone) return;
    if (this.#exchange.over) {
      this.#socket.abandon();
      return;
    }
    if (this.#writer === undefined) this.#respond();
    else this.#endWriter(this.#writer);
    if (!this.#exchange.over) this.watch();
    else if (this.#firstTurn && !this.#unheard) this.#tickLater();
  }

  /** Nobody would notice when it is complete. */
  get #unheard(): boolean {
    if (this.#callbacks !== undefined || hasEndCallbacks(this.#res)) return false;
    return isUnheard(this.#res) && isUnheard(this.#req) && isUnheard(this.#socket);
  }

  uncorked(): void {
    if (this.#headers !== undefined && this.#writer === undefined && !this.#ended) this.schedule();
  }

  /** The application has had its first turn: from now on its peer may leave. */
  settle(): void {
    this.#firstTurn = false;
    if (!this.#exchange.over) this.watch();
    else if (!this.#ended) this.#socket.abandon();
    else if (this.#due && !this.#ticking && !this.#gone) {
      this.#socket.keepContext();
      completeAtTurnEnd(this);
      return;
    }
    if (this.#due) this.#tickLater();
  }

  /** After a first turn in which it was complete and nobody listened: a tick is for those who came since. */
  completeUnheard(): void {
    if (this.#gone || this.#ticking) return;
    if (this.#unheard) this.#complete();
    else this.#socket.run(scheduleReply, this);
  }

  watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    this.#exchange.onOver((error) => this.#over(error));
  }

  #over(error: Error | undefined): void {
    if (this.#gone) return;
    if (error === undefined && this.#ended) this.#socket.run(scheduleReply, this);
    else this.#socket.abandon();
  }

  /** What is not complete is broken off; the exchange learns why. */
  breakOff(cause: unknown): void {
    if (this.#gone || this.#exchange.over) return;
    if (this.#writer !== undefined) this.#writer.destroy(cause);
    else this.#exchange.fail(cause);
  }

  /** Nothing more goes out. `dropCallbacks` follows. */
  abandon(): void {
    this.#gone = true;
    this.#first = undefined;
    this.#rest = undefined;
    this.#waiting = 0;
  }

  #respond(): void {
    const res = this.#res;
    const headers = this.#headers as string[];
    let body = this.#first ?? null;
    if (this.#rest !== undefined) body = join([body as Chunk, ...this.#rest]);
    if (!this.#lengthStated && res._hasBody && !res._removedContLen) {
      headers.push('Content-Length', String(chunkBytes(body)));
    }
    this.#first = undefined;
    this.#rest = undefined;
    this.#waiting = 0;
    try {
      this.#exchange.respond(this.#status, this.#reason, headers, body);
    } catch (error) {
      this.#refused(error);
    }
  }

  #start(): void {
    const first = this.#first;
    const rest = this.#rest;
    this.#first = undefined;
    this.#rest = undefined;
    this.#waiting = 0;
    try {
      this.#writer = this.#exchange.start(this.#status, this.#reason, this.#headers as string[]);
    } catch (error) {
      this.#refused(error);
      return;
    }
    this.watch();
    if (first !== undefined) this.#write(first);
    if (rest !== undefined) for (const chunk of rest) this.#write(chunk);
  }

  /** `flushHeaders()`: who wants the head to be there before the body wants the body to come as it is written, too. */
  #flushHead(): void {
    if (this.#writer === undefined) {
      this.#headers = unbuffered(this.#headers as string[]);
      this.#start();
    }
    this.#writer?.flush();
  }

  #write(chunk: Chunk): boolean {
    const writer = this.#writer as BodyWriter;
    if (writer.closed) return false;
    let room: boolean;
    try {
      room = writer.write(chunk);
    } catch (error) {
      this.#refused(error);
      return false;
    }
    if (room) {
      this.#waiting = 0;
      return true;
    }
    this.#waiting += chunk.length;
    if (!this.#blocked) {
      this.#blocked = true;
      this.#drained ??= () => this.#unblock();
      writer.onDrain(this.#drained);
    }
    return false;
  }

  #unblock(): void {
    this.#blocked = false;
    this.#waiting = 0;
    this.#socket.touch();
    if (!this.#gone) this.#socket.run(scheduleReply, this);
  }

  #endWriter(writer: BodyWriter): void {
    try {
      writer.end();
    } catch (error) {
      this.#refused(error);
    }
  }

  /** The exchange does not take this reply: too many headers, a wrong Content-Length … */
  #refused(error: unknown): void {
    this.#exchange.fail(error);
    this.#socket.abandon();
  }

  schedule(): void {
    this.#due = true;
    if (!this.#firstTurn) this.#tickLater();
  }

  #tickLater(): void {
    if (this.#ticking) return;
    this.#ticking = true;
    process.nextTick(tickReply, this);
  }

  /** The end of the tick in which something was written. */
  tick(): void {
    this.#ticking = false;
    this.#due = false;
    if (this.#gone) {
      this.dropCallbacks();
      return;
    }
    if (this.#ended) {
      if (this.#exchange.over) this.#complete();
      return;
    }
    if (this.#exchange.over) return;
    if (this.#writer === undefined) {
      if (this.#socket.writableCorked > 0) return;
      if (this.#headers !== undefined) this.#start();
    }
    if (this.#blocked) return;
    this.#writer?.flush();
    this.#runCallbacks();
    if (!this.#ended) emitDrain(this.#res);
  }

  #runCallbacks(): void {
    const callbacks = this.#callbacks;
    const callback = this.#callback;
    this.#callbacks = undefined;
    this.#callback = undefined;
    if (callbacks !== undefined) for (const each of callbacks) each();
    callback?.();
  }

  #complete(): void {
    const socket = this.#socket;
    this.#gone = true;
    socket._httpMessage = null;
    this.#res.socket = null;
    try {
      this.#runCallbacks();
    } finally {
      socket.complete();
    }
  }

  /** Those who wait for what was written learn that it has not gone out. */
  dropCallbacks(): void {
    const cause = this.#socket.errored ?? abortedError();
    // the callback of `end` looks here before it says 'finish'
    this.#socket._hadError = true;
    const callbacks = this.#callbacks;
    const callback = this.#callback;
    this.#callbacks = undefined;
    this.#callback = undefined;
    if (callbacks !== undefined) for (const each of callbacks) each(cause);
    callback?.(cause);
  }
}

function scheduleReply(reply: Reply): void {
  reply.schedule();
}

function tickReply(reply: Reply): void {
  reply.tick();
}
