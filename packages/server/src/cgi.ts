import type { Readable, Writable } from 'node:stream';
import {
  type AbortError,
  abortedError,
  CgiHead,
  cgiReplyHead,
  type ErrorCode,
  type Exchange,
  type Handler,
  type Limits,
  LocalProtocolError,
  limitCounts,
  limitsWith,
  type Notice,
  RemoteProtocolError,
  reasonOf,
} from '@postern/core';
import { initialEnvironment, requestVariables } from './cgi-environment.ts';
import { CgiHost } from './cgi-host.ts';
import { type Clock, systemClock } from './clock.ts';
import { ServerExchange } from './exchange.ts';
import { Load } from './load.ts';
import { errorToStderr, type LogEntry, logToStderr } from './log.ts';
import { handOver } from './running.ts';
import { checkExchange, TICK } from './watchdog.ts';

export interface CgiOptions {
  readonly limits?: Limits;
  /** The prefix under which the application is mounted: '' or '/prefix'. Without it SCRIPT_NAME is what it says. */
  readonly mount?: string;
  /** The application's failures; without it they go to stderr, which the web server logs. */
  readonly onError?: (error: unknown, exchange: Exchange | undefined) => void;
  /** What was wrong with the request, and what a clock ended; without it warnings go to stderr. */
  readonly log?: (entry: LogEntry) => void;
  readonly clock?: Clock;
  /** Flat [name, value, …], bytes as latin-1; without it the process's own. */
  readonly environment?: readonly string[];
  readonly stdin?: () => Readable;
  /** Where the reply goes; without it the process's own, which nothing else may be written to. */
  readonly stdout?: Writable;
}

/** A reply as a CGI process writes it where it has none of the application. */
export function plainCgiReply(status: number): string {
  return `${cgiReplyHead(status, reasonOf(status), ['Content-Type', 'text/plain'])}${status} ${reasonOf(status)}\n`;
}

/** Whether the process was started as a CGI program. */
export function isCgi(env: NodeJS.ProcessEnv = process.env): boolean {
  return env.GATEWAY_INTERFACE !== undefined && env.REQUEST_METHOD !== undefined;
}

/** The one request of a process that was started as a CGI program (RFC 3875). */
export class CgiRequest {
  /**
   * Resolves when all of the reply has been taken: true when it is complete, or the web server has left; false when the
   * application failed, or the reply broke off, or it was given up. Never rejects.
   */
  readonly done: Promise<boolean>;
  readonly #limits: Limits;
  readonly #log: (entry: LogEntry) => void;
  readonly #stdout: Writable;
  #exchange: ServerExchange | undefined;
  #failed = false;
  /** Nobody reads the reply. */
  #gone = false;

  constructor(handler: Handler, options: CgiOptions = {}) {
    const { limits = limitsWith(), clock = systemClock, environment = initialEnvironment() } = options;
    this.#limits = limits;
    this.#log = options.log ?? ((entry) => void logToStderr(entry));
    this.#stdout = options.stdout ?? process.stdout;
    this.#stdout.on('error', this.#onError);
    this.done = this.#serve(handler, options, clock, requestVariables(environment));
  }

