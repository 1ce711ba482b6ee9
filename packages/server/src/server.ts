import type { Socket } from 'node:net';
import {
  AbortError,
  ConfigError,
  describeError,
  type ErrorCode,
  type Exchange,
  type Handler,
  type Limits,
  limitsWith,
  type PeerOptions,
  type ServerProtocol,
} from '@postern/core';
import type { BoundAddress, ListenTarget } from './address.ts';
import { AutoConnection, type AutoContext, type Chosen } from './auto-connection.ts';
import { isAuto, type Listened } from './auto-protocol.ts';
import { type Clock, systemClock } from './clock.ts';
import { Driver } from './driver.ts';
import { foreignProtocols, httpRequestLine } from './foreign-protocols.ts';
import { HttpDoor } from './http-door.ts';
import { type HttpProtocol, isHttp } from './http-protocol.ts';
import { type Listener, openListener } from './listener.ts';
import { errorToStderr, type LogEntry, logToStderr, peerName } from './log.ts';
import type { Sniffer } from './opening.ts';
import type { ServedConnection } from './served-connection.ts';
import { SpoolStore } from './spool.ts';
import { TICK } from './watchdog.ts';

export interface ServerOptions {
  readonly limits?: Limits;
  /** The prefix under which the application is mounted: '' or '/prefix'. */
  readonly mount?: string;
  /** The application's failures; without it they go to stderr. */
  readonly onError?: (error: unknown, exchange: Exchange | undefined) => void;
  /** What peers did wrong; without it warnings go to stderr. */
  readonly log?: (entry: LogEntry) => void;
  readonly clock?: Clock;
  /** Protocols that the log names where a peer speaks one of them, and it is not served there. */
  readonly known?: readonly ServerProtocol[];
}

/** What any stranger can cause is logged once in so many milliseconds. */
const LOG_PAUSE = 1000;
/** What a web server does with every request, by the way it is set up, once in so many. */
const NOTICE_PAUSE = 600_000;

/** Serves one handler on any number of addresses and protocols. */
export class Server implements AutoContext {
  readonly handler: Handler;
  readonly limits: Limits;
  readonly mount: string | undefined;
  readonly spools: SpoolStore;
  readonly sniffers: readonly Sniffer[];
  now: number;
  readonly #clock: Clock;
  readonly #onError: (error: unknown, exchange: Exchange | undefined) => void;
  readonly #onLog: (entry: LogEntry) => void;
  readonly #listeners = new Set<Listener>();
  readonly #connections = new Set<ServedConnection>();
  /** One for each way to speak HTTP. */
  readonly #doors = new Map<HttpProtocol, HttpDoor>();
  /** When each kind of line was last logged. */
  readonly #logged = new Map<ErrorCode, number>();
  #ticker: { stop(): void } | undefined;
  #closing: Promise<boolean> | undefined;
  #emptied: (() => void) | undefined;

  constructor(handler: Handler, options: ServerOptions = {}) {
    this.handler = handler;
    this.limits = options.limits ?? limitsWith();
    this.mount = options.mount;
    this.sniffers = [...(options.known ?? []), httpRequestLine, ...foreignProtocols];
    this.#clock = options.clock ?? systemClock;
    this.#onError = options.onError ?? errorToStderr;
    this.#onLog = options.log ?? logToStderr;
    this.now = this.#clock.now();
    this.spools = new SpoolStore(this);
  }

  /**
   * @param peer what the address says of the web server in front
   * @throws ConfigError: what cannot be bound, where, and what to do; ERR_SHUTDOWN: the server was closed; nothing is
   * left behind
   */
  async listen(protocol: Listened, target: ListenTarget, peer: PeerOptions = {}): Promise<BoundAddress> {
    const { name } = protocol;
    // what cannot be is told now, and not to the first peer that connects
    for (const framed of framedOf(protocol)) framed.server(this.limits, peer);
    const listener = await openListener(target, {
      // over HTTP the peer is the client itself; and who shows a secret may say who the client is
      open: isHttp(protocol) || (peer.secret !== undefined && !isAuto(protocol)),
      accept: (socket) => this.accept(socket, protocol, peer),
      turnedAway: (address) => this.warn('ERR_PEER', `allow= does not name ${address}`, name, address),
      acceptFailed: (error) => this.warn('ERR_ACCEPT', describeError(error), name, 'unknown'),
    });
    if (this.#closing !== undefined) {
      listener.close();
      throw new ConfigError('ERR_SHUTDOWN', 'the server was closed before it listened: make a new one');
    }
    this.#listeners.add(listener);
    return listener.address;
  }

