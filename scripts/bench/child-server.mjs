import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('./child.mjs', import.meta.url));

/** A server of `servers/` in a process of its own. */
export class ChildServer {
  #name;
  #process;
  #ended = false;

  /** @param target as servers/listen.mjs has it */
  constructor(name, target) {
    this.#name = name;
    // node-fastcgi uses a deprecated constructor
    this.#process = fork(program, [name, JSON.stringify(target)], { execArgv: ['--no-deprecation'] });
    this.#process.once('exit', () => {
      this.#ended = true;
    });
  }

  /** Resolves to where it can be connected to. */
  async start() {
    return (await this.#message()).address;
  }

  /** User and system CPU time of the process so far, in microseconds. */
  async cpu() {
    const answer = this.#message();
    this.#process.send('cpu');
    return (await answer).cpu;
  }

  async #message() {
    if (this.#ended) throw new Error(`the server ${this.#name} is gone`);
    const stop = new AbortController();
    const exited = once(this.#process, 'exit', { signal: stop.signal }).then(([code, signal]) => {
      throw new Error(`the server ${this.#name} ended with ${signal ?? `exit code ${code}`}`);
    });
    exited.catch(() => {});
    try {
      const [message] = await Promise.race([once(this.#process, 'message', { signal: stop.signal }), exited]);
      return message;
    } finally {
      stop.abort();
    }
  }

  end() {
    this.#process.kill();
  }
}
