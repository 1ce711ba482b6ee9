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

  /** The address of the client as the web server names it. */
  get remoteAddr(): string | undefined {
    return this.#exchange.environ.REMOTE_ADDR;
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
