import { describeError } from '@postern/core';
import type { ReadyFile } from './ready-file.ts';
import { say } from './say.ts';
import type { Served } from './serve.ts';

/**
 * The life of a serving process: what signals and failures outside of any request do to it. SIGTERM and SIGINT stop it
 * within the grace, a second one at once; what is thrown and caught by nobody stops it too; a rejected promise that
 * nobody handles is told and nothing more.
 */
export class Lifetime {
  /** The exit code. */
  readonly ended: Promise<number>;
  #end: (code: number) => void = () => {};
  #served: Served | undefined;
  #readyFile: ReadyFile | undefined;
  /** Nothing is bound until the application is loaded. */
  #loading = true;
  /** The exit code of a stop that was asked for, perhaps while addresses were being bound. */
  #asked: number | undefined;
  #stopping = false;
  /** Rejections are told when nobody has handled them by the time that serving begins. */
  readonly #rejections = new Map<Promise<unknown>, unknown>();

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    process.on('SIGTERM', this.#stopped);
    process.on('SIGINT', this.#stopped);
    process.on('SIGHUP', this.#hungUp);
    process.on('uncaughtException', this.#uncaught);
    process.on('unhandledRejection', this.#unhandled);
    process.on('rejectionHandled', this.#handled);
    process.on('beforeExit', this.#idle);
    process.on('exit', this.#exiting);
  }

  /** The application is loaded. */
  loaded(): void {
    this.#loading = false;
  }

  serving(served: Served, readyFile: ReadyFile | undefined): void {
    this.#served = served;
    this.#readyFile = readyFile;
    for (const reason of this.#rejections.values()) tellRejection(reason);
    this.#rejections.clear();
    if (this.#asked !== undefined) void this.#stop();
  }

  #ask(code: number): void {
    if (this.#loading) process.exit(code);
    this.#asked = Math.max(code, this.#asked ?? 0);
    if (this.#served !== undefined && !this.#stopping) void this.#stop();
  }

  async #stop(): Promise<void> {
    this.#stopping = true;
    this.#readyFile?.remove();
    try {
      const complete = await this.#served?.close();
      this.#end(complete ? (this.#asked ?? 0) : 1);
    } catch (error) {
      say(`ERR_INTERNAL: ${describeError(error)}`);
      this.#end(1);
    }
  }

  readonly #stopped = (): void => {
    if (this.#stopping) process.exit(1);
    this.#ask(0);
  };

  /** A terminal that closes is a stop; as a wish to reload it is refused by name. */
  readonly #hungUp = (): void => {
    const { isatty } = process.getBuiltinModule('node:tty');
    if (isatty(0) || isatty(1) || isatty(2)) this.#ask(0);
    else say('ERR_NOT_BUILT: SIGHUP (reload): this version does not have it yet: stop and start instead');
  };

  readonly #uncaught = (error: unknown): void => {
    if (this.#loading) {
      say(`ERR_APP_LOAD: the application threw while it loaded: ${describeError(error)}`);
      process.exit(2);
    }
    say(`ERR_APP_ERROR: uncaught, the process stops: ${describeError(error)}`);
    this.#ask(1);
  };

  readonly #unhandled = (reason: unknown, promise: Promise<unknown>): void => {
    if (this.#served === undefined) this.#rejections.set(promise, reason);
    else tellRejection(reason);
  };

  readonly #handled = (promise: Promise<unknown>): void => {
    this.#rejections.delete(promise);
  };

  /** Nothing is left to do, and yet the application is not there. */
  readonly #idle = (): void => {
    if (!this.#loading) return;
    say('ERR_APP_LOAD: the application never finished loading: it awaits what never happens');
    process.exit(2);
  };

  /** Whoever ends the process: the socket file and the ready file go with it. */
  readonly #exiting = (): void => {
    this.#readyFile?.remove();
    this.#served?.close(0).catch(() => {});
  };
}

function tellRejection(reason: unknown): void {
  say(`ERR_APP_ERROR: a promise was rejected and nobody handled it: ${describeError(reason)}`);
}
