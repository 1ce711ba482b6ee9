import { type BodyWriter, type Chunk, LocalProtocolError } from '@postern/core';
import type { ServerExchange } from './exchange.ts';
import type { ExchangeHost } from './exchange-host.ts';

/** The body of one streamed reply: counts it against its Content-Length, and its queue against replyHighWater. */
export class ReplyWriter implements BodyWriter {
  readonly #exchange: ServerExchange;
  readonly #host: ExchangeHost;
  /** Bytes that may still come; Infinity: no Content-Length. */
  #left: number;
  readonly #bodyless: boolean;
  /** Nothing of it is to be held back. */
  readonly #events: boolean;
  #ended = false;
  #drainListener: (() => void) | undefined;

  constructor(exchange: ServerExchange, host: ExchangeHost, contentLength: number, bodyless: boolean, events = false) {
    this.#exchange = exchange;
    this.#host = host;
    this.#left = contentLength < 0 || bodyless ? Number.POSITIVE_INFINITY : contentLength;
    this.#bodyless = bodyless;
    this.#events = events;
  }

  get closed(): boolean {
    return this.#exchange.over;
  }

  write(chunk: Chunk): boolean {
    if (this.#ended) throw new LocalProtocolError('ERR_WRITE_AFTER_END', 'a write behind the end of the body');
    const { id } = this.#exchange;
    if (this.#exchange.over || this.#bodyless || chunk.length === 0) return true;
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    const excess = bytes.length - this.#left;
    const allowed = excess > 0 ? bytes.subarray(0, this.#left) : bytes;
    this.#left -= allowed.length;
    if (allowed.length > 0) this.#host.send({ type: 'data', id, chunk: allowed });
    if (excess > 0) {
      // what was announced has been said: the reply is whole, the application is told
      this.#ended = true;
      this.#exchange.complete();
      throw new LocalProtocolError('ERR_BODY_LONG', `the body has ${excess} bytes more than its Content-Length`);
    }
    if (this.#events) this.#host.send({ type: 'flush', id });
    this.#host.flushSoon();
    if (this.#host.queued(id) < this.#host.limits.replyHighWater) return true;
    this.#host.context.counts.replyHighWater++;
    return false;
  }

  flush(): void {
    if (this.#exchange.over) return;
    this.#host.send({ type: 'flush', id: this.#exchange.id });
    this.#host.flushSoon();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#exchange.over) return;
    if (this.#left > 0 && this.#left !== Number.POSITIVE_INFINITY) {
      this.#exchange.fail(
        new LocalProtocolError('ERR_BODY_CUT', `the body has ${this.#left} bytes fewer than its Content-Length`),
      );
    } else this.#exchange.complete();
  }

  destroy(error?: unknown): void {
    this.#ended = true;
    if (this.#exchange.over) return;
    this.#exchange.fail(error ?? new LocalProtocolError('ERR_BODY_CUT', 'the reply was given up by the application'));
  }

  onDrain(listener: () => void): void {
    if (this.#exchange.over) {
      listener();
      return;
    }
    const before = this.#drainListener;
    this.#drainListener =
      before === undefined
        ? listener
        : () => {
            before();
            listener();
          };
    this.#host.awaitDrain(this.#exchange.id, this);
  }

  /** The queue has room, or the exchange is over. */
  wake(): void {
    const listener = this.#drainListener;
    if (listener === undefined) return;
    this.#drainListener = undefined;
    try {
      listener();
    } catch (error) {
      this.#exchange.fail(error);
    }
  }
}
