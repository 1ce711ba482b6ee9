import type { Duplex } from 'node:stream';
import { describeError, type Environ, type Exchange, type RequestBody } from '@postern/core';

/** What a fetch handler is told beside the request. It may be extended: h3 keeps its parameters in it. */
export class FetchContext {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /** REMOTE_USER, SSL_*, what the web server was told to send. Built on first touch. */
  get environ(): Environ {
    return this.#exchange.environ;
  }

  /** The file that a filter works on; undefined in any other role. */
  get data(): RequestBody | undefined {
    return this.#exchange.data;
  }

  /**
   * Answers 101 and gives the raw bytes both ways; what the handler returns then is for nobody. undefined: the request does
   * not ask for an upgrade, or it cannot be had here. It throws LocalProtocolError for headers that cannot be sent.
   */
  get upgrade(): ((headers?: Record<string, string | string[]>) => Duplex) | undefined {
    return this.#exchange.environ['gateway.upgrade'];
  }

  /** The address of the client as the web server names it. */
  get remoteAddr(): string | undefined {
    return this.#exchange.environ.REMOTE_ADDR;
  }

  /**
   * Sends 103 with these headers, `Link` above all, in front of the reply. False: what is in front does not pass it on,
   * or the reply has begun. @throws LocalProtocolError a header is not allowed
   */
  get earlyHints(): Environ['gateway.early_hints'] {
    return this.#exchange.environ['gateway.early_hints'];
  }

  /**
   * Takes a promise that the reply does not wait for: when it is rejected, the reason goes to the error log, or to the
   * operator where the reply is complete. It may be called without its object.
   */
  get waitUntil(): (promise: unknown) => void {
    const exchange = this.#exchange;
    return function waitUntil(promise) {
      Promise.resolve(promise).then(undefined, (reason) => {
        if (exchange.over) exchange.fail(reason);
        else exchange.errors.write(`waitUntil: ${describeError(reason)}\n`);
      });
    };
  }
}
