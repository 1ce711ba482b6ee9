import type { Exchange, LimitCounts, Limits, Notice, ReplyEvent } from '@postern/core';
import type { ServerExchange } from './exchange.ts';
import type { Load } from './load.ts';

/** Who waits for room in the queue of its id. */
export interface Waiter {
  /** For room all that was written must have been taken; else there may be less of it than replyHighWater. */
  readonly needsAll?: boolean;
  wake(): void;
}

/** What carries an exchange: a connection of a framed protocol, a request of node:http, the standard streams of CGI. */
export interface ExchangeHost {
  readonly protocol: { readonly name: string; readonly carriesLog?: boolean; readonly carriesUpgrade?: boolean };
  readonly limits: Limits;
  /** The web server, where the address names it. */
  readonly peer?: string;
  readonly context: {
    /** The clock, as of the last tick. */
    readonly now: number;
    readonly mount: string | undefined;
    readonly counts: LimitCounts;
    readonly load: Load;
    report(error: unknown, exchange: Exchange | undefined): void;
  };
  /** @throws LocalProtocolError the event is not allowed in this state */
  send(event: ReplyEvent): void;
  /** 1xx; false: the peer cannot take it. Absent: it goes as an event where it can go. `headers` are checked. */
  inform?(status: number, headers: string[]): boolean;
  /** Body bytes of this id that wait to be taken. */
  queued(id: number): number;
  /** `wake` is to be called on the waiter when the queue of its id has room. */
  awaitDrain(id: number, waiter: Waiter): void;
  /** What is amiss in front, and does no harm here. */
  notice?(notice: Notice): void;
  /** The reader of a body, or of a filter's file, wants more. */
  pull(id: number, of?: 'filter-data'): void;
  /** Writes what is due. */
  flush(): void;
  /** The same at the end of this turn, so that what is sent in it goes out together. */
  flushSoon(): void;
  /** The exchange is over; events for its id are for nobody. */
  release(exchange: ServerExchange): void;
  /** An error that should not be. */
  defect(error: unknown): void;
}
