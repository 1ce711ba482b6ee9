import { AbortError, type BodySource, RequestBody, type RequestEvent } from '@postern/core';
import { ServerExchange } from './exchange.ts';
import type { ExchangeHost } from './exchange-host.ts';

/** The request of a filter: the file that it works on comes behind its body (FastCGI 1.0 §6.4). */
export class FilterExchange extends ServerExchange implements BodySource {
  readonly data: RequestBody;
  readonly #host: ExchangeHost;
  #bodyBytes = 0;

  constructor(host: ExchangeHost, event: RequestEvent & { type: 'request' }) {
    super(host, event);
    const { dataLength = -1 } = event;
    this.#host = host;
    this.data = new RequestBody(this, dataLength, dataLength === 0);
    this.onOver((error) => this.#endData(error));
  }

  override get starved(): boolean {
    return super.starved || this.data.starved;
  }

  /** BodySource: the reader of the file wants more. */
  wantBody(): void {
    if (this.over) return;
    this.bodySince = this.#host.context.now;
    this.#makeWay();
    this.#host.pull(this.id, 'filter-data');
  }

  override receive(chunk: Uint8Array): void {
    this.#bodyBytes += chunk.length;
    super.receive(chunk);
    this.#makeWay();
  }

  /**
   * Who waits for the file and does not read the body before it would wait for ever: what has found no room of such a
   * body is thrown away, and who asks for it later is told.
   */
  #makeWay(): void {
    if (!this.data.starved || this.#bodyBytes < this.#host.limits.bodyHighWater || this.over) return;
    const { input } = this;
    if (input.unread && !input.complete) input.discard();
  }

  /** The transport: bytes of the file came. */
  receiveData(chunk: Uint8Array): void {
    this.since = this.#host.context.now;
    this.bodySince = this.since;
    this.data.push(chunk);
  }

  /** The transport: the file is whole. */
  receiveDataEnd(): void {
    this.data.finish();
  }

  #endData(error: Error | undefined): void {
    if (error === undefined && !this.data.used) this.data.discard();
    else
      this.data.fail(
        error ?? new AbortError('ERR_ABORTED', 'the reply is complete, the rest of the file was thrown away'),
      );
  }
}
