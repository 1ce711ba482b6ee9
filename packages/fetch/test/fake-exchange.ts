import {
  AbortError,
  type BodyWriter,
  buildEnviron,
  CgiHead,
  type Chunk,
  type Environ,
  type ErrorSink,
  type Exchange,
  RequestBody,
  variableNames,
} from '@postern/core';

export interface Ask {
  /** CGI variables beside those of a plain GET of "/"; undefined takes one away. */
  variables?: Record<string, string | undefined>;
  /** All of the body, there already. */
  body?: string | Uint8Array;
  /** The body comes later, by `push` and `finish`. */
  open?: boolean;
  /** Bytes after which `write` says false. */
  highWater?: number;
}

const plain: Record<string, string | undefined> = {
  REQUEST_METHOD: 'GET',
  REQUEST_URI: '/',
  SERVER_PROTOCOL: 'HTTP/1.1',
  SERVER_NAME: 'server.test',
  SERVER_PORT: '80',
  REMOTE_ADDR: '192.0.2.7',
  HTTP_HOST: 'site.test',
};

/** One request in memory, and everything that was answered to it. */
export class FakeExchange implements Exchange {
  readonly id = 1;
  readonly protocol = 'fake';
  readonly role = 'responder';
  readonly head: CgiHead;
  readonly input: RequestBody;
  readonly errors: ErrorSink = { write: (text) => this.log.push(text) };
  /** How often the application asked for body bytes. */
  wanted = 0;
  /** Environs and signals that were built. */
  built: string[] = [];
  log: string[] = [];
  calls: string[] = [];
  status = 0;
  reason = '';
  headers: string[] = [];
  chunks: Chunk[] = [];
  flushes = 0;
  queued = 0;
  failure: unknown;
  over = false;
  started = false;
  readonly done: Promise<void>;
  readonly #highWater: number;
  readonly #controller = new AbortController();
  #settle: () => void = () => {};
  #overListeners: ((error: Error | undefined) => void)[] = [];
  #drainListeners: (() => void)[] = [];
  #closed = false;

  constructor(ask: Ask = {}) {
    const variables = Object.entries({ ...plain, ...ask.variables }).filter(([, value]) => value !== undefined);
    if (ask.body !== undefined && ask.variables?.CONTENT_LENGTH === undefined)
      variables.push(['CONTENT_LENGTH', String(Buffer.byteLength(ask.body))]);
    this.head = new CgiHead(
      variableNames(variables.map(([name]) => name)),
      variables.map(([, value]) => value as string),
    );
    const source = { wantBody: () => void this.wanted++ };
    this.input = new RequestBody(source, this.head.contentLength, ask.body === undefined && ask.open !== true);
    if (ask.body !== undefined) {
      this.input.push(typeof ask.body === 'string' ? Buffer.from(ask.body) : ask.body);
      this.input.finish();
    }
    this.#highWater = ask.highWater ?? 65_536;
    this.done = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get inputComplete(): boolean {
    return this.input.complete;
  }

  get environ(): Environ {
    this.built.push('environ');
    return buildEnviron(this);
  }

  get signal(): AbortSignal {
    this.built.push('signal');
    return this.#controller.signal;
  }

  onOver(listener: (error: Error | undefined) => void): void {
    this.#overListeners.push(listener);
  }

  respond(status: number, reason: string, headers: string[], body: Chunk | null): void {
    this.#head('respond', status, reason, headers);
    if (body !== null) this.chunks.push(body);
    this.#end(undefined);
  }

  start(status: number, reason: string, headers: string[]): BodyWriter {
    this.#head('start', status, reason, headers);
    const exchange = this;
    return {
      get closed() {
        return exchange.over;
      },
      write: (chunk) => this.#write(chunk),
      flush: () => void this.flushes++,
      end: () => {
        this.calls.push('end');
        this.#closed = true;
        this.#end(undefined);
      },
      destroy: (error) => this.fail(error),
      onDrain: (listener) => void this.#drainListeners.push(listener),
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
    this.failure = error;
    this.calls.push('fail');
    this.#end(error instanceof Error ? error : new Error(String(error)));
  }

  /** The client goes away. */
  leave(): AbortError {
    const error = new AbortError('ERR_ABORTED', 'the client left');
    this.input.fail(error);
    this.#controller.abort(error);
    this.#end(error);
    return error;
  }

  /** The client reads: what was queued is sent. */
  drain(): void {
    this.queued = 0;
    for (const listener of this.#drainListeners.splice(0)) listener();
  }

  get text(): string {
    return Buffer.concat(
      this.chunks.map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk)),
    ).toString();
  }

  #head(call: string, status: number, reason: string, headers: string[]): void {
    if (this.started) throw new Error('the head was sent twice');
    this.calls.push(call);
    this.started = true;
    this.status = status;
    this.reason = reason;
    this.headers = headers;
  }

  #write(chunk: Chunk): boolean {
    if (this.#closed) throw new Error('a write behind the end');
    if (this.over) return true;
    this.chunks.push(chunk);
    this.queued += chunk.length;
    return this.queued < this.#highWater;
  }

  #end(error: Error | undefined): void {
    if (this.over) return;
    this.over = true;
    for (const listener of this.#overListeners.splice(0)) listener(error);
    this.drain();
    this.#settle();
  }
}

/** Waits until something holds, a turn of the event loop at a time. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; !holds(); turn++) {
    if (turn > 10_000) throw new Error('it never came to hold');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
