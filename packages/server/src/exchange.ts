import {
  AbortError,
  abortedError,
  type BodySource,
  type BodyWriter,
  buildEnviron,
  type Chunk,
  checkHeaders,
  checkStatus,
  describeError,
  type Environ,
  type ErrorSink,
  type Exchange,
  isBodyless,
  LocalProtocolError,
  printable,
  RequestBody,
  type RequestEvent,
  type RequestHead,
  type Role,
  reasonOf,
} from '@postern/core';
import type { Driver } from './driver.ts';
import { ReplyWriter } from './reply-writer.ts';

/** Replies in memory up to this size are one event; a larger one is queued, or it would starve its neighbours. */
const WHOLE = 65_536;

/** One request of one connection. What the application does not touch is not built. */
export class ServerExchange implements Exchange, BodySource, ErrorSink {
  readonly id: number;
  readonly role: Role;
  readonly head: RequestHead;
  /** When the head was complete, by the server's clock. */
  readonly since: number;
  /** When body bytes came, or were first waited for. */
  bodySince: number;
  readonly #driver: Driver;
  #phase: 'waiting' | 'body' | 'over' = 'waiting';
  #bodyComplete: boolean;
  #bodyBytes = 0;
  #input: RequestBody | undefined;
  #environ: Environ | undefined;
  #controller: AbortController | undefined;
  #writer: ReplyWriter | undefined;
  /** Why it is over; undefined although over: the reply was complete. */
  #reason: Error | undefined;
  #overListener: ((error: Error | undefined) => void) | undefined;
  #moreListeners: ((error: Error | undefined) => void)[] | undefined;

  constructor(driver: Driver, event: RequestEvent & { type: 'request' }) {
    this.id = event.id;
    this.role = event.role;
    this.head = event.head;
    this.since = driver.now;
    this.bodySince = driver.now;
    this.#driver = driver;
    this.#bodyComplete = event.ended;
  }

  get protocol(): string {
    return this.#driver.protocol;
  }

  get environ(): Environ {
    this.#environ ??= buildEnviron(this, this.#driver.mount);
    return this.#environ;
  }

