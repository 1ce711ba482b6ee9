import {
  AbortError,
  type BodyWriter,
  buildEnviron,
  type Chunk,
  checkHeaders,
  checkStatus,
  type Environ,
  type Exchange,
  type Handler,
  HttpHead,
  isBodyless,
  LocalProtocolError,
  limitsWith,
  RequestBody,
  type Tunnel,
  type TunnelCarrier,
  upgradeAsked,
} from '@postern/core';

export interface Ask {
  method?: string;
  target?: string;
  protocol?: string;
  scheme?: 'http' | 'https';
  /** An array is flat. */
  headers?: Record<string, string> | string[];
  /** What the web server vouches for: REMOTE_ADDR, SSL_CLIENT_CERT … */
  variables?: Record<string, string>;
  /** The whole body; 'open': it comes by `push` and `finish`, without a stated length. */
  body?: string | Uint8Array | 'open';
  /** Content-Length of an open body. */
  length?: number;
  /** Bytes that the writer takes before it says false; `drain` makes room. */
  room?: number;
  /** The reply is on its way until `deliver`. */
  slow?: boolean;
}

const limits = limitsWith({});

/** What a tunnel did: its bytes are the body of its exchange, and are taken at the end of the turn. */
class FakeCarrier implements TunnelCarrier {
  ended = false;
  left: Error | 'cleanly' | undefined;
  readonly #exchange: FakeExchange;
  readonly #tunnel: Tunnel;

  constructor(exchange: FakeExchange, tunnel: Tunnel) {
    this.#exchange = exchange;
    this.#tunnel = tunnel;
  }

  write(chunks: readonly Uint8Array[]): void {
    this.#exchange.chunks.push(...chunks);
    process.nextTick(() => this.#tunnel.drained());
  }

  endWriting(): void {
    this.ended = true;
  }

  pull(): void {}

  leave(error: Error | undefined): void {
    this.left = error ?? 'cleanly';
  }
}

/** An exchange without a protocol and without a transport: what was asked for and what was answered, in memory. */
export class FakeExchange implements Exchange {
  readonly id = 1;
  readonly protocol = 'fake';
  readonly role = 'responder';
  readonly head: HttpHead;
  readonly input: RequestBody;
  readonly errors = { write: (text: string) => void this.logged.push(text) };
  readonly logged: string[] = [];
  over = false;
  started = false;
  /** How the reply began: in one piece, or head first. */
  by: 'respond' | 'start' | 'fail' | undefined;
  status = 0;
  reason = '';
  headers: string[] = [];
  readonly chunks: Chunk[] = [];
  readonly informed: { status: number; headers: string[] }[] = [];
  readonly failures: unknown[] = [];
  /** The end of the body was sent; a reply that was broken off has none. */
  ended = false;
  broken = false;
  flushes = 0;
  /** How often the body was asked for. */
  wanted = 0;
  canInform = true;
  canUpgrade = true;
  /** Of a request that has become a tunnel. */
  carrier: FakeCarrier | undefined;
  /** Fulfilled when the exchange is over. */
  readonly done: Promise<void>;
  readonly #listeners: ((error: Error | undefined) => void)[] = [];
  readonly #drains: (() => void)[] = [];
  readonly #slow: boolean;
  #room: number;
  #reason: Error | undefined;
  #environ: Environ | undefined;
  environs = 0;

