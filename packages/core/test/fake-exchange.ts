import { buildEnviron, type Environ } from '../src/environ.ts';
import { AbortError, LocalProtocolError } from '../src/errors.ts';
import type { BodyWriter, Exchange } from '../src/exchange.ts';
import { HttpHead } from '../src/http-head.ts';
import { RequestBody } from '../src/request-body.ts';

/** One request in memory, with what was answered to it. */
export class FakeExchange implements Exchange {
  readonly id = 1;
  readonly protocol = 'fake';
  readonly role = 'responder';
  readonly head: HttpHead;
  readonly input = new RequestBody({ wantBody() {} }, -1, true);
  readonly inputComplete = true;
  readonly errors = { write() {} };
  readonly signal = new AbortController().signal;
  /** What was done to it, in order. */
  readonly calls: string[] = [];
  readonly failures: unknown[] = [];
  status = 0;
  reason = '';
  headers: string[] = [];
  body = '';
  over = false;
  started = false;
  /** Bytes of body that are taken before `write` says false; `drain` makes room. */
  room = Number.POSITIVE_INFINITY;
  /** What `start` throws. */
  refusal: Error | undefined;
  readonly done: Promise<void>;
  #listeners: ((error: Error | undefined) => void)[] = [];
  #drains: (() => void)[] = [];

  constructor(method = 'GET') {
    const line = { method, target: '/', protocol: 'HTTP/1.1', scheme: 'http' as const, contentLength: -1 };
    this.head = new HttpHead(line, [], []);
    this.done = new Promise((resolve) => this.onOver(() => resolve()));
  }

  get environ(): Environ {
    return buildEnviron(this);
  }

  onOver(listener: (error: Error | undefined) => void): void {
    this.#listeners.push(listener);
  }

  respond(status: number, reason: string, headers: string[], body: string | Uint8Array | null): void {
    this.#begin('respond', status, reason, headers);
    this.body = body === null ? '' : Buffer.from(body as Uint8Array).toString();
    this.#end(undefined);
  }

  start(status: number, reason: string, headers: string[]): BodyWriter {
    if (this.refusal !== undefined) throw this.refusal;
    if (!this.over) this.#begin('start', status, reason, headers);
    const exchange = this;
    return {
      get closed() {
        return exchange.over;
      },
      write(chunk) {
        if (exchange.over) return true;
        exchange.body += Buffer.from(chunk as Uint8Array).toString();
        exchange.room -= chunk.length;
        return exchange.room > 0;
      },
      flush() {},
      end() {
        exchange.calls.push('end');
        exchange.#end(undefined);
      },
      destroy: (error) => exchange.fail(error),
      onDrain: (listener) => void exchange.#drains.push(listener),
    };
  }

  inform(): boolean {
    return false;
  }

  readonly upgradable = false;

  upgrade(): undefined {
    return undefined;
  }

  fail(error: unknown): void {
    this.calls.push('fail');
    this.failures.push(error);
    this.#end(error instanceof Error ? error : new Error(String(error)));
  }

  /** The client goes away. */
  leave(): void {
    this.calls.push('leave');
    this.#end(new AbortError('ERR_ABORTED', 'the client left'));
  }

  /** The client reads. */
  drain(room: number): void {
    this.room = room;
    for (const listener of this.#drains.splice(0)) listener();
  }

  #begin(call: string, status: number, reason: string, headers: string[]): void {
    if (this.started) throw new LocalProtocolError('ERR_HEADERS_SENT', 'the head has been sent');
    this.calls.push(call);
    this.started = true;
    Object.assign(this, { status, reason, headers });
  }

  #end(error: Error | undefined): void {
    if (this.over) return;
    this.over = true;
    for (const listener of this.#listeners.splice(0)) listener(error);
    this.drain(this.room);
  }
}

/** Waits until something holds, a turn of the event loop at a time. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; !holds(); turn++) {
    if (turn > 10_000) throw new Error('it never came to hold');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
