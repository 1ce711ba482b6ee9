import type { Tunnel, TunnelCarrier } from '@postern/core';
import type { ServerExchange } from './exchange.ts';
import { asAbort } from './exchange-errors.ts';
import type { ExchangeHost, Waiter } from './exchange-host.ts';

/** Up to here what is written is copied: it may wait in the socket when its writer has been told that it is gone. */
const SMALL = 16_384;

/** Where a tunnel and its exchange meet: bytes as events of its id, one way and the other. */
export class TunnelEnd implements TunnelCarrier, Waiter {
  readonly needsAll = true;
  readonly #exchange: ServerExchange;
  readonly #host: ExchangeHost;
  readonly #tunnel: Tunnel;
  #written = false;
  #read = false;

  constructor(exchange: ServerExchange, host: ExchangeHost, tunnel: Tunnel) {
    this.#exchange = exchange;
    this.#host = host;
    this.#tunnel = tunnel;
  }

  /** Bytes that have come and wait for the application. */
  get waiting(): number {
    return this.#tunnel.readableLength;
  }

  write(chunks: readonly Uint8Array[]): void {
    const { id } = this.#exchange;
    for (const chunk of chunks) {
      this.#host.send({ type: 'data', id, chunk: chunk.length > SMALL ? chunk : Uint8Array.from(chunk) });
    }
    this.#host.awaitDrain(id, this);
    this.#host.flushSoon();
  }

  /** The host: what was written is gone. */
  wake(): void {
    this.#tunnel.drained();
  }

  endWriting(): void {
    this.#written = true;
    if (this.#exchange.over) return;
    if (this.#read) this.#exchange.complete();
    else {
      this.#host.send({ type: 'half-end', id: this.#exchange.id });
      this.#host.flushSoon();
    }
  }

  pull(): void {
    this.#exchange.pullBody();
  }

  leave(error: Error | undefined): void {
    if (this.#exchange.over) return;
    if (error === undefined) this.#exchange.complete();
    else this.#exchange.breakOff(asAbort(error));
  }

  /** The host: bytes came. */
  received(chunk: Uint8Array): void {
    this.#tunnel.received(chunk);
  }

  /** The host: nothing more comes. */
  receivedEnd(): void {
    this.#read = true;
    this.#tunnel.receivedEnd();
    if (this.#written) this.#exchange.complete();
  }

  /** The exchange is over: with a reason where it was not ended from here. */
  over(reason: Error | undefined): void {
    if (reason === undefined) this.#tunnel.receivedEnd();
    else this.#tunnel.destroy(connectionReset(reason));
  }
}

function connectionReset(cause: Error): Error {
  return Object.assign(new Error('the connection was reset', { cause }), { code: 'ECONNRESET' });
}
