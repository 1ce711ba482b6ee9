import type { Readable, Writable } from 'node:stream';
import { AbortError, type Chunk, cgiReplyHead, type Limits, type ReplyEvent } from '@postern/core';
import { DrainWaiter } from './drain-waiter.ts';
import { atEndOfTurn } from './end-of-turn.ts';
import type { ServerExchange } from './exchange.ts';
import type { ExchangeHost, Waiter } from './exchange-host.ts';

const protocol = { name: 'cgi', carriesUpgrade: true };

export interface CgiStreams {
  /** Opened when the body is asked for, and not before. */
  readonly stdin: () => Readable;
  readonly stdout: Writable;
}

/** Carries the one exchange of a CGI process over its standard streams (RFC 3875 §4.2, §6). */
export class CgiHost implements ExchangeHost {
  readonly protocol = protocol;
  readonly limits: Limits;
  readonly context: ExchangeHost['context'];
  readonly notice: ExchangeHost['notice'];
  readonly #openStdin: () => Readable;
  readonly #stdout: Writable;
  #stdin: Readable | undefined;
  #exchange: ServerExchange | undefined;
  /** Body bytes that may still come; Infinity: up to the end of stdin, as of a tunnel. */
  #left: number;
  #received = 0;
  #pulled = false;
  #turnScheduled = false;
  #tunnel = false;
  readonly #drain: DrainWaiter;
  /** The reply broke off, which CGI cannot tell the web server. */
  #broken = false;
  #drainListener: (() => void) | undefined;

  constructor(
    { context, notice }: Pick<ExchangeHost, 'context' | 'notice'>,
    limits: Limits,
    streams: CgiStreams,
    bodyBytes: number,
  ) {
    this.context = context;
    this.notice = notice;
    this.limits = limits;
    this.#openStdin = streams.stdin;
    this.#stdout = streams.stdout;
    this.#drain = new DrainWaiter(streams.stdout, limits.replyHighWater);
    this.#left = bodyBytes;
  }

  /** The exchange that is carried. */
  carry(exchange: ServerExchange): void {
    this.#exchange = exchange;
  }

  get broken(): boolean {
    return this.#broken;
  }

  send(event: ReplyEvent): void {
    switch (event.type) {
      case 'whole':
        this.#writeHead(event);
        if (event.body !== null) this.#write(event.body);
        break;
      case 'upgrade':
        // stdin is the tunnel's from now on
        this.#left = Number.POSITIVE_INFINITY;
        this.#tunnel = true;
        this.#writeHead(event);
        break;
      case 'half-end':
        // a web server ends the request at the end of stdout, and Node keeps stdout open for as long as it runs
        this.#exchange?.complete();
        break;
      case 'head':
      case 'interim':
        this.#writeHead(event);
        break;
      case 'data':
        this.#write(event.chunk);
        break;
      case 'abort':
        this.#broken = true;
        break;
      default:
    }
  }

  /** It waits for what follows in this turn, so that both go out together. */
  #writeHead({ status, reason, headers }: { status: number; reason: string; headers: string[] }): void {
    this.#stdout.cork();
    this.#stdout.write(cgiReplyHead(status, reason, headers), 'latin1');
    this.flushSoon();
  }

  #write(chunk: Chunk): void {
    this.#stdout.write(chunk, this.#drain.wake);
  }

  queued(): number {
    return this.#stdout.writableLength;
  }

  awaitDrain(_id: number, waiter: Waiter): void {
    this.#drain.wait(waiter);
  }

  flush(): void {
    while (this.#stdout.writableCorked > 0) this.#stdout.uncork();
  }

  flushSoon(): void {
    if (this.#turnScheduled) return;
    this.#turnScheduled = true;
    atEndOfTurn(this);
  }

  endTurn(): void {
    this.#turnScheduled = false;
    this.flush();
  }

  pull(): void {
    this.#pulled = true;
    if (this.#stdin === undefined) {
      const stdin = this.#openStdin();
      this.#stdin = stdin;
      stdin.on('data', this.#onData);
      stdin.on('end', this.#onEnd);
      stdin.on('error', this.#onEnd);
      stdin.on('close', this.#onEnd);
    }
    this.#stdin.resume();
  }

  readonly #onData = (chunk: Buffer): void => {
    // stdin may hold more than the body (RFC 3875 §4.2)
    const piece = chunk.length > this.#left ? chunk.subarray(0, this.#left) : chunk;
    this.#left -= piece.length;
    this.#received += piece.length;
    const exchange = this.#exchange;
    this.#pulled = false;
    if (exchange === undefined) this.#throwAway();
    else {
      if (piece.length > 0) this.#attempt(exchange, () => exchange.receive(piece));
      if (this.#left === 0) this.#attempt(exchange, () => exchange.receiveEnd());
    }
    if (!this.#pulled || this.#left === 0) this.#stdin?.pause();
  };

  #throwAway(): void {
    if (this.#left > 0) this.#pulled = true;
    else this.#drainListener?.();
  }

  /**
   * The reply is written: reads what is left of the body. Where stdin is a socket, leaving it unread would take the reply
   * from the web server; and one that sends all of the body first would never come to read the reply.
   */
  drain(done: () => void): void {
    this.#drainListener = done;
    if (this.#left === 0) done();
    else this.pull();
  }

  /** Body bytes that have come. */
  get received(): number {
    return this.#received;
  }

  readonly #onEnd = (): void => {
    const left = this.#left;
    if (left === 0) return;
    this.#left = 0;
    const exchange = this.#exchange;
    if (exchange === undefined) this.#drainListener?.();
    else if (left === Number.POSITIVE_INFINITY) this.#attempt(exchange, () => exchange.receiveEnd());
    else exchange.end(new AbortError('ERR_BODY_SHORT', `stdin ended ${left} bytes before CONTENT_LENGTH`, 400));
  };

  /** What the application attached to its request may throw. */
  #attempt(exchange: ServerExchange, act: () => void): void {
    try {
      act();
    } catch (error) {
      exchange.fail(error);
    }
  }

  release(): void {
    this.#exchange = undefined;
    this.#drain.forget();
    if (this.#tunnel) this.#left = 0;
    // a web server may send all of the body before it reads the reply
    if (this.#left > 0) this.pull();
  }

  defect(error: unknown): void {
    this.#broken = true;
    this.context.report(error, undefined);
  }
}
