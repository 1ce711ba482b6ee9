import type { Socket } from 'node:net';
import type { LimitCounts, Limits, Output, ServerConnection } from '@postern/core';
import type { Waiter } from './exchange-host.ts';
import { type FramedSocket, LightSocket } from './light-socket.ts';
import { bytesTaken, bytesUnsent, resetSocket } from './socket-handle.ts';
import type { WatchedOutlet } from './watchdog.ts';
import { canWriteAtOnce, writeAtOnce } from './write-at-once.ts';

/** How much is taken out of a connection for one write, in bytes. */
const BUDGET = 262_144;

/** The writing side of one socket, up to its end. */
export class Outlet implements WatchedOutlet {
  readonly #socket: FramedSocket;
  readonly #connection: ServerConnection;
  readonly #atOnce: boolean;
  /** Who waits for room, by id. */
  #waiting: Map<number, Waiter> | undefined;
  #blocked = false;
  /** Bytes thrown away since our half was closed; -1: it is open. */
  #lingered = -1;

  constructor(socket: FramedSocket, connection: ServerConnection) {
    this.#socket = socket;
    this.#connection = connection;
    this.#atOnce = canWriteAtOnce(socket);
  }

  /** The socket holds enough for now. */
  get blocked(): boolean {
    return this.#blocked;
  }

  unblock(): void {
    this.#blocked = false;
  }

  /** Writes what is due, as long as the socket takes it. */
  writeOut(): void {
    if (this.#lingered >= 0) return;
    while (!this.#blocked) {
      const output = this.#connection.takeOutput(BUDGET);
      if (output === undefined) return;
      this.write(output);
    }
  }

  /** One write, or one vector of writes. */
  write(output: Output): void {
    if (this.#socket instanceof LightSocket) {
      this.#blocked = !this.#socket.write(output);
      return;
    }
    const socket = this.#socket as Socket;
    if (typeof output === 'string') {
      const gone = this.#atOnce ? writeAtOnce(socket, output) : undefined;
      this.#blocked = !(gone ?? socket.write(output, 'latin1'));
    } else if (!Array.isArray(output)) this.#blocked = !socket.write(output);
    else {
      socket.cork();
      for (const piece of output) socket.write(piece);
      socket.uncork();
      this.#blocked = socket.writableNeedDrain;
    }
  }

  awaitDrain(id: number, waiter: Waiter): void {
    this.#waiting ??= new Map();
    this.#waiting.set(id, waiter);
  }

  forget(id: number): void {
    this.#waiting?.delete(id);
  }

  /** Tells those whose own queue has room. */
  wakeWriters(replyHighWater: number): void {
    const waiting = this.#waiting;
    if (waiting === undefined || waiting.size === 0) return;
    // who waits again while it is told has its turn next time
    for (const [id, waiter] of [...waiting]) {
      if (waiter.needsAll && this.#blocked) continue;
      if (this.#connection.queued(id) >= (waiter.needsAll ? 1 : replyHighWater)) continue;
      if (waiting.get(id) !== waiter) continue;
      waiting.delete(id);
      waiter.wake();
    }
  }

  /** Something that was written has not gone to the kernel. */
  get unsent(): boolean {
    return bytesUnsent(this.#socket) > 0;
  }

  /** How many bytes the kernel has taken since the beginning. */
  get taken(): number {
    return bytesTaken(this.#socket);
  }

  /** Our half is closed, what the peer still sends is thrown away. */
  get lingering(): boolean {
    return this.#lingered >= 0;
  }

  /** Closes our half behind what was written, and reads on. */
  endHalf(): void {
    if (!this.#blocked && !this.#socket.writableEnded) this.#socket.end();
  }

  /**
   * Closes our half, then drains what the peer still sends: a close with unread input would take the reply from it.
   * @param quiet nothing is on its way, or may be: there is nothing to drain
   */
  linger(quiet: boolean): void {
    this.#lingered = 0;
    if (quiet || this.#socket.readableEnded) this.#socket.destroySoon();
    else {
      this.#socket.end();
      this.#socket.resume();
    }
  }

  /** Above lingerBytes nothing more is read, but the peer keeps the time to read what it was sent. */
  throwAway(bytes: number, { limits, counts }: { readonly limits: Limits; readonly counts: LimitCounts }): void {
    this.#lingered += bytes;
    if (this.#lingered <= limits.lingerBytes) return;
    counts.lingerBytes++;
    this.#socket.pause();
  }

  /** Cuts the connection so that the peer cannot take what it has for complete. */
  reset(): void {
    const socket = this.#socket;
    if (socket instanceof LightSocket) socket.resetAndDestroy();
    else resetSocket(socket as Socket, socket.remoteAddress !== undefined);
  }
}
