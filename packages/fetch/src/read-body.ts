import type { BodySink, RequestBody } from '@postern/core';

/** Views pin the memory they look into: smaller ones are copied. */
const KEPT_VIEW = 4096;

/** Reads a whole body without a stream. Rejects with why the body broke off, or what `convert` throws. */
export function readBody<T>(input: RequestBody, convert: (bytes: Uint8Array) => T): Promise<T> {
  const read = new Promise<T>((resolve, reject) => {
    input.attach(new BodyCollector(convert, resolve, reject));
    input.pull();
  });
  // an application that answers without waiting for the body has not missed an error
  read.catch(ignore);
  return read;
}

function ignore(): void {}

class BodyCollector<T> implements BodySink {
  readonly #convert: (bytes: Uint8Array) => T;
  readonly #resolve: (value: T) => void;
  readonly #reject: (reason: unknown) => void;
  #chunks: Uint8Array[] = [];

  constructor(convert: (bytes: Uint8Array) => T, resolve: (value: T) => void, reject: (reason: unknown) => void) {
    this.#convert = convert;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  data(chunk: Uint8Array): boolean {
    this.#chunks.push(chunk.length < KEPT_VIEW ? Buffer.from(chunk) : chunk);
    return true;
  }

  end(): void {
    const chunks = this.#chunks;
    this.#chunks = [];
    try {
      this.#resolve(this.#convert(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
    } catch (error) {
      this.#reject(error);
    }
  }

  error(error: Error): void {
    this.#chunks = [];
    this.#reject(error);
  }
}

const utf8 = new TextDecoder();

/** UTF-8 decode of the Encoding Standard: a byte order mark is no part of the text. */
export function toText(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

export function toJson(bytes: Uint8Array): unknown {
  return JSON.parse(utf8.decode(bytes));
}

/** A copy: what the connection received belongs to the connection. */
export function toArrayBuffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
