import type { Exchange, LimitName, PeerOptions } from '@postern/core';
import type { Seen } from './observe.ts';

/** What must come of an input. A field that is left out may be anything. */
export interface Want {
  /** How many requests the application gets. */
  readonly asked: number;
  /** Each answer: `200`, `200 cut`, `END(3)`; see answers.ts. In any order where several ids are answered. */
  readonly answers: readonly string[];
  /** `open`: it stays; `fin`: our half is closed behind the answer; `close`: it is closed; `reset`: the peer sees an error. */
  readonly closed?: Seen['closed'] | readonly Seen['closed'][];
  /** How many of the requests the application hears to be given up. */
  readonly aborted?: number;
  /** What belongs to no request, in hexadecimal. */
  readonly others?: readonly string[];
  /** The rule that is logged as a warning; null: none. */
  readonly rule?: string | null;
}

/** One row of bad (or odd) input for a server. */
export interface Vector {
  /** The row: vF1, vS1, vA1, vU1, … */
  readonly row: string;
  /** What it is, for the table in the docs. */
  readonly title: string;
  /** The bytes; several inputs by name are run one by one. */
  readonly input: Uint8Array | Readonly<Record<string, Uint8Array>>;
  readonly want: Want;
  readonly limits?: Partial<Record<LimitName, number>>;
  readonly peer?: PeerOptions;
  /** What the application does; without it: reads the body and answers with it, 200. */
  readonly app?: (exchange: Exchange) => void;
  /** What the peer sends behind the input, each when it has been asked for it. */
  readonly later?: readonly Uint8Array[];
  /** The peer's FIN comes behind the input. */
  readonly fin?: boolean;
  /** The peer cuts the connection behind the input. */
  readonly reset?: boolean;
  /** So many milliseconds pass behind the input. */
  readonly pass?: number;
  /** The input ends within something that is not complete: nothing else can be put behind it. */
  readonly open?: boolean;
  /** The input is not run in pieces, or not behind and before others: it takes megabytes, and its pieces were run. */
  readonly wholeOnly?: boolean;
  /** What comes of it depends on what else has come in the same turn: over a socket it is run whole alone. */
  readonly oneTurn?: boolean;
  /** The request that is put beside it; without it that of the protocol. */
  readonly neighbour?: Uint8Array;
  /** Beside what `want` says. `name`: which input. */
  readonly check?: (seen: Seen, name: string) => void;
}

/** An application that answers at once, and reads nothing. */
export function atOnce(exchange: Exchange): void {
  exchange.respond(200, 'OK', ['Content-Type', 'text/plain'], 'at once');
}

/** An application that never answers. */
export function silent(): void {}

/** The application answered once. `closed`: what the server does behind it. */
export function ok(closed: Seen['closed'] = 'fin', more: Partial<Want> = {}): Want {
  return { asked: 1, answers: ['200'], closed, aborted: 0, rule: null, ...more };
}

/** R*nnn*: answered in the protocol, without the application; the connection takes nothing more. */
export function refused(status: number, more: Partial<Want> = {}): Want {
  return { asked: 0, answers: [String(status)], closed: 'fin', others: [], ...more };
}

/** CLOSE: not a byte is written. */
export function shut(more: Partial<Want> = {}): Want {
  return { asked: 0, answers: [], closed: ['close', 'reset'], others: [], ...more };
}

/** ABORT+CLOSE: the request that runs is given up, no end marker is written. */
export function abortAndClose(more: Partial<Want> = {}): Want {
  return { asked: 1, answers: [], closed: ['close', 'reset'], aborted: 1, ...more };
}

/** IGN: nothing is written, and a request behind it is answered. */
export function ignored(more: Partial<Want> = {}): Want {
  return { asked: 0, answers: [], closed: 'open', others: [], rule: null, ...more };
}