  async #serve(
    handler: Handler,
    { mount, onError = errorToStderr, stdin = () => process.stdin }: CgiOptions,
    clock: Clock,
    variables: readonly string[],
  ): Promise<boolean> {
    let head: CgiHead;
    try {
      head = CgiHead.of(variables);
    } catch (error) {
      this.#refuse(error);
      await this.#flushed();
      return true;
    }
    const context = {
      now: clock.now(),
      counts: limitCounts(),
      load: new Load(),
      mount: mount ?? mountOf(variables),
      report: (error: unknown, exchange: Exchange | undefined): void => {
        this.#failed = true;
        onError(error, exchange);
      },
    };
    const size = bodyBytes(head, variables);
    const notice = ({ code, message }: Notice): void => this.#tell('protocol_error', code, message);
    const host = new CgiHost({ context, notice }, this.#limits, { stdin, stdout: this.#stdout }, size);
    const exchange = new ServerExchange(host, { type: 'request', id: 1, role: 'responder', head, ended: size === 0 });
    host.carry(exchange);
    this.#exchange = exchange;
    const ticker = clock.every(TICK, () => {
      context.now = clock.now();
      const { now, counts } = context;
      checkExchange({ limits: this.#limits, counts, reading: true, expired: this.#expired }, exchange, now);
    });
    process.on('beforeExit', this.#onIdle);
    const over = new Promise<void>((resolve) => exchange.onOver(() => resolve()));
    handOver(exchange, { handler, limits: this.#limits });
    await over;
    ticker.stop();
    host.flush();
    await this.#flushed();
    if (!this.#gone) await this.#drained(host, clock);
    process.off('beforeExit', this.#onIdle);
    return !this.#failed && (this.#gone || !host.broken);
  }

  #refuse(error: unknown): void {
    const known = error instanceof RemoteProtocolError;
    const code = known ? error.code : 'ERR_INTERNAL';
    this.#tell('protocol_error', code, (error as Error).message);
    this.#stdout.write(plainCgiReply(known ? error.statusHint : 500));
  }

  #tell(event: LogEntry['event'], code: ErrorCode, message: string): void {
    this.#log({ level: 'warn', event, code, message, protocol: 'cgi', peer: 'stdin' });
  }

  readonly #expired = (code: ErrorCode, message: string): void => {
    this.#failed = true;
    this.#tell('timeout', code, message);
  };

  /** The web server does not read any more. */
  readonly #onError = (error: Error): void => {
    this.#gone = true;
    this.#end(abortedError(error));
  };

  /** Nothing is left to do, and yet nothing has been answered. */
  readonly #onIdle = (): void => {
    this.fail(new LocalProtocolError('ERR_APP_REPLY', 'the application never answers: it awaits what never happens'));
  };

  /** What was thrown and caught by nobody: 500, or the reply is broken off. */
  fail(error: unknown): void {
    this.#exchange?.fail(error);
  }

  /** The web server has given the request up: the application is told. */
  giveUp(): void {
    this.#failed = true;
    this.#gone = true;
    this.#end(abortedError());
  }

  #end(error: AbortError): void {
    this.#exchange?.end(error);
  }

  /** Nothing is left of the body, or nothing of it has come for lingerTimeout. */
  #drained(host: CgiHost, clock: Clock): Promise<void> {
    return new Promise((resolve) => {
      let timer: { stop(): void } | undefined;
      const watch = (before: number): void => {
        timer = clock.after(this.#limits.lingerTimeout, () => {
          if (host.received === before) resolve();
          else watch(host.received);
        });
      };
      watch(host.received);
      host.drain(() => {
        timer?.stop();
        resolve();
      });
    });
  }

  /** All that was written has been taken, or nobody takes it. */
  #flushed(): Promise<void> {
    return new Promise((resolve) => {
      const stdout = this.#stdout;
      if (this.#gone || stdout.destroyed) resolve();
      else {
        stdout.once('error', () => resolve());
        stdout.write('', () => resolve());
      }
    });
  }
}

/** An absent PATH_INFO does not mean that SCRIPT_NAME is the whole path, as it does behind other protocols. */
function mountOf(variables: readonly string[]): string | undefined {
  return variable(variables, 'PATH_INFO') ? undefined : variable(variables, 'SCRIPT_NAME');
}

/** Without CONTENT_LENGTH there is no body, unless the web server says that it came in chunks: then up to the end. */
function bodyBytes({ contentLength }: CgiHead, variables: readonly string[]): number {
  if (contentLength >= 0) return contentLength;
  return variable(variables, 'HTTP_TRANSFER_ENCODING') === undefined ? 0 : Number.POSITIVE_INFINITY;
}

function variable(variables: readonly string[], name: string): string | undefined {
  for (let i = 0; i < variables.length; i += 2) if (variables[i] === name) return variables[i + 1];
  return undefined;
}
