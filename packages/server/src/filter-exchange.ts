import type { RequestBody, RequestEvent } from '@postern/core';
import { ServerExchange } from './exchange.ts';
import type { ExchangeHost } from './exchange-host.ts';
import { ReceivedBody } from './received-body.ts';
import type { SpoolStore } from './spool.ts';

/** The request of a filter: the file that it works on comes behind its body (FastCGI 1.0 §6.4). */
export class FilterExchange extends ServerExchange {
  readonly #file: ReceivedBody;
  readonly #host: ExchangeHost;
  #bodyBytes = 0;
  #fileBytes = 0;
  /** All of the body has come; what comes now is the file. */
  #bodyEnded: boolean;

  constructor(host: ExchangeHost, event: RequestEvent & { type: 'request' }) {
    super(host, event);
    const { dataLength = -1 } = event;
    this.#host = host;
    this.#bodyEnded = event.ended;
    const owner = {
      bodyWanted: () => this.#fileWanted(),
      pullBody: () => this.#pullFile(),
      loseBody: (error: Error) => this.loseBody(error),
    };
    this.#file = new ReceivedBody(owner, dataLength, dataLength === 0);
    this.onOver((error) => this.#file.close(error));
  }

  get data(): RequestBody {
    return this.#file.body;
  }

  override get starved(): boolean {
    return super.starved || this.data.starved;
  }

  #fileWanted(): void {
    if (this.over) return;
    this.bodySince = this.#host.context.now;
    this.#makeWay();
  }

  #pullFile(): void {
    if (!this.over) this.#host.pull(this.id, 'filter-data');
  }

  override receive(chunk: Uint8Array): void {
    this.#bodyBytes += chunk.length;
    super.receive(chunk);
    this.#makeWay();
  }

  override get received(): number {
    return this.#bodyBytes + this.#fileBytes;
  }

  override receiveEnd(): void {
    this.#bodyEnded = true;
    super.receiveEnd();
  }

  override keepBody(store: SpoolStore): boolean {
    if (!this.#bodyEnded) return super.keepBody(store);
    if (!this.#file.keep(store, this.#host.limits.sharedBodyHighWater)) return false;
    this.#pullFile();
    return true;
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
    this.#fileBytes += chunk.length;
    this.#file.push(chunk);
  }

  /** The transport: the file is whole. */
  receiveDataEnd(): void {
    this.#file.end();
  }
}
