import type { BodySink, Exchange } from '@postern/core';
import type { GatewaySocket } from './gateway-socket.ts';
import type { Incoming } from './internals.ts';

/** Carries the body from the exchange into the request's stream, as fast as the stream asks. */
export class RequestInput implements BodySink {
  readonly #exchange: Exchange;
  readonly #socket: GatewaySocket;
  readonly #req: Incoming;
  #wanted = false;

  /** @throws LocalProtocolError ERR_BODY_USED: the application reads the body of the exchange itself */
  constructor(exchange: Exchange, socket: GatewaySocket, req: Incoming) {
    this.#exchange = exchange;
    this.#socket = socket;
    this.#req = req;
    exchange.input.attach(this);
  }

  /** The stream has room. */
  demand(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#exchange.input.pull();
  }

  get gone(): boolean {
    return this.#req.destroyed;
  }

  data(chunk: Uint8Array): boolean {
    this.#socket.touch();
    try {
      this.#wanted = this.#socket.run(pushChunk, this.#req, chunk);
    } catch (error) {
      // a listener threw: that is no affair of the transport's
      this.#exchange.fail(error);
    }
    return this.#wanted;
  }

  end(): void {
    try {
      this.#socket.run(endBody, this.#req);
    } catch (error) {
      this.#exchange.fail(error);
    }
    this.#socket.bodyEnded();
  }

  error(error: Error): void {
    this.#socket.bodyBroke(error);
  }
}

function pushChunk(req: Incoming, chunk: Uint8Array): boolean {
  // what comes for a request that was destroyed is thrown away
  return req.destroyed || req.push(chunk);
}

/** The body is whole. */
export function endBody(req: Incoming): void {
  req.complete = true;
  req.push(null);
}
