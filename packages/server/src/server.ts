import {
  AbortError,
  ConfigError,
  describeError,
  type ErrorCode,
  type Exchange,
  type Handler,
  type Limits,
  limitCounts,
  type PeerOptions,
  type ServerProtocol,
} from '@postern/core';
import type { BoundAddress, ListenTarget } from './address.ts';
import type { Chosen } from './auto-connection.ts';
import { isAuto, type Listened } from './auto-protocol.ts';
import { type Clock, systemClock } from './clock.ts';
import { ConnectionList } from './connection-list.ts';
import { DescriptorWatch } from './descriptor-watch.ts';
import { Entrance } from './entrance.ts';
import { foreignProtocols, httpRequestLine } from './foreign-protocols.ts';
import { isHttp } from './http-protocol.ts';
import type { FramedSocket } from './light-socket.ts';
import { type Listener, openListener } from './listener.ts';
import { Load } from './load.ts';
import { errorToStderr, type LogEntry, peerName } from './log.ts';
import type { Sniffer } from './opening.ts';
import { Overflow, type OverflowContext } from './overflow.ts';
import type { ServedConnection } from './served-connection.ts';
import { serverLimits } from './server-limits.ts';
import { SpoolStore } from './spool.ts';
import type { ServerStats } from './stats.ts';
import { StderrLog } from './stderr-log.ts';
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
export class Server implements OverflowContext {
  readonly handler: Handler;
  readonly limits: Limits;
  readonly counts = limitCounts();
  readonly load = new Load();
  readonly mount: string | undefined;
  readonly spools: SpoolStore;
  readonly sniffers: Sniffer[];
  now: number;
  readonly #clock: Clock;
  readonly #onError: (error: unknown, exchange: Exchange | undefined) => void;
  readonly #onLog: (entry: LogEntry) => void;
  readonly #listeners = new Set<Listener>();
  readonly #connections = new ConnectionList();
  readonly #entrance: Entrance;
  readonly #overflow: Overflow;
  readonly #descriptors = new DescriptorWatch();
  #accepted = 0;
  #refused = 0;
  /** When each kind of line was last logged. */
  readonly #logged = new Map<ErrorCode, number>();
  #ticker: { stop(): void } | undefined;
  #closing: Promise<boolean> | undefined;
  #emptied: (() => void) | undefined;

  constructor(handler: Handler, options: ServerOptions = {}) {
    this.handler = handler;
    this.limits = options.limits ?? serverLimits();
    this.mount = options.mount;
    this.sniffers = [...(options.known ?? []), httpRequestLine, ...foreignProtocols];
    this.#clock = options.clock ?? systemClock;
    const stderr = new StderrLog(this.limits, this.counts, this.#clock);
    this.#onError = options.onError ?? stderr.report;
    this.#onLog = options.log ?? stderr.log;
    this.now = this.#clock.now();
    this.spools = new SpoolStore(this);
    this.#entrance = new Entrance(this);
    this.#overflow = new Overflow(this);
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
      framed: !isHttp(protocol) && !isAuto(protocol),
      accept: (socket) => this.accept(socket, protocol, peer),
      turnedAway: (address) => {
        this.#refused++;
        this.warn('ERR_PEER', `allow= does not name ${address}`, name, address);
      },
      acceptFailed: (error) => this.warn('ERR_ACCEPT', describeError(error), name, 'unknown'),
    });
    if (this.#closing !== undefined) {
      listener.close();
      throw new ConfigError('ERR_SHUTDOWN', 'the server was closed before it listened: make a new one');
    }
    this.#listeners.add(listener);
    return listener.address;
  }

  /** Protocols more that the log names: see `known`. */
  know(protocols: readonly ServerProtocol[]): void {
    this.sniffers.push(...protocols);
  }

  /** Serves one connection that was accepted elsewhere, or by `listen`. */
  accept(socket: FramedSocket, protocol: Listened, peer: PeerOptions = {}): void {
    this.now = this.#clock.now();
    const connection = this.#connect(socket, protocol, peer);
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    this.#connections.add(connection);
    this.#lookForDescriptors();
    this.#ticker ??= this.#clock.every(TICK, () => this.#tick());
  }

  /** undefined: there are too many. */
  #connect(socket: FramedSocket, protocol: Listened, peer: PeerOptions): ServedConnection | undefined {
    const { maxConnections } = this.limits;
    const served = this.#connections.size - this.#overflow.size;
    if (this.#closing === undefined && served < maxConnections) {
      this.#accepted++;
      return this.#entrance.connect(socket, protocol, peer);
    }
    this.#refused++;
    if (this.#closing !== undefined) return undefined;
    this.counts.maxConnections++;
    this.warn(
      'ERR_CONNECTIONS',
      `more than ${maxConnections} connections (maxConnections)`,
      protocol.name,
      peerName(socket),
    );
    return this.#overflow.full ? undefined : this.#overflow.connect(socket, protocol, peer);
  }

  chosen(waited: ServedConnection, chosen: Chosen): void {
    this.#entrance.goOn(chosen, (connection) => this.replace(waited, connection));
  }

  replace(waited: ServedConnection, connection: ServedConnection): void {
    this.#connections.add(connection);
    this.#connections.delete(waited);
  }

  refusal(): AbortError | undefined {
    const { maxConcurrent } = this.limits;
    if (this.load.running <= maxConcurrent) return undefined;
    this.counts.maxConcurrent++;
    const message = `more than ${maxConcurrent} requests at once (maxConcurrent)`;
    this.warn('ERR_CONCURRENT', message);
    return new AbortError('ERR_CONCURRENT', message, 503);
  }

  stats(): ServerStats {
    const { begun, running } = this.load;
    return {
      connections: { open: this.#connections.size, accepted: this.#accepted, refused: this.#refused },
      requests: { begun, running },
      limits: { ...this.counts },
    };
  }

  get connections(): number {
    return this.#connections.size;
  }

  #tick(): void {
    this.now = this.#clock.now();
    this.#lookForDescriptors();
    for (const connection of this.#connections) connection.check();
  }

  #lookForDescriptors(): void {
    const code = this.#descriptors.look(this.now);
    if (code === undefined) return;
    this.warn('ERR_ACCEPT', `no more files can be opened (${code}): new connections are closed: raise \`ulimit -n\``);
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
        if (!complete) this.counts.grace++;
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
