import { join } from 'node:path';
import { type Child, startChild } from '@postern/testkit';
import type { ListenTarget } from '../../src/address.ts';
import { atEnd } from './serving.ts';

export interface ChildOptions {
  readonly target: ListenTarget;
  readonly umask?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Listening does not keep it alive. */
  readonly unref?: boolean;
}

interface Extras {
  readonly stdio?: ('ignore' | 'pipe' | number)[];
  /** Runs behind this shell command, in the same process: `ulimit -n 40`. */
  readonly shell?: string;
}

/** Starts a server in a process of its own; it is ended behind the test. */
export function childServer(options: ChildOptions, { stdio, shell }: Extras = {}): Child {
  const args = [join(__dirname, 'run-typescript.cjs'), join(__dirname, 'child-server.ts'), JSON.stringify(options)];
  const settings = stdio === undefined ? {} : { stdio };
  const child =
    shell === undefined
      ? startChild(process.execPath, args, settings)
      : startChild('/bin/sh', ['-c', `${shell}; exec "$0" "$@"`, process.execPath, ...args], settings);
  atEnd(() => child.stop('SIGKILL'));
  return child;
}

/** Runs a program of this folder; it is ended behind the test. */
export function runChild(
  program: string,
  args: string[],
  { options = [], env = {} }: { readonly options?: string[]; readonly env?: NodeJS.ProcessEnv } = {},
): Child {
  const command = [...options, join(__dirname, 'run-typescript.cjs'), join(__dirname, program), ...args];
  const child = startChild(process.execPath, command, { env: { ...process.env, ...env } });
  atEnd(() => child.stop('SIGKILL'));
  return child;
}

/** What it said first. */
export async function firstLine(child: Child): Promise<string> {
  return (await child.said(/^(?:listening|refused).*$/m))[0];
}
