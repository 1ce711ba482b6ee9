import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onServerCore } from './cores.mjs';

const program = fileURLToPath(new URL('./child.mjs', import.meta.url));

/** A server of `servers/` in a process of its own, on the servers' core. */
export class ChildServer {
  /** Where it can be connected to. */
  address;
  #name;
  #process;
  #context;
  #profiling = false;
  #ended = false;

  /**
   * @param {string} server a file of servers/ without its ending
   * @param {string} wire what it speaks
   * @param target as servers/listen.mjs has it
   * @param context as a row has it (rows.mjs)
   */
  static async start(server, wire, target, context) {
    const child = new ChildServer(server, wire, target, context);
    child.address = (await child.#message()).address;
    return child;
  }

  constructor(server, wire, target, context) {
    this.#name = `${server}-${wire}`;
    this.#context = context;
    // --no-deprecation: node-fastcgi uses a deprecated constructor
    const [command, args] = onServerCore(process.execPath, ['--no-deprecation', '--expose-gc']);
    // frameworks behave as they do where they are deployed
    const env = { ...process.env, NODE_ENV: 'production' };
    this.#process = fork(program, [server, wire, JSON.stringify(target)], { execPath: command, execArgv: args, env });
    this.#process.once('exit', () => {
      this.#ended = true;
    });
    context.running.add(this);
  }

  get pid() {
    return this.#process.pid;
  }

  /** User and system CPU time of the process so far, in microseconds. A profile begins with the first call. */
  async cpu() {
    if (this.#context.profile !== undefined && !this.#profiling) {
      this.#profiling = true;
      await this.#ask('profile');
    }
    return (await this.#ask('cpu')).cpu;
  }

  /** `process.memoryUsage()` behind a collection of garbage. */
  async memory() {
    return (await this.#ask('memory')).memory;
  }

  /** Writes the profile, where one is made, and ends the process. */
  async stop() {
    if (this.#profiling && !this.#ended) {
      const file = join(this.#context.profile, `${this.#context.row}-${this.#name}.cpuprofile`);
      await this.#ask({ file });
      this.#context.profiles.push(file);
    }
    this.end();
    this.#context.running.delete(this);
  }

  end() {
    this.#process.kill();
  }

  #ask(question) {
    const answer = this.#message();
    if (!this.#ended) this.#process.send(question);
    return answer;
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
}
