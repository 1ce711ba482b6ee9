import type { IncomingMessage } from 'node:http';

/** The body of an HTTP request, one chunk at a time. When nobody wants the rest it is drained, so that the answer arrives. */
export class UploadSource implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly #request: IncomingMessage;
  #chunk: Uint8Array | undefined;
  #ended = false;
  #error: Error | undefined;
  #unwanted = false;
  #wake: (() => void) | undefined;

  constructor(request: IncomingMessage) {
    this.#request = request;
    request.pause();
    request.on('data', this.#onData);
    request.on('end', this.#onEnd);
    request.on('close', this.#onClose);
  }

  readonly #onData = (chunk: Uint8Array): void => {
    if (this.#unwanted) return;
    this.#chunk = chunk;
    this.#request.pause();
    this.#wake?.();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#wake?.();
  };

  readonly #onClose = (): void => {
    if (!this.#ended) this.#error = new Error('the client left before its request was complete');
    this.#wake?.();
  };

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#chunk === undefined && !this.#ended && this.#error === undefined && !this.#unwanted) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#request.resume();
      await woken;
    }
    const value = this.#chunk;
    this.#chunk = undefined;
    if (this.#unwanted) return { done: true, value: undefined };
    if (value !== undefined) return { done: false, value };
    if (this.#error !== undefined) throw this.#error;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#unwanted = true;
    this.#request.resume();
    this.#wake?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return this;
  }
}