  get input(): RequestBody {
    if (this.#input === undefined) {
      this.#input = new RequestBody(this, this.head.contentLength, this.#bodyComplete);
      if (this.#reason !== undefined) this.#input.fail(this.#reason);
    }
    return this.#input;
  }

  get errors(): ErrorSink {
    return this;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  get over(): boolean {
    return this.#phase === 'over';
  }

  get started(): boolean {
    return this.#phase === 'body' || (this.#phase === 'over' && this.#reason === undefined);
  }

  onOver(listener: (error: Error | undefined) => void): void {
    if (this.#phase === 'over') listener(this.#reason);
    else if (this.#overListener === undefined) this.#overListener = listener;
    else {
      this.#moreListeners ??= [];
      this.#moreListeners.push(listener);
    }
  }

  respond(status: number, reason: string, headers: string[], body: Chunk | null): void {
    if (this.#phase === 'over') return;
    const { id } = this;
    const checked = this.#checkHead(status, reason, headers);
    const size = body === null ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    const bodyless = isBodyless(this.head.method, status);
    if (!bodyless && checked.contentLength >= 0 && checked.contentLength !== size) {
      throw new LocalProtocolError(
        size > checked.contentLength ? 'ERR_BODY_LONG' : 'ERR_BODY_CUT',
        `the body has ${size} bytes, its Content-Length is ${checked.contentLength}`,
      );
    }
    if (bodyless || size <= WHOLE) {
      this.#driver.send({ type: 'whole', id, status, reason, headers: checked.headers, body: bodyless ? null : body });
    } else {
      this.#driver.send({ type: 'head', id, status, reason, headers: checked.headers });
      this.#driver.send({ type: 'data', id, chunk: body as Chunk });
      this.#driver.send({ type: 'end', id });
    }
    this.#end(undefined);
    this.#driver.flush();
  }

  start(status: number, reason: string, headers: string[]): BodyWriter {
    if (this.#phase === 'over') return new ReplyWriter(this, this.#driver, -1, true);
    const checked = this.#checkHead(status, reason, headers);
    this.#driver.send({ type: 'head', id: this.id, status, reason, headers: checked.headers });
    this.#phase = 'body';
    this.#writer = new ReplyWriter(this, this.#driver, checked.contentLength, isBodyless(this.head.method, status));
    this.#driver.flushSoon();
    return this.#writer;
  }

  #checkHead(status: number, reason: string, headers: string[]): { headers: string[]; contentLength: number } {
    if (this.#phase !== 'waiting')
      throw new LocalProtocolError('ERR_HEADERS_SENT', 'the head of the reply has been sent');
    checkStatus(status, reason);
    return checkHeaders(headers, this.#driver.limits);
  }

  /** No front-end of these protocols takes an interim reply yet. */
  inform(): boolean {
    return false;
  }

  upgrade(): undefined {
    return undefined;
  }

  fail(error: unknown): void {
    try {
      // what an application throws because its client has left is no failure
      if (this.#phase === 'over') {
        if (this.#reason === undefined) this.#driver.report(error, this);
        return;
      }
      const status = error instanceof AbortError && error.statusHint > 0 ? error.statusHint : 500;
      if (status === 500) {
        this.write(`${describeError(error)}\n`);
        this.#driver.report(error, this);
      }
      if (this.#phase === 'waiting') this.#respondPlain(status);
      else this.breakOff(error instanceof Error ? error : abortedError());
    } catch (defect) {
      this.#driver.defect(defect);
    }
  }

  #respondPlain(status: number): void {
    const text = `${status} ${reasonOf(status)}\n`;
    this.respond(status, reasonOf(status), ['Content-Type', 'text/plain', 'Content-Length', String(text.length)], text);
  }

  /** ErrorSink: a line for the web server's error log. */
  write(text: string): void {
    if (text === '') return;
    const line = text.endsWith('\n') ? text.slice(0, -1) : text;
    this.#driver.send({ type: 'log', id: this.id, text: `${line.split('\n').map(printable).join('\n')}\n` });
    this.#driver.flushSoon();
  }

  /** BodySource: the reader of the body wants more. */
  wantBody(): void {
    this.bodySince = this.#driver.now;
    this.#driver.pull(this.id);
  }

  /** The transport: body bytes came. */
  receive(chunk: Uint8Array): void {
    this.bodySince = this.#driver.now;
    this.#bodyBytes += chunk.length;
    const { maxBody } = this.#driver.limits;
    if (maxBody > 0 && this.#bodyBytes > maxBody) this.refuseBody();
    else if (this.#phase !== 'over') this.input.push(chunk);
    else this.#driver.pull(this.id);
  }

  refuseBody(): void {
    this.end(
      new AbortError(
        'ERR_BODY_LIMIT',
        `the request body has more than ${this.#driver.limits.maxBody} bytes (maxBody)`,
        413,
      ),
    );
  }

  /** The transport: the body is whole. */
  receiveEnd(): void {
    this.#bodyComplete = true;
    this.#input?.finish();
  }

  /** The application waits for body bytes. */
  get starved(): boolean {
    return this.#input?.starved === true;
  }

  get waiting(): boolean {
    return this.#phase === 'waiting';
  }

  /** The transport ends it: answered with the error's statusHint if that is possible, else broken off. */
  end(error: AbortError): void {
    if (this.#phase === 'over') return;
    if (error.statusHint === 0 || this.#phase === 'body') {
      if (error.statusHint > 0) this.breakOff(error);
      else this.#end(error);
      return;
    }
    this.#reason = error;
    this.#respondPlain(error.statusHint);
  }

  /** The reply cannot be completed. */
  breakOff(error: Error): void {
    if (this.#phase === 'over') return;
    this.#driver.send({ type: 'abort', id: this.id });
    this.#end(error);
    this.#driver.flushSoon();
  }

  /** The writer: the reply is complete. */
  complete(): void {
    this.#driver.send({ type: 'end', id: this.id });
    this.#end(undefined);
    this.#driver.flushSoon();
  }

  #end(error: Error | undefined): void {
    const reason = error ?? this.#reason;
    this.#phase = 'over';
    this.#reason = reason;
    this.#driver.release(this);
    if (!this.#bodyComplete) {
      if (reason !== undefined) this.#input?.fail(reason);
      else if (this.#input?.used === true)
        this.#input.fail(new AbortError('ERR_ABORTED', 'the reply is complete, the rest of the body was thrown away'));
      else this.#input?.discard();
    }
    if (reason !== undefined) this.#controller?.abort(reason);
    this.#writer?.wake();
    this.#overListener?.(reason);
    if (this.#moreListeners !== undefined) for (const listener of this.#moreListeners) listener(reason);
  }
}
