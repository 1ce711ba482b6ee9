import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

/**
 * What a server sees of a socket, without one: a test gives it the peer's bytes, and looks at what was written. All of
 * it happens in the same turn, but for 'close'.
 */
export class BytesSocket extends EventEmitter {
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 50_000;
  readonly remoteFamily = 'IPv4';
  readonly localAddress = '127.0.0.1';
  readonly localPort = 9000;
  readonly writableLength = 0;
  readonly writableNeedDrain = false;
  writableEnded = false;
  readableEnded = false;
  destroyed = false;
  /** The peer would see an error, and not an end. */
  wasReset = false;
  readonly #written: Buffer[] = [];
  /** What came while it was paused. */
  readonly #held: Uint8Array[] = [];
  #paused = false;
  #finHeld = false;

  get asSocket(): Socket {
    return this as unknown as Socket;
  }

  get writableFinished(): boolean {
    return this.writableEnded;
  }

  get output(): Buffer {
    return Buffer.concat(this.#written);
  }

  /** The peer sends. */
  give(bytes: Uint8Array): void {
    if (this.destroyed) return;
    if (this.#paused) this.#held.push(bytes);
    else this.emit('data', Buffer.from(bytes));
  }

  /** The peer closes its side. */
  giveEnd(): void {
    if (this.destroyed || this.readableEnded) return;
    if (this.#paused) {
      this.#finHeld = true;
      return;
    }
    this.readableEnded = true;
    this.emit('end');
    if (this.writableEnded) this.destroy();
  }

  /** The peer cuts the connection. */
  giveReset(): void {
    if (this.destroyed) return;
    this.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
  }

  write(bytes: string | Uint8Array, encoding: BufferEncoding = 'utf8'): boolean {
    if (this.writableEnded) throw new Error('written behind the end');
    if (!this.destroyed)
      this.#written.push(typeof bytes === 'string' ? Buffer.from(bytes, encoding) : Buffer.from(bytes));
    return true;
  }

  cork(): void {}

  uncork(): void {}

  end(): this {
    this.writableEnded = true;
    if (this.readableEnded) this.destroy();
    return this;
  }

  destroySoon(): void {
    this.writableEnded = true;
    this.destroy();
  }

  destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    process.nextTick(() => {
      if (error !== undefined) this.emit('error', error);
      this.emit('close');
    });
    return this;
  }

  resetAndDestroy(): this {
    if (!this.destroyed) this.wasReset = true;
    return this.destroy();
  }

  pause(): this {
    this.#paused = true;
    return this;
  }

  resume(): this {
    if (!this.#paused) return this;
    this.#paused = false;
    // as a socket does: what has come is told in a later turn
    setImmediate(() => this.#release());
    return this;
  }

  #release(): void {
    while (!this.#paused && !this.destroyed) {
      const bytes = this.#held.shift();
      if (bytes === undefined) break;
      this.emit('data', Buffer.from(bytes));
    }
    if (!this.#paused && this.#finHeld && this.#held.length === 0) {
      this.#finHeld = false;
      this.giveEnd();
    }
  }

  isPaused(): boolean {
    return this.#paused;
  }

  setNoDelay(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
