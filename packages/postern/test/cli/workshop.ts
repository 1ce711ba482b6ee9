import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, startPostern, temporaryFolder } from '@postern/testkit';

const cleanups: (() => unknown)[] = [];

/** To be called after each test: ends what was started and removes what was made. */
export async function cleanUp(): Promise<void> {
  for (const clean of cleanups.splice(0).reverse()) await clean();
}

export function whenDone(clean: () => unknown): void {
  cleanups.push(clean);
}

/** A folder for one test, with files by name. */
export function folderWith(files: Record<string, string> = {}): string {
  const { path, remove } = temporaryFolder();
  whenDone(remove);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

/** The command line in a folder. */
export function postern(folder: string, args: string[], env: NodeJS.ProcessEnv = process.env): Child {
  const child = startPostern(args, { cwd: folder, env });
  whenDone(() => child.stop('SIGKILL'));
  return child;
}

export interface Serving {
  readonly child: Child;
  readonly folder: string;
  /** The address of the unix socket in the folder. */
  readonly address: string;
  readonly socket: string;
  /** The files that a serving process makes, as far as they are there. */
  left(): string[];
}

/** `postern serve` of an app on a unix socket, listening. */
export async function serving(app: string, more: string[] = [], name = 'app.mjs'): Promise<Serving> {
  const folder = folderWith({ [name]: app });
  const socket = join(folder, 'app.sock');
  const address = `fastcgi+unix:${socket}`;
  const child = postern(folder, ['serve', name, '--listen', address, '--ready-file', 'ready', ...more]);
  await child.said(/^listening .*$/m);
  return { child, folder, address, socket, left: () => leftIn(folder) };
}

export function leftIn(folder: string): string[] {
  return ['app.sock', 'ready', '.app.sock.new'].filter((name) => existsSync(join(folder, name)));
}
