import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from './child.ts';

/** The folder of the repository. */
export const repository = join(fileURLToPath(new URL('.', import.meta.url)), '..', '..', '..');

/** `postern` as it was built, in a process of its own. */
export function startPostern(args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Child {
  return startChild(process.execPath, [join(repository, 'packages/postern/bin/postern.js'), ...args], options);
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
