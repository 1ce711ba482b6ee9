import type { Writable } from 'node:stream';

/**
 * The process's stdout, for one writer alone: what others write to `process.stdout` and by `console.log` goes to stderr
 * from now on. It must be called before anything has been printed.
 */
export function claimStdout(): Writable {
  const { stdout } = process;
  Object.defineProperty(process, 'stdout', { configurable: true, enumerable: true, get: () => process.stderr });
  return stdout;
}
