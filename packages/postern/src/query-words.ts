import { realpathSync } from 'node:fs';
import { basename, resolve } from 'node:path';

/**
 * A web server puts the words of a query without "=" on the command line of a CGI program (RFC 3875 §4.4): whoever asks
 * would choose flags. Where the module is the program itself, as with `#!/usr/bin/env -S postern serve`, nothing behind it
 * is read.
 */
export function withoutQueryWords(argv: readonly string[], env: NodeJS.ProcessEnv = process.env): readonly string[] {
  if (env.GATEWAY_INTERFACE === undefined) return argv;
  const at = argv.findIndex((word) => isProgram(word, env));
  return at < 0 ? argv : argv.slice(0, at + 1);
}

/** SCRIPT_FILENAME is not of RFC 3875, and some web servers do not set it. */
function isProgram(word: string, { SCRIPT_FILENAME: file, SCRIPT_NAME: name }: NodeJS.ProcessEnv): boolean {
  if (file !== undefined) return real(word) === real(file);
  return name !== undefined && name !== '' && basename(word) === basename(name);
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}
