import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { onServerCore } from './cores.mjs';

/** Longer than any program takes to be ready. */
const PATIENCE = 20_000;

/**
 * Starts a program that is no server of ours on the servers' core, in the foreground, and waits until what it prints
 * matches.
 * @param {string} command
 * @param {string[]} args
 * @param {{ ready: RegExp, cwd?: string, env?: object }} options
 * @param context as a row has it
 * @throws Error with its words: it ended, or it is not ready in time
 */
export async function startProgram(command, args, { ready, cwd, env }, context) {
  const child = spawn(...onServerCore(command, args), { cwd, env: env ?? process.env });
  const program = new Program(child);
  context.running.add(program);
  let timer;
  try {
    await new Promise((resolve, reject) => {
      const look = (chunk) => {
        program.output += chunk;
        if (ready.test(program.output)) resolve();
      };
      child.stdout.on('data', look);
      child.stderr.on('data', look);
      child.on('error', reject);
      child.on('close', (code, signal) =>
        reject(new Error(`${command} ended (${signal ?? code}):\n${program.output}`)),
      );
      timer = setTimeout(() => reject(new Error(`${command} is not ready:\n${program.output}`)), PATIENCE);
    });
  } finally {
    clearTimeout(timer);
  }
  return program;
}

class Program {
  output = '';
  #child;

  constructor(child) {
    this.#child = child;
  }

  get pid() {
    return this.#child.pid;
  }

  /** CPU time of it and of its children so far, in microseconds. */
  async cpu() {
    return cpuOf(this.pid);
  }

  /** Ends this process, by its id. */
  end() {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGTERM');
  }
}

/**
 * CPU time of a process and its children so far, all threads, in microseconds. Linux tells it by the nanosecond.
 * Those that have ended do not count: a difference is right as long as none ends.
 */
export function cpuOf(pid) {
  let sum = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const folder = `/proc/${pid}/task/${thread}`;
    sum += Number(readFileSync(`${folder}/schedstat`, 'utf8').split(' ')[0]) / 1000;
    for (const child of readFileSync(`${folder}/children`, 'utf8').trim().split(' ')) {
      if (child !== '') sum += cpuOf(child);
    }
  }
  return sum;
}
