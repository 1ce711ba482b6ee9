import type { Chunk } from './application.ts';
import type { ErrorCode } from './errors.ts';
import type { Role } from './exchange.ts';
import type { RequestHead } from './head.ts';
import type { LimitCounts, Limits } from './limits.ts';

/** What a server hears. `chunk` is a view of received bytes, not a copy. */
export type RequestEvent =
  /** The head is complete. `ended`: it has no body, or all of it has come: no `end` follows. */
  | {
      readonly type: 'request';
      readonly id: number;
      readonly role: Role;
      readonly head: RequestHead;
      readonly ended: boolean;
      /** Of a filter: the bytes of its file; -1: not stated. `filter-end` follows in any case, unless it breaks off. */
      readonly dataLength?: number;
    }
  /** Of the body; behind an `upgrade`, of what the connection has become: there `end` is that half's end alone. */
  | { readonly type: 'data'; readonly id: number; readonly chunk: Uint8Array }
  | { readonly type: 'end'; readonly id: number }
  /** The file that a filter works on comes behind its body. */
  | { readonly type: 'filter-data'; readonly id: number; readonly chunk: Uint8Array }
  | { readonly type: 'filter-end'; readonly id: number }
  /** The body, or the file of a filter, broke off; the peer can still be answered. */
  | { readonly type: 'body-error'; readonly id: number; readonly error: Error }
  /** The peer gave the request up; nothing more is written for it. */
  | { readonly type: 'abort'; readonly id: number; readonly error: Error };

/** What a server says. `headers` are flat [name, value, …], checked already. */
export type ReplyEvent =
  /** A whole reply in memory, the body at most 64 KiB: one piece, one write. */
  | {
      readonly type: 'whole';
      readonly id: number;
      readonly status: number;
      readonly reason: string;
      readonly headers: string[];
      readonly body: Chunk | null;
      /** The bytes of the body, where they were counted already. */
      readonly size?: number;
    }
  | {
      readonly type: 'head';
      readonly id: number;
      readonly status: number;
      readonly reason: string;
      readonly headers: string[];
    }
  /** 102 or 103, in front of the reply: for web servers alone that pass it on (see `carriesInterim`). */
  | {
      readonly type: 'interim';
      readonly id: number;
      readonly status: number;
      readonly reason: string;
      readonly headers: string[];
    }
  /** 101: what follows as `data` is raw, and what comes too. Only for a request that asks for it (see `upgradeAsked`). */
  | {
      readonly type: 'upgrade';
      readonly id: number;
      readonly status: number;
      readonly reason: string;
      readonly headers: string[];
    }
  /** Behind an `upgrade`: nothing more is written, what comes is still read. `end` is the end of both. */
  | { readonly type: 'half-end'; readonly id: number }
  | { readonly type: 'data'; readonly id: number; readonly chunk: Chunk }
  /** What was written so far is not to be held back by the web server. */
  | { readonly type: 'flush'; readonly id: number }
  | { readonly type: 'end'; readonly id: number }
  /** For the web server's error log. */
  | { readonly type: 'log'; readonly id: number; readonly text: string }
  /** The reply broke off after its head: the peer must not take it for complete. */
  | { readonly type: 'abort'; readonly id: number };

/** What a client hears of a reply. */
export type AnswerEvent =
  | {
      readonly type: 'head';
      readonly id: number;
      readonly status: number;
      readonly reason: string;
      readonly headers: string[];
    }
  | { readonly type: 'data'; readonly id: number; readonly chunk: Uint8Array }
  | { readonly type: 'log'; readonly id: number; readonly chunk: Uint8Array }
  /** The id is free; also behind an abort, where the protocol goes on then. `reuse`: the connection takes a further request. */
  | { readonly type: 'end'; readonly id: number; readonly reuse: boolean }
  /** The back-end is alive. */
  | { readonly type: 'pong'; readonly id: number }
  /** What the back-end says of itself: flat [name, value, …], and how many requests one connection carries at once. */
  | { readonly type: 'values'; readonly id: number; readonly values: string[]; readonly atOnce: number };

/** What a client says. `variables` are flat CGI [name, value, …], bytes as latin-1. */
export type AskEvent =
  | {
      readonly type: 'request';
      readonly id: number;
      /** Without it a responder's. Another one needs a protocol with roles: FastCGI. */
      readonly role?: Role;
      readonly variables: readonly string[];
      readonly keep: boolean;
    }
  | { readonly type: 'data'; readonly id: number; readonly chunk: Uint8Array }
  | { readonly type: 'end'; readonly id: number }
  /** What a filter is to work on, behind the body. */
  | { readonly type: 'filter-data'; readonly id: number; readonly chunk: Uint8Array }
  | { readonly type: 'filter-end'; readonly id: number }
  | { readonly type: 'abort'; readonly id: number }
  /** Asks whether the back-end is alive, where the protocol can: AJP's CPING, uwsgi's ping. */
  | { readonly type: 'ping'; readonly id: number }
  /** Asks the back-end what it can, where the protocol can: FastCGI's GET_VALUES. The id is the caller's own. */
  | { readonly type: 'values'; readonly id: number };

