import type { AbortError, ErrorCode, Exchange, Handler, LimitCounts, Limits } from '@postern/core';
import type { Load } from './load.ts';
import type { LogEntry } from './log.ts';
import type { Sniffer } from './opening.ts';
import type { SpoolStore } from './spool.ts';

/** One connection, as the server that has it sees it. */
export interface ServedConnection {
  /** Where the list of the server has it; -1: it has not. */
  place: number;
  /** Nothing runs and nothing has begun. */
  readonly idle: boolean;
  /** Something is lost when it is cut. */
  readonly busy: boolean;
  /** The clock ticked. */
  check(): void;
  /** No further request: what runs ends as it would, then the connection closes. */
  retire(): void;
  /** What runs is cut, and must not look complete. */
  cut(error: AbortError): void;
}

/** What all connections of a server share. */
export interface ServerContext {
  readonly handler: Handler;
  readonly limits: Limits;
  readonly counts: LimitCounts;
  readonly load: Load;
  readonly mount: string | undefined;
  readonly spools: SpoolStore;
  /** Tell what a peer speaks that does not speak what is served. */
  readonly sniffers: readonly Sniffer[];
  /** The clock, as of the last tick. */
  readonly now: number;
  /** Why a request that has just begun does not come to the application; undefined: it does. */
  refusal(): AbortError | undefined;
  report(error: unknown, exchange: Exchange | undefined): void;
  log(entry: LogEntry): void;
  notice(code: ErrorCode, message: string, protocol: string, peer: string): void;
  closed(connection: ServedConnection): void;
}
