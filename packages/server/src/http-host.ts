import type { IncomingMessage, ServerResponse } from 'node:http';
import { chunkBytes, type Limits, type ReplyEvent } from '@postern/core';
import { DrainWaiter } from './drain-waiter.ts';
import { atEndOfTurn } from './end-of-turn.ts';
import type { ServerExchange } from './exchange.ts';
import type { ExchangeHost, Waiter } from './exchange-host.ts';
import { FinalResponse } from './final-response.ts';
import type { HttpConnection } from './http-connection.ts';

const protocol = { name: 'http' };

/** Carries one exchange over a request of node:http and its reply. */
export class HttpHost implements ExchangeHost {
  readonly protocol = protocol;
  readonly limits: Limits;
  readonly context: HttpConnection['context'];
  readonly #connection: HttpConnection;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  /** The client waits for 100 before it sends its body. */
  #continueDue: boolean;
  #exchange: ServerExchange | undefined;
  /** Content-Length of the request; -1: not stated. */
  #declared = -1;
  #bodyBytes = 0;
  /** More body is welcome; false behind each piece, until it is asked for. */
  #pulled = false;
  #listening = false;
  #headDue = false;
  #turnScheduled = false;
  /** A stream that waits for room. */
  readonly #drain: DrainWaiter;

  constructor(connection: HttpConnection, req: IncomingMessage, res: ServerResponse, expectsContinue: boolean) {
    this.limits = connection.limits;
    this.context = connection.context;
    this.#connection = connection;
    this.#req = req;
    this.#res = res;
    this.#drain = new DrainWaiter(this, connection.limits.replyHighWater);
    this.#continueDue = expectsContinue;
  }

  send(event: ReplyEvent): void {
    const res = this.#res;
    switch (event.type) {
      case 'whole': {
        const { body } = event;
        const bytes = event.size ?? chunkBytes(body);
        res.writeHead(event.status, event.reason, this.#fields(event.status, event.headers, bytes));
        if (body === null) res.end();
        // node:http writes the head in the encoding of the text behind it: in UTF-8 its bytes above 127 would be doubled
        else if (bytes === body.length) res.end(body, 'latin1');
        else res.end(Buffer.from(body as string));
        break;
      }
      case 'head':
        res.writeHead(event.status, event.reason, this.#fields(event.status, event.headers, -1));
        this.#headDue = true;
        break;
      case 'data':
        this.#headDue = false;
        res.write(typeof event.chunk === 'string' ? Buffer.from(event.chunk) : event.chunk, this.#drain.wake);
        break;
      case 'flush':
        break;
      case 'end':
        this.#headDue = false;
        res.end();
        break;
      case 'abort':
        this.#connection.breakOff();
    }
  }

  /**
   * The fields of a reply as they go out.
   * @param length of its body; -1: not known yet, node:http frames it
   */
  #fields(status: number, headers: string[], length: number): string[] {
    const fields: string[] = [];
    let sized = false;
    for (let i = 0; i < headers.length; i += 2) {
      const isLength = headers[i].length === 14 && headers[i].toLowerCase() === 'content-length';
      // RFC 9110 §8.6, §15.3.6: a length here would be taken for that of a body
      if (isLength && (status === 204 || status === 205)) continue;
      sized ||= isLength;
      fields.push(headers[i], headers[i + 1]);
    }
    const bodyless = this.#req.method === 'HEAD' || status === 204 || status === 304;
    if (!sized && !bodyless && (length >= 0 || status === 205))
      fields.push('Content-Length', String(Math.max(0, length)));
    // whoever was not told to go on may send its next request where the body would be; 408: RFC 9110 §15.5.9
    if (this.#continueDue || this.#tooLong || status === 408) fields.push('Connection', 'close');
    return fields;
  }

  /** No more of the body than maxBody is read. */
  get #tooLong(): boolean {
    const { maxBody } = this.limits;
    return maxBody > 0 && Math.max(this.#bodyBytes, this.#declared) > maxBody;
  }

  inform(status: number, headers: string[]): boolean {
    const res = this.#res;
    if (this.#req.httpVersion !== '1.1' || res.headersSent || res.socket === null) return false;
    switch (status) {
      case 100:
        this.#sendContinue();
        return true;
      case 102:
        if (res instanceof FinalResponse) return false;
        res.writeProcessing();
        return true;
      case 103:
        return this.#sendHints(headers);
      default:
        return false;
    }
  }

  #sendContinue(): void {
    if (!this.#continueDue) return;
    this.#continueDue = false;
    this.#res.writeContinue();
  }

  /** False: node:http refuses the form of a Link, or there is none. */
  #sendHints(headers: string[]): boolean {
    const link: string[] = [];
    const hints: Record<string, string | string[]> = { link };
    for (let i = 0; i < headers.length; i += 2) {
      if (headers[i].toLowerCase() === 'link') link.push(headers[i + 1]);
      else hints[headers[i]] = headers[i + 1];
    }
    if (link.length === 0 || this.#res instanceof FinalResponse) return false;
    try {
      this.#res.writeEarlyHints(hints);
      return true;
    } catch {
      return false;
    }
  }

  queued(): number {
    return this.writableLength;
  }

  /**
   * For its waiter too. A socket that is gone has thrown all of it away, which is no room: the application would write the
   * rest of its reply in one turn, before the connection can tell it of its end.
   */
  get writableLength(): number {
    return this.#req.socket.destroyed ? Number.POSITIVE_INFINITY : this.#res.writableLength;
  }

  awaitDrain(_id: number, waiter: Waiter): void {
    this.#drain.wait(waiter);
  }

  pull(): void {
    this.#sendContinue();
    this.#read();
  }

  #read(): void {
    this.#pulled = true;
    if (!this.#listening) {
      this.#listening = true;
      this.#req.on('data', this.#onData);
      this.#req.on('end', this.#onEnd);
    }
    this.#req.resume();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#bodyBytes += chunk.length;
    const exchange = this.#exchange;
    if (exchange === undefined) {
      if (this.#tooLong) this.#connection.finish();
      return;
    }
    this.#pulled = false;
    this.#attempt(() => exchange.receive(chunk));
    if (!this.#pulled) this.#req.pause();
  };

  readonly #onEnd = (): void => {
    const exchange = this.#exchange;
    if (exchange !== undefined) this.#attempt(() => exchange.receiveEnd());
  };

  /** What the application attached to its request may throw. */
  #attempt(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#exchange?.fail(error);
    }
  }

  flush(): void {
    if (!this.#headDue) return;
    this.#headDue = false;
    this.#res.flushHeaders();
  }

  flushSoon(): void {
    if (this.#turnScheduled || !this.#headDue) return;
    this.#turnScheduled = true;
    atEndOfTurn(this);
  }

  endTurn(): void {
    this.#turnScheduled = false;
    this.flush();
  }

  /** The exchange that is carried. */
  carry(exchange: ServerExchange): void {
    this.#exchange = exchange;
    this.#declared = exchange.head.contentLength;
  }

  release(): void {
    this.#exchange = undefined;
    this.#drain.forget();
    // what is left of the body is read and thrown away, so that the connection can carry the next request
    if (!this.#req.complete) this.#read();
  }

  defect(error: unknown): void {
    this.#connection.defect(error);
  }
}
