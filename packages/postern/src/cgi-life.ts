import { writeSync } from 'node:fs';
import { describeError } from '@postern/core';
import { type CgiRequest, plainCgiReply } from '@postern/server';
import { say } from './say.ts';

/**
 * The life of a process with one request: what signals and failures outside of it do. SIGTERM and SIGINT give it up;
 * what is thrown and caught by nobody fails it; a rejected promise that nobody handles is told and nothing more.
 */
export class CgiLife {
  #request: CgiRequest | undefined;

  constructor() {
    process.on('SIGTERM', this.#stopped);
    process.on('SIGINT', this.#stopped);
    process.on('uncaughtException', this.#uncaught);
    process.on('unhandledRejection', tellRejection);
    process.on('beforeExit', this.#idle);
  }

  /** The application is loaded and has been asked. */
  serving(request: CgiRequest): void {
    this.#request = request;
  }

  /** There is no application that could answer: the client gets a bare 500. */
  refuse(): void {
    if (this.#request !== undefined) return;
    try {
      writeSync(1, plainCgiReply(500));
    } catch {
      // the web server has left
    }
  }

  readonly #stopped = (): void => {
    if (this.#request === undefined) process.exit(1);
    this.#request.giveUp();
  };

  readonly #uncaught = (error: unknown): void => {
    if (this.#request !== undefined) {
      this.#request.fail(error);
      return;
    }
    say(`ERR_APP_LOAD: the application threw while it loaded: ${describeError(error)}`);
    this.refuse();
    process.exit(2);
  };

  readonly #idle = (): void => {
    if (this.#request !== undefined) return;
    say('ERR_APP_LOAD: the application never finished loading: it awaits what never happens');
    this.refuse();
    process.exit(2);
  };
}

function tellRejection(reason: unknown): void {
  say(`ERR_APP_ERROR: a promise was rejected and nobody handled it: ${describeError(reason)}`);
}
