import type { Socket } from 'node:net';
import {
  AbortError,
  type Exchange,
  type Handler,
  type Limits,
  limitsWith,
  type PeerOptions,
  type ServerProtocol,
} from '@postern/core';
import type { BoundAddress, ListenTarget } from './address.ts';
import { type Clock, systemClock } from './clock.ts';
import { Driver, type DriverContext } from './driver.ts';
import { type Listener, openListener } from './listener.ts';
import { errorToStderr, type LogEntry, logToStderr } from './log.ts';

export interface ServerOptions {
  readonly limits?: Limits;
  /** The prefix under which the application is mounted: '' or '/prefix'. */
  readonly mount?: string;
  /** The application's failures; without it they go to stderr. */
  readonly onError?: (error: unknown, exchange: Exchange | undefined) => void;
  /** What peers did wrong; without it warnings go to stderr. */
  readonly log?: (entry: LogEntry) => void;
  readonly clock?: Clock;
}

/** How often silence is looked for, in milliseconds. */
const TICK = 250;

/** Serves one handler on any number of addresses and protocols. */
export class Server implements DriverContext {
  readonly handler: Handler;
  readonly limits: Limits;
  readonly mount: string | undefined;
  now: number;
  readonly #clock: Clock;
  readonly #onError: (error: unknown, exchange: Exchange | undefined) => void;
  readonly #onLog: (entry: LogEntry) => void;
  readonly #listeners = new Set<Listener>();
  readonly #drivers = new Set<Driver>();
  #ticker: { stop(): void } | undefined;
  #closing: Promise<boolean> | undefined;
  #emptied: (() => void) | undefined;

  constructor(handler: Handler, options: ServerOptions = {}) {
    this.handler = handler;
    this.limits = options.limits ?? limitsWith();
    this.mount = options.mount;
    this.#clock = options.clock ?? systemClock;
    this.#onError = options.onError ?? errorToStderr;
    this.#onLog = options.log ?? logToStderr;
    this.now = this.#clock.now();
  }

  /**
   * @param peer what the address says of the web server in front
   * @throws ConfigError: what cannot be bound, where, and what to do; nothing is left behind
   */
  async listen(protocol: ServerProtocol, target: ListenTarget, peer: PeerOptions = {}): Promise<BoundAddress> {
    const listener = await openListener(target, this.limits.maxConnections, (socket) =>
      this.accept(socket, protocol, peer),
    );
    this.#listeners.add(listener);
    this.#ticker ??= this.#clock.every(TICK, () => this.#tick());
    return listener.address;
  }

  /** Serves one connection that was accepted elsewhere. */
  accept(socket: Socket, protocol: ServerProtocol, peer: PeerOptions = {}): void {
    this.now = this.#clock.now();
    this.#drivers.add(new Driver(this, socket, protocol, peer));
  }

  get connections(): number {
    return this.#drivers.size;
  }

  #tick(): void {
    this.now = this.#clock.now();
    for (const driver of this.#drivers) driver.check();
  }

  /**
   * Stops accepting, finishes what runs.
   * @param grace milliseconds; after that what runs is cut
   * @returns false: the grace ran out
   */
  close(grace: number = this.limits.grace): Promise<boolean> {
    this.#closing ??= this.#close(grace);
    return this.#closing;
  }

  async #close(grace: number): Promise<boolean> {
    for (const listener of this.#listeners) listener.close();
    this.#listeners.clear();
    for (const driver of this.#drivers) driver.shutdown();
    let complete = true;
    if (this.#drivers.size > 0) {
      const empty = new Promise<void>((resolve) => {
        this.#emptied = resolve;
      });
      const timer = this.#clock.after(grace, () => {
        complete = false;
        this.closeAll();
      });
      await empty;
      timer.stop();
    }
    this.#ticker?.stop();
    return complete;
  }

  /** Closes the connections on which nothing runs. */
  closeIdle(): void {
    for (const driver of this.#drivers) if (driver.idle) driver.shutdown();
  }

  /** Cuts every connection. */
  closeAll(): void {
    for (const driver of this.#drivers) driver.destroy(new AbortError('ERR_SHUTDOWN', 'the server stops'));
  }

  /** Listening keeps the process alive. */
  ref(): void {
    for (const { server } of this.#listeners) server.ref();
  }

  unref(): void {
    for (const { server } of this.#listeners) server.unref();
  }

  report(error: unknown, exchange: Exchange | undefined): void {
    try {
      this.#onError(error, exchange);
    } catch (second) {
      errorToStderr(second, exchange);
    }
  }

  log(entry: LogEntry): void {
    this.#onLog(entry);
  }

  closed(driver: Driver): void {
    this.#drivers.delete(driver);
    if (this.#drivers.size === 0) this.#emptied?.();
  }
}
