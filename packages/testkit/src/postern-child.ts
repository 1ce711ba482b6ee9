import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from './child.ts';

/** The folder of the repository. */
export const repository = join(fileURLToPath(new URL('.', import.meta.url)), '..', '..', '..');

/** `postern` as it was built, in a process of its own. */
export function startPostern(args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Child {
  return startChild(process.execPath, [join(repository, 'packages/postern/bin/postern.js'), ...args], options);
}

/** Writes a program that a web server can start: `postern serve` of a fixture, on descriptor 0 or as a CGI program. */
export function writeProgram(path: string, app: string): string {
  const words = [process.execPath, join(repository, 'packages/postern/bin/postern.js'), 'serve', join(repository, app)];
  const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  writeFileSync(path, `#!/bin/sh\nexec ${quoted.join(' ')}\n`, { mode: 0o755 });
  return path;
}

export interface Served {
  readonly child: Child;
  /** The addresses as they were bound. */
  readonly addresses: string[];
}

/** `postern serve` of a fixture, listening. */
export async function servePostern(
  app: string,
  listen: string[],
  options: { env?: NodeJS.ProcessEnv; flags?: string[] } = {},
): Promise<Served> {
  const addressFlags = listen.flatMap((address) => ['--listen', address]);
  const child = startPostern(['serve', join(repository, app), ...addressFlags, ...(options.flags ?? [])], options);
  await child.said(new RegExp(`(?:listening [^\n]*\n[^]*){${listen.length}}`));
  const addresses = [...child.output().matchAll(/^listening (\S+)/gm)].map((match) => match[1]);
  return { child, addresses };
}

/** The port of an address such as fastcgi://127.0.0.1:40001. */
export function portOf(address: string): number {
  return Number(/:(\d+)$/.exec(address)?.[1]);
}