  /** Serves one connection that was accepted elsewhere, or by `listen`. */
  accept(socket: Socket, protocol: Listened, peer: PeerOptions = {}): void {
    this.now = this.#clock.now();
    const { maxConnections } = this.limits;
    if (this.#closing !== undefined || this.#connections.size >= maxConnections) {
      if (this.#closing === undefined) {
        const message = `more than ${maxConnections} connections (maxConnections)`;
        this.warn('ERR_CONNECTIONS', message, protocol.name, peerName(socket));
      }
      socket.destroy();
      return;
    }
    this.#connections.add(this.#connection(socket, protocol, peer));
    this.#ticker ??= this.#clock.every(TICK, () => this.#tick());
  }

  #connection(socket: Socket, protocol: Listened, peer: PeerOptions): ServedConnection {
    if (isHttp(protocol)) return this.#door(protocol, peer).accept(socket);
    if (isAuto(protocol)) return new AutoConnection(this, socket, protocol, peer);
    return new Driver(this, socket, protocol, peer);
  }

  /** A connection on an address with `auto` goes on in its protocol, in the same turn. */
  chosen(waited: ServedConnection, { socket, protocol, peer, since, held, chunk, retired }: Chosen): void {
    let connection: ServedConnection;
    if (isHttp(protocol)) {
      const door = this.#door(protocol, peer);
      const http = door.open(socket, since);
      this.#replace(waited, http);
      door.begin(socket, held === undefined ? chunk : Buffer.concat([held, chunk]));
      connection = http;
    } else {
      const driver = new Driver(this, socket, protocol, peer, since);
      this.#replace(waited, driver);
      if (held !== undefined) driver.receive(held, false);
      driver.receive(chunk, false);
      connection = driver;
    }
    if (retired) connection.retire();
  }

  #replace(waited: ServedConnection, connection: ServedConnection): void {
    this.#connections.add(connection);
    this.#connections.delete(waited);
  }

  #door(protocol: HttpProtocol, peer: PeerOptions): HttpDoor {
    let door = this.#doors.get(protocol);
    if (door === undefined) {
      door = new HttpDoor(this, protocol, peer);
      this.#doors.set(protocol, door);
    }
    return door;
  }

  get connections(): number {
    return this.#connections.size;
  }

  #tick(): void {
    this.now = this.#clock.now();
    for (const connection of this.#connections) connection.check();
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
    for (const connection of this.#connections) connection.retire();
    let complete = true;
    if (this.#connections.size > 0) {
      const empty = new Promise<void>((resolve) => {
        this.#emptied = resolve;
      });
      const timer = this.#clock.after(grace, () => {
        // a peer that only does not close its side loses nothing
        for (const connection of this.#connections) if (connection.busy) complete = false;
        this.closeAll();
      });
      await empty;
      timer.stop();
    }
    return complete;
  }

  /** Closes the connections on which nothing runs. */
  closeIdle(): void {
    for (const connection of this.#connections) if (connection.idle) connection.retire();
  }

  /** Cuts every connection. */
  closeAll(): void {
    for (const connection of this.#connections) connection.cut(new AbortError('ERR_SHUTDOWN', 'the server stops'));
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
      errorToStderr(error, exchange);
      errorToStderr(second, undefined);
    }
  }

  log(entry: LogEntry): void {
    try {
      this.#onLog(entry);
    } catch (error) {
      errorToStderr(error, undefined);
    }
  }

  /** What concerns no peer in particular, or any: one line of a kind in a second. */
  warn(code: ErrorCode, message: string, protocol = '-', peer = '-'): void {
    if (this.#isDue(code, LOG_PAUSE)) this.log({ level: 'warn', event: 'limit', code, message, protocol, peer });
  }

  notice(code: ErrorCode, message: string, protocol: string, peer: string): void {
    if (this.#isDue(code, NOTICE_PAUSE))
      this.log({ level: 'warn', event: 'protocol_error', code, message, protocol, peer });
  }

  #isDue(code: ErrorCode, pause: number): boolean {
    const now = this.#clock.now();
    const latest = this.#logged.get(code);
    if (latest !== undefined && now - latest < pause) return false;
    this.#logged.set(code, now);
    return true;
  }

  closed(connection: ServedConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    this.#ticker?.stop();
    this.#ticker = undefined;
    this.#emptied?.();
  }
}

function framedOf(protocol: Listened): readonly ServerProtocol[] {
  if (isAuto(protocol)) return protocol.framed;
  return isHttp(protocol) ? [] : [protocol];
}
