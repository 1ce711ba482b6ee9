import type { Chunk } from './application.ts';
import type { Environ } from './environ.ts';
import type { RequestHead } from './head.ts';
import type { RequestBody } from './request-body.ts';
import type { Tunnel } from './tunnel.ts';

/** FastCGI 1.0 §6.1; every other protocol has responders alone. */
export type Role = 'responder' | 'authorizer' | 'filter';

/** The web server's error log where the protocol reaches it (FastCGI's STDERR), else the process's own. */
export interface ErrorSink {
  write(text: string): void;
}

/**
 * The waist: one request and its reply, protocol and transport erased. All three kinds of application are adapters onto
 * it, all protocols are served through it.
 */
export interface Exchange {
  /** The request id on its connection. */
  readonly id: number;
  readonly protocol: string;
  readonly role: Role;
  readonly head: RequestHead;
  /** Built on first touch. */
  readonly environ: Environ;
  readonly input: RequestBody;
  /** All of the body has come. Does not build `input`. */
  readonly inputComplete: boolean;
  /** What a filter works on; undefined in any other role. A body that is not read does not hold it back. */
  readonly data?: RequestBody;
  readonly errors: ErrorSink;
  /** Fires when the peer leaves or a clock runs out; its reason is an AbortError. Created on first touch. */
  readonly signal: AbortSignal;
  /** Nobody is there to be answered any more, or the reply is complete. */
  readonly over: boolean;
  /** The head of the reply has been sent. */
  readonly started: boolean;
  /** Called once when the exchange is over: `error` is undefined when the reply was complete. */
  onOver(listener: (error: Error | undefined) => void): void;
  /**
   * The whole reply. `headers` are flat [name, value, …].
   * @throws LocalProtocolError a header, the status or the length is not allowed; nothing was sent then
   */
  respond(status: number, reason: string, headers: string[], body: Chunk | null): void;
  /** The head of a reply whose body follows. @throws as `respond` */
  start(status: number, reason: string, headers: string[]): BodyWriter;
  /** 1xx; false where the protocol or the peer cannot carry it. */
  inform(status: number, headers: string[]): boolean;
  /**
   * The request asks for an upgrade, and it can be had. Where it asks and the web server in front is known not to carry
   * one, the log says which setting is missing.
   */
  readonly upgradable: boolean;
  /**
   * 101, then raw bytes both ways. undefined: it is not `upgradable`, and the client was answered 501.
   * @param tunnel what becomes the application's end; without it a new one
   * @throws LocalProtocolError ERR_UPGRADE: the request asks for none, or the status is another; as `respond`
   */
  upgrade(status: number, headers: string[], tunnel?: Tunnel): Tunnel | undefined;
  /** Never throws: 500 if nothing was sent, else this reply is broken off; the cause goes to the operator. */
  fail(error: unknown): void;
}

/** The body of one reply, after its head. */
export interface BodyWriter {
  /** The exchange is over: what is written is thrown away. */
  readonly closed: boolean;
  /**
   * False: this reply's own queue is above its limit; wait for `onDrain`.
   * @throws LocalProtocolError ERR_WRITE_AFTER_END; ERR_BODY_LONG: more bytes than Content-Length
   */
  write(chunk: Chunk): boolean;
  /** Asks the web server not to hold back what was written. */
  flush(): void;
  /** Fewer bytes than Content-Length: the reply is broken off, not ended. */
  end(): void;
  /** Breaks the reply off. */
  destroy(error?: unknown): void;
  /** Called once when there is room again, or when the exchange is over. */
  onDrain(listener: () => void): void;
}

/**
 * Serves a request. A promise that it returns stands for the work of the application: as long as it is not settled that
 * goes on, also where nobody is there to be answered any more.
 */
export type Handler = (exchange: Exchange) => unknown;
