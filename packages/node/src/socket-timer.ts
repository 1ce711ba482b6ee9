import type { EventEmitter } from 'node:events';
import { nodeError } from './node-error.ts';

const LONGEST = 2 ** 31 - 1;

/** Milliseconds of silence, as a timer takes them. @throws RangeError ERR_OUT_OF_RANGE */
export function timerLength(ms: number): number {
  if (typeof ms !== 'number' || !(ms >= 0) || !Number.isFinite(ms))
    throw nodeError(new RangeError(`a timeout must be a number from 0, not ${ms}`), 'ERR_OUT_OF_RANGE');
  return Math.min(ms, LONGEST);
}

/** `setTimeout` of a socket: 'timeout' after so much silence, again and again, and nothing else. */
export class SocketTimer {
  milliseconds = 0;
  readonly #socket: EventEmitter;
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: EventEmitter) {
    this.#socket = socket;
  }

  /** @throws as `timerLength` */
  set(milliseconds: number): void {
    const length = timerLength(milliseconds);
    this.stop();
    this.milliseconds = milliseconds;
    if (length > 0) this.#timer = setTimeout(emitTimeout, length, this.#socket).unref();
  }

  /** Bytes went either way. */
  touch(): void {
    this.#timer?.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

function emitTimeout(socket: EventEmitter): void {
  socket.emit('timeout');
}