  constructor(ask: Ask = {}) {
    const { method = 'GET', target = '/', protocol = 'HTTP/1.1', scheme = 'http' } = ask;
    const { body } = ask;
    const open = body === 'open';
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const contentLength = open ? (ask.length ?? -1) : (bytes?.length ?? -1);
    const headers = Array.isArray(ask.headers) ? [...ask.headers] : Object.entries(ask.headers ?? {}).flat();
    if (contentLength >= 0) headers.push('content-length', String(contentLength));
    this.head = new HttpHead(
      { method, target, protocol, scheme, contentLength },
      headers,
      Object.entries(ask.variables ?? {}).flat(),
    );
    this.input = new RequestBody({ wantBody: () => void this.wanted++ }, contentLength, body === undefined);
    if (bytes !== undefined && !open) {
      this.input.push(bytes);
      this.input.finish();
    }
    this.#room = ask.room ?? Number.POSITIVE_INFINITY;
    this.#slow = ask.slow ?? false;
    this.done = new Promise((resolve) => this.#listeners.push(() => resolve()));
  }

  get inputComplete(): boolean {
    return this.input.complete;
  }

  get environ(): Environ {
    if (this.#environ === undefined) {
      this.environs++;
      this.#environ = buildEnviron(this);
    }
    return this.#environ;
  }

  get signal(): AbortSignal {
    return new AbortController().signal;
  }

  get body(): string {
    return Buffer.concat(this.chunks.map((chunk) => Buffer.from(chunk as string))).toString();
  }

  /** All values of a header of the reply. */
  header(name: string): string[] {
    return this.headers.filter((_, i) => i % 2 === 1 && this.headers[i - 1].toLowerCase() === name);
  }

  onOver(listener: (error: Error | undefined) => void): void {
    if (this.over) listener(this.#reason);
    else this.#listeners.push(listener);
  }

  respond(status: number, reason: string, headers: string[], body: Chunk | null): void {
    this.#begin(status, reason, headers);
    this.by = 'respond';
    if (body !== null && !isBodyless(this.head.method, status)) this.chunks.push(body);
    this.#complete();
  }

  start(status: number, reason: string, headers: string[]): BodyWriter {
    this.#begin(status, reason, headers);
    this.by = 'start';
    const length = Number(this.header('content-length')[0] ?? Number.NaN);
    return new FakeWriter(this, length);
  }

  inform(status: number, headers: string[]): boolean {
    checkHeaders(headers, limits);
    this.informed.push({ status, headers });
    return this.canInform;
  }

  get upgradable(): boolean {
    return this.canUpgrade && upgradeAsked(this.head);
  }

  upgrade(status: number, headers: string[], tunnel: Tunnel): Tunnel | undefined {
    if (!this.canUpgrade) {
      this.respond(501, 'Not Implemented', [], null);
      return undefined;
    }
    if (status !== 101) throw new LocalProtocolError('ERR_UPGRADE', `status ${status}`);
    this.headers = checkHeaders(headers, limits).headers;
    this.status = status;
    this.started = true;
    this.carrier = new FakeCarrier(this, tunnel);
    tunnel.open(this.carrier);
    return tunnel;
  }

  fail(error: unknown): void {
    this.failures.push(error);
    if (this.over) return;
    if (this.started) this.breakOff();
    else {
      this.by = 'fail';
      this.status = error instanceof AbortError && error.statusHint > 0 ? error.statusHint : 500;
      this.#complete();
    }
  }

  #begin(status: number, reason: string, headers: string[]): void {
    if (this.started) throw new LocalProtocolError('ERR_HEADERS_SENT', 'the head has been sent');
    checkStatus(status, reason);
    this.headers = checkHeaders(headers, limits).headers;
    this.status = status;
    this.reason = reason;
    this.started = true;
  }

  #complete(): void {
    this.ended = true;
    if (!this.#slow) this.deliver();
  }

  write(chunk: Chunk): boolean {
    this.chunks.push(chunk);
    this.#room -= chunk.length;
    return this.#room > 0;
  }

  end(): void {
    this.#complete();
  }

  onDrain(listener: () => void): void {
    this.#drains.push(listener);
  }

  /** The peer has read: so many bytes more may be written. */
  drain(room: number): void {
    this.#room = room;
    for (const listener of this.#drains.splice(0)) listener();
  }

  /** The reply has arrived. */
  deliver(): void {
    this.#finish(undefined);
  }

  breakOff(): void {
    this.broken = true;
    this.#finish(new AbortError('ERR_ABORTED', 'broken off'));
  }

  /** The peer leaves. */
  leave(): void {
    this.#finish(new AbortError('ERR_ABORTED', 'the client left'));
  }

  #finish(error: Error | undefined): void {
    if (this.over) return;
    this.over = true;
    this.#reason = error;
    if (!this.input.complete) {
      if (this.input.used) this.input.fail(error ?? new AbortError('ERR_ABORTED', 'the reply is complete'));
      else this.input.discard();
    }
    for (const listener of this.#listeners.splice(0)) listener(error);
    for (const listener of this.#drains.splice(0)) listener();
  }
}

class FakeWriter implements BodyWriter {
  readonly #exchange: FakeExchange;
  readonly #length: number;
  #written = 0;

  constructor(exchange: FakeExchange, length: number) {
    this.#exchange = exchange;
    this.#length = length;
  }

  get closed(): boolean {
    return this.#exchange.over;
  }

  write(chunk: Chunk): boolean {
    if (this.closed) return true;
    this.#written += Buffer.byteLength(chunk);
    if (this.#written > this.#length) throw new LocalProtocolError('ERR_BODY_LONG', 'more bytes than Content-Length');
    return this.#exchange.write(chunk);
  }

  flush(): void {
    this.#exchange.flushes++;
  }

  end(): void {
    if (this.#written < this.#length) this.#exchange.fail(new LocalProtocolError('ERR_BODY_CUT', 'too few bytes'));
    else this.#exchange.end();
  }

  destroy(error?: unknown): void {
    if (error !== undefined) this.#exchange.failures.push(error);
    this.#exchange.breakOff();
  }

  onDrain(listener: () => void): void {
    this.#exchange.onDrain(listener);
  }
}

/** Serves one request. */
export function serve(handler: Handler, ask?: Ask): FakeExchange {
  const exchange = new FakeExchange(ask);
  handler(exchange);
  return exchange;
}

/** Serves one request and waits until its exchange is over. */
export async function answer(handler: Handler, ask?: Ask): Promise<FakeExchange> {
  const exchange = serve(handler, ask);
  await exchange.done;
  return exchange;
}
