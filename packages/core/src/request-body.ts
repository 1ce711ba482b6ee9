import { ChunkList } from './chunk-list.ts';
import { AbortError, LocalProtocolError } from './errors.ts';

/** Takes the body of a request. `data` says whether more is welcome now; if not, the taker calls `RequestBody.pull`. */
export interface BodySink {
  /** It wants no more, and will never pull again. */
  readonly gone?: boolean;
  data(chunk: Uint8Array): boolean;
  end(): void;
  error(error: Error): void;
}

/** Where a body comes from: asked when its taker wants more. */
export interface BodySource {
  wantBody(): void;
}

const nowhere: BodySink = { data: () => true, end() {}, error() {} };

/**
 * The body of one request. It is read once, by whoever attaches first; what has not been asked for waits within
 * `bodyHighWater` (`sharedBodyHighWater`, where others share the connection), after that the web server waits.
 */
export class RequestBody implements AsyncIterable<Uint8Array> {
  /** The declared length in bytes; -1: not stated. */
  readonly length: number;
  readonly #source: BodySource;
  readonly #waiting = new ChunkList();
  #sink: BodySink | undefined;
  #wanted = false;
  #complete: boolean;
  #delivered = false;
  #error: Error | undefined;

  constructor(source: BodySource, length: number, complete: boolean) {
    this.#source = source;
    this.length = length;
    this.#complete = complete;
  }

  /** All of the body has come from the wire. */
  get complete(): boolean {
    return this.#complete;
  }

  /** There is a taker, and it waits for bytes. */
  get starved(): boolean {
    return this.#wanted && !this.#complete && this.#error === undefined && this.#waiting.length === 0;
  }

  get used(): boolean {
    return this.#sink !== undefined;
  }

  /** Nobody reads it, or who did has left. */
  get unread(): boolean {
    return this.#sink === undefined || this.#sink.gone === true;
  }

  /** Bytes that have come and are not taken. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** The one reader of this body. Nothing comes before `pull`. @throws LocalProtocolError ERR_BODY_USED */
  attach(sink: BodySink): void {
    if (this.#sink !== undefined) {
      const why = this.#sink === nowhere ? 'was thrown away, for nobody read it' : 'is being read already';
      throw new LocalProtocolError('ERR_BODY_USED', `the request body ${why}`);
    }
    this.#sink = sink;
  }

  /** The reader has room. */
  pull(): void {
    const sink = this.#sink;
    if (sink === undefined || this.#delivered) return;
    this.#wanted = true;
    while (this.#wanted && this.#waiting.length > 0) this.#give(sink, this.#waiting.shift() as Uint8Array);
    if (this.#waiting.length > 0) return;
    if (this.#error !== undefined) this.#deliver();
    else if (this.#complete) {
      if (this.#wanted) this.#deliver();
    } else if (this.#wanted) this.#source.wantBody();
  }

  /** A taker that pulls while it takes has said that it wants more, whatever it returns. */
  #give(sink: BodySink, chunk: Uint8Array): void {
    this.#wanted = false;
    if (sink.data(chunk)) this.#wanted = true;
  }

  #deliver(): void {
    if (this.#delivered) return;
    this.#delivered = true;
    this.#wanted = false;
    if (this.#error === undefined) this.#sink?.end();
    else this.#sink?.error(this.#error);
  }

  /** The transport's side: bytes have come. */
  push(chunk: Uint8Array): void {
    if (this.#delivered) return;
    if (this.#wanted && this.#waiting.length === 0) {
      this.#give(this.#sink as BodySink, chunk);
      if (this.#wanted) this.#source.wantBody();
      return;
    }
    this.#waiting.push(chunk);
  }

  /** The transport's side: the body is whole. */
  finish(): void {
    this.#complete = true;
    if (this.#wanted && this.#waiting.length === 0) this.#deliver();
  }

  /** The transport's side: no more will come. What has come already can still be read. */
  fail(error: Error): void {
    if (this.#complete || this.#error !== undefined) return;
    this.#error = error;
    if (this.#sink !== undefined && (this.#wanted || this.#waiting.length === 0)) this.#deliver();
  }

  /** Nobody will read it: bytes that come are thrown away. */
  discard(): void {
    this.#waiting.clear();
    this.#sink = nowhere;
    if (this.#complete || this.#error !== undefined) this.#delivered = true;
    else {
      this.#wanted = true;
      this.#source.wantBody();
    }
  }

  /** The whole body, at most `limit` bytes. @throws AbortError ERR_BODY_LIMIT (statusHint 413), or why the body broke off */
  async bytes(limit = 1_048_576): Promise<Uint8Array> {
    if (this.length > limit) throw tooLong(limit);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this) {
      size += chunk.length;
      if (size > limit) throw tooLong(limit);
      chunks.push(chunk);
    }
    return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
  }

  /** The whole body as UTF-8 text. @throws as `bytes` */
  async text(limit = 1_048_576): Promise<string> {
    return Buffer.from((await this.bytes(limit)) as Uint8Array<ArrayBuffer>).toString('utf8');
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    const reader = new BodyReader(this);
    this.attach(reader);
    return reader;
  }
}

function tooLong(limit: number): AbortError {
  return new AbortError('ERR_BODY_LIMIT', `the request body has more than ${limit} bytes`, 413);
}

/** One chunk at a time, so that a slow loop slows the sender. */
class BodyReader implements BodySink, AsyncIterator<Uint8Array, undefined> {
  readonly #body: RequestBody;
  #chunk: Uint8Array | undefined;
  #done = false;
  #error: Error | undefined;
  #waiting: Promise<void> | undefined;
  #wake: (() => void) | undefined;

  constructor(body: RequestBody) {
    this.#body = body;
  }

  get gone(): boolean {
    return this.#done;
  }

  data(chunk: Uint8Array): boolean {
    this.#chunk = chunk;
    this.#wake?.();
    return false;
  }

  end(): void {
    this.#done = true;
    this.#wake?.();
  }

  error(error: Error): void {
    this.#error = error;
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    // calls that overlap wait for their turn
    while (this.#waiting !== undefined) await this.#waiting;
    if (this.#chunk === undefined && !this.#done && this.#error === undefined) {
      this.#waiting = new Promise((resolve) => {
        this.#wake = resolve;
      });
      this.#body.pull();
      await this.#waiting;
      this.#waiting = undefined;
    }
    const value = this.#chunk;
    this.#chunk = undefined;
    if (value !== undefined) return { done: false, value };
    if (this.#error !== undefined) throw this.#error;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#done = true;
    this.#wake?.();
    return { done: true, value: undefined };
  }
}
