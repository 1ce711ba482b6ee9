import type { Exchange, Limits, ReplyEvent } from '@postern/core';
import type { ServerExchange } from './exchange.ts';
import type { ReplyWriter } from './reply-writer.ts';

/** What carries an exchange: a connection of a framed protocol, a request of node:http, the standard streams of CGI. */
export interface ExchangeHost {
  readonly protocol: { readonly name: string; readonly carriesLog?: boolean };
  readonly limits: Limits;
  readonly context: {
    /** The clock, as of the last tick. */
    readonly now: number;
    readonly mount: string | undefined;
    report(error: unknown, exchange: Exchange | undefined): void;
  };
  /** @throws LocalProtocolError the event is not allowed in this state */
  send(event: ReplyEvent): void;
  /** 1xx; false: the peer cannot take it. Absent: nothing of the kind can be sent. `headers` are checked. */
  inform?(status: number, headers: string[]): boolean;
  /** Body bytes of this id that wait to be taken. */
  queued(id: number): number;
  /** `wake` is to be called on the writer when the queue of its id has room. */
  awaitDrain(id: number, writer: ReplyWriter): void;
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