/** Bytes that are due on the wire. A string holds bytes as latin-1. */
export type Output = string | Uint8Array | Uint8Array[];

/**
 * One side of one connection, without a socket, a clock or a promise: bytes in, events out; events in, bytes out.
 * Driven by `server`, `client`, and by tests.
 */
export interface Connection<In, Out> {
  /** Keeps the bytes for `next`. Never throws. The chunk must not change afterwards (a server's: before `retain`). */
  receive(chunk: Uint8Array): void;
  /** The peer's FIN. */
  receiveEnd(): void;
  /**
   * One event; undefined: more bytes are needed, or `pull`.
   * @throws RemoteProtocolError once for each broken rule; see its `scope`
   */
  next(): In | undefined;
  /** The consumer has taken what it was given of this body, or of this filter's file, and wants more. */
  pull(id: number, of?: 'filter-data'): void;
  /** @throws LocalProtocolError the event is not allowed in this state */
  send(event: Out): void;
  /** Body bytes of this id that wait to be taken. */
  queued(id: number): number;
  /** What is due on the wire, automatic answers included, at most about `budget` bytes. */
  takeOutput(budget: number): Output | undefined;
  /** Bytes from the socket are welcome; false: a body waits for `pull`. */
  readonly wantsRead: boolean;
  /** After the output: `half` half-closes and reads on, `fin` half-closes and drains, `reset` lets the peer see an error. */
  readonly wantsClose: false | 'half' | 'fin' | 'reset';
}

/** What a web server does amiss without harm: it goes on, and the operator is told. */
export interface Notice {
  readonly code: ErrorCode;
  readonly message: string;
}

export interface ServerConnection extends Connection<RequestEvent, ReplyEvent> {
  /** What was noticed since the last call, each kind once on a connection. */
  takeNotice?(): Notice | undefined;
  /** The id whose body waits for `pull`, so that nothing more is read; 0: none. Absent: one request at a time. */
  readonly blocker?: number;
  /** Whether a body that blocks keeps others waiting: `yes`, several ran at once; `maybe`, the peer may send them so. */
  readonly sharing?: 'no' | 'maybe' | 'yes';
  /** The memory of the chunk that was received last is about to be used again: what is still needed of it is copied. */
  retain(): void;
  /** No request is open and none has begun. */
  readonly idle: boolean;
  /** The peer has sent all that it may: with `fin` nothing is lost when the connection is closed at once. */
  readonly allReceived?: boolean;
  /** A request has begun and its head is not complete. */
  readonly headPending: boolean;
  /** The clock ran out on the heads that have begun: 408 where the protocol can say it, else the connection closes. */
  expireHeads(): void;
  /** No further request: what runs ends as it would, then `wantsClose`. */
  shutdown(): void;
  /** Ten seconds have passed: what is counted by the time begins anew. */
  renewBudgets?(): void;
}

/** An error with the scope `request` is the failure of that id alone: its `end` follows, and the others go on. */
export interface ClientConnection extends Connection<AnswerEvent, AskEvent> {
  /** A further request can be sent now: beside those that run, where the protocol can. */
  readonly ready: boolean;
}

/** What a listener's address says of its peer; a protocol reads what concerns it. */
export interface PeerOptions {
  /** The web server in front, where the address names it. */
  readonly peer?: string;
  /** FastCGI: what the application can be asked as; without it as a responder alone. */
  readonly roles?: readonly Role[];
  /** A FIN behind a complete request is a half-close, not the peer's leaving. */
  readonly halfCloseServes?: boolean;
  /** What a specification demands and web servers leave out is demanded: SCGI=1 among the variables. */
  readonly strict?: boolean;
  /** AJP: a packet with its header, in bytes. */
  readonly packetSize?: number;
  /** AJP: what each request must carry, bytes as latin-1. */
  readonly secret?: string;
  /** AJP: REMOTE_USER and AUTH_TYPE reach the application. */
  readonly trustRemoteUser?: boolean;
  /** AJP: names of request attributes that are let in beside the usual ones, each as a variable of its own. */
  readonly attributes?: readonly string[];
}

/** What an address says of the back-end to connect to. */
export interface BackEndOptions {
  /** AJP: a packet with its header, in bytes. */
  readonly packetSize?: number;
  /** AJP: sent with each request, bytes as latin-1. */
  readonly secret?: string;
  /** FastCGI, SCGI: a reply may begin with HTTP's status line in the place of Status, as NPH scripts send it. */
  readonly nph?: boolean;
}

export interface ServerProtocol {
  readonly name: string;
  /** A `log` event reaches the web server's error log; without it the server writes to its own. */
  readonly carriesLog?: boolean;
  /** An `upgrade` event can be sent. */
  readonly carriesUpgrade?: boolean;
  /** Whether the first bytes of a connection are this protocol's. */
  sniff(bytes: Uint8Array): 'yes' | 'no' | 'more';
  /** @param counts where the limits are counted that are no errors */
  server(limits: Limits, peer?: PeerOptions, counts?: LimitCounts): ServerConnection;
}

export interface ClientProtocol {
  readonly name: string;
  client(limits: Limits, options?: BackEndOptions): ClientConnection;
}

/** A protocol with both sides. */
export type Protocol = ServerProtocol & ClientProtocol;
