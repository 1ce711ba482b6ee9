import type { ReplyWriter } from './reply-writer.ts';

/** The writer of the one reply on a Node stream, while it waits for room there. */
export class DrainWaiter {
  readonly #stream: { readonly writableLength: number };
  readonly #highWater: number;
  #waiting: ReplyWriter | undefined;

  /** @param highWater bytes that may wait in the stream */
  constructor(stream: { readonly writableLength: number }, highWater: number) {
    this.#stream = stream;
    this.#highWater = highWater;
  }

  wait(writer: ReplyWriter): void {
    this.#waiting = writer;
    this.wake();
  }

  /** The callback of a write: something that was written has gone. */
  readonly wake = (): void => {
    if (this.#waiting === undefined || this.#stream.writableLength >= this.#highWater) return;
    const writer = this.#waiting;
    this.#waiting = undefined;
    writer.wake();
  };

  /** Nobody waits any more. */
  forget(): void {
    this.#waiting = undefined;
  }
}
