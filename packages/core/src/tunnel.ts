import { Duplex } from 'node:stream';

/** What carries the bytes of a tunnel between the application and its client. */
export interface TunnelCarrier {
  /** `Tunnel.drained` is called when they are taken. */
  write(chunks: readonly Uint8Array[]): void;
  /** Nothing more is written; what comes is still welcome. */
  endWriting(): void;
  /** More is welcome: what comes is given to `Tunnel.received`. */
  pull(): void;
  /** Nothing more is read or written: what was written still goes; with an error the connection is cut. */
  leave(error: Error | undefined): void;
}

type Done = (error?: Error | null) => void;

/**
 * Raw bytes both ways, behind a 101. Each half ends by itself, as on a `net.Socket` with `allowHalfOpen`: who hears 'end'
 * says `end()` too. An error that nobody listens for is a 'close' alone, for any client can cause one.
 */
export class Tunnel extends Duplex {
  #carrier: TunnelCarrier | undefined;
  /** The callback of a write that waits for room. */
  #waiting: Done | undefined;

  constructor() {
    super({ allowHalfOpen: true, highWaterMark: 65_536 });
  }

  /** The way is open. */
  get opened(): boolean {
    return this.#carrier !== undefined;
  }

  /** The carrier: bytes can go from now on. */
  open(carrier: TunnelCarrier): void {
    this.#carrier = carrier;
    carrier.pull();
  }

  /** The carrier: bytes came, and are the tunnel's own. */
  received(chunk: Uint8Array): void {
    if (!this.destroyed) this.push(chunk);
  }

  /** The carrier: the client sends nothing more. */
  receivedEnd(): void {
    if (!this.destroyed) this.push(null);
  }

  /** The carrier: there is room again. */
  drained(): void {
    const done = this.#waiting;
    this.#waiting = undefined;
    done?.();
  }

  override _read(): void {
    this.#carrier?.pull();
  }

  override _write(chunk: Buffer, _encoding: string, done: Done): void {
    this.#give([chunk], done);
  }

  override _writev(items: { chunk: Buffer }[], done: Done): void {
    this.#give(
      items.map(({ chunk }) => chunk),
      done,
    );
  }

  #give(chunks: readonly Uint8Array[], done: Done): void {
    this.#waiting = done;
    if (this.#carrier === undefined) this.drained();
    else this.#carrier.write(chunks);
  }

  override _final(done: Done): void {
    this.#carrier?.endWriting();
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#carrier?.leave(error ?? undefined);
    this.drained();
    done(this.listenerCount('error') > 0 ? error : null);
  }
}
