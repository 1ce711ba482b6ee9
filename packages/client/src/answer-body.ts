import { ChunkList } from '@postern/core';

/** Where the body of an answer comes from. */
export interface AnswerSource {
  /** The reader has taken what there was. */
  wantBody(): void;
  /** The reader was given a piece. */
  taken(): void;
  /** The reader does not want the rest. */
  cancel(): void;
}

/** The body of one answer: read once, one chunk at a time, so that a slow reader slows the back-end. */
export class AnswerBody implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly #source: AnswerSource;
  readonly #chunks = new ChunkList();
  #ended = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(source: AnswerSource) {
    this.#source = source;
  }

  /** Something waits for the reader. */
  get unread(): boolean {
    return this.#chunks.length > 0;
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#wake?.();
  }

  finish(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** What has come already can still be read. Nothing, if all of it has. */
  fail(error: Error): void {
    if (this.#ended) return;
    this.#error = error;
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    while (this.#chunks.length === 0) {
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return { done: true, value: undefined };
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#source.wantBody();
      await woken;
    }
    const value = this.#chunks.shift() as Uint8Array;
    this.#source.taken();
    return { done: false, value };
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#chunks.clear();
    this.#ended = true;
    this.#source.cancel();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return this;
  }
}
