import type { ReadableByteStreamController, UnderlyingByteSource } from 'node:stream/web';
import type { BodySink, RequestBody } from '@postern/core';

/** The body of a request as a byte stream: one chunk a pull, nothing before the first. */
export function bodyStream(input: RequestBody): ReadableStream<Uint8Array> {
  return new ReadableStream(new BodyStreamSource(input)) as ReadableStream<Uint8Array>;
}

class BodyStreamSource implements UnderlyingByteSource, BodySink {
  readonly type = 'bytes';
  readonly #input: RequestBody;
  #controller: ReadableByteStreamController | undefined;
  #pulled = false;
  #delivering = false;

  constructor(input: RequestBody) {
    this.#input = input;
  }

  start(controller: ReadableByteStreamController): void {
    this.#controller = controller;
    this.#input.attach(this);
  }

  pull(): void {
    // a second read before the first is answered asks for nothing new
    if (this.#pulled) return;
    this.#pulled = true;
    if (!this.#delivering) this.#input.pull();
  }

  /** The application has had enough: nothing more is asked for. */
  cancel(): void {
    this.#controller = undefined;
  }

  get gone(): boolean {
    return this.#controller === undefined;
  }

  data(chunk: Uint8Array): boolean {
    if (this.#controller === undefined) return false;
    if (chunk.length === 0) return true;
    this.#pulled = false;
    // a byte stream takes the memory of a chunk away from its owner, here from the connection
    const copy = Buffer.allocUnsafeSlow(chunk.length);
    copy.set(chunk);
    this.#delivering = true;
    this.#controller.enqueue(copy);
    this.#delivering = false;
    // where further reads wait the stream has pulled again meanwhile
    return this.#pulled;
  }

  end(): void {
    const controller = this.#controller;
    if (controller === undefined) return;
    controller.close();
    // a reader with a buffer of its own waits for it to be given back
    controller.byobRequest?.respond(0);
  }

  error(error: Error): void {
    this.#controller?.error(error);
  }
}
