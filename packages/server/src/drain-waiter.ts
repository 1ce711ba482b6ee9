import type { Waiter } from './exchange-host.ts';

/** Who writes the one reply on a Node stream, while it waits for room there. */
export class DrainWaiter {
  readonly #stream: { readonly writableLength: number };
  readonly #highWater: number;
  #waiting: Waiter | undefined;

  /** @param highWater bytes that may wait in the stream */
  constructor(stream: { readonly writableLength: number }, highWater: number) {
    this.#stream = stream;
    this.#highWater = highWater;
  }

  wait(waiter: Waiter): void {
    this.#waiting = waiter;
    this.wake();
  }

  /** The callback of a write: something that was written has gone. */
  readonly wake = (): void => {
    const waiter = this.#waiting;
    if (waiter === undefined || this.#stream.writableLength >= (waiter.needsAll ? 1 : this.#highWater)) return;
    this.#waiting = undefined;
    waiter.wake();
  };

  /** Nobody waits any more. */
  forget(): void {
    this.#waiting = undefined;
  }
}
