import {
  AbortError,
  type ErrorCode,
  type Exchange,
  type Handler,
  type Limits,
  limitCounts,
  type PeerOptions,
} from '@postern/core';
import type { AutoContext, Chosen } from './auto-connection.ts';
import type { Listened } from './auto-protocol.ts';
import { Entrance } from './entrance.ts';
import type { FramedSocket } from './light-socket.ts';
import { Load } from './load.ts';
import type { LogEntry } from './log.ts';
import type { Sniffer } from './opening.ts';
import type { ServedConnection } from './served-connection.ts';
import type { SpoolStore } from './spool.ts';

/** So many connections above maxConnections are told why they are not served. */
const MOST = 64;

/** Whose connections are too many. */
export interface OverflowContext extends AutoContext {
  replace(waited: ServedConnection, connection: ServedConnection): void;
}

/**
 * Connections above maxConnections: they are read as far as the first request, and that is answered 503 in its own
 * protocol, for a connection that is closed without a word makes a web server mark the whole application as down.
 */
export class Overflow implements AutoContext {
  readonly limits: Limits;
  readonly handler: Handler;
  readonly mount: string | undefined;
  readonly spools: SpoolStore;
  readonly sniffers: readonly Sniffer[];
  /** What happens here is in none of the server's numbers. */
  readonly counts = limitCounts();
  readonly load = new Load();
  readonly #server: OverflowContext;
  readonly #entrance: Entrance;
  #size = 0;

  constructor(server: OverflowContext) {
    const { limits, handler, mount, spools, sniffers } = server;
    this.#server = server;
    this.handler = handler;
    this.mount = mount;
    this.spools = spools;
    this.sniffers = sniffers;
    const keepAliveTimeout = Math.min(limits.keepAliveTimeout, limits.headersTimeout);
    this.limits = { ...limits, maxConnectionRequests: 1, keepAliveTimeout };
    this.#entrance = new Entrance(this);
  }

  get full(): boolean {
    return this.#size >= MOST;
  }

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  connect(socket: FramedSocket, protocol: Listened, peer: PeerOptions): ServedConnection {
    this.#size++;
    return this.#entrance.connect(socket, protocol, peer);
  }

  refusal(): AbortError {
    const { maxConnections } = this.limits;
    return new AbortError('ERR_CONNECTIONS', `more than ${maxConnections} connections (maxConnections)`, 503);
  }

  chosen(waited: ServedConnection, chosen: Chosen): void {
    this.#entrance.goOn(chosen, (connection) => this.#server.replace(waited, connection));
  }

  closed(connection: ServedConnection): void {
    this.#size--;
    this.#server.closed(connection);
  }

  get now(): number {
    return this.#server.now;
  }

  report(error: unknown, exchange: Exchange | undefined): void {
    this.#server.report(error, exchange);
  }

  log(entry: LogEntry): void {
    this.#server.log(entry);
  }

  notice(code: ErrorCode, message: string, protocol: string, peer: string): void {
    this.#server.notice(code, message, protocol, peer);
  }
}
