import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where Debian puts what root runs, which is not on everybody's PATH. */
const SBIN = ['/usr/local/sbin', '/usr/sbin', '/usr/local/go/bin'];

/** The path of a program; undefined: it is not installed. */
export function findProgram(...names) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SBIN];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What a row is told of a peer's process: its CPU time, and its end. */
export function serverOf(program, context, rest) {
  return {
    ...rest,
    cpu: () => program.cpu(),
    async stop() {
      program.end();
      context.running.delete(program);
    },
  };
}
