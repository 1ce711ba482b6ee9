import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@postern/testkit';

const program = join(__dirname, 'count.mjs');

/** Code is not optimised, so that it allocates the same whatever the machine does besides, and nothing is collected. */
const flags = [
  ...['--expose-gc', '--no-opt', '--no-sparkplug', '--no-flush-bytecode'],
  ...['--min-semi-space-size=64', '--max-semi-space-size=64'],
];

/** Bytes that a request of a web server with 25 variables allocates, and what is left of it. */
async function count(...args: string[]): Promise<{ allocated: number; retained: number }> {
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, program, ...args]);
  return JSON.parse(stdout);
}

/** Less than any object takes, more than a heap varies by. */
const NOTHING = 8;

/** As measured with Node 20. Less is welcome: write it here then. */
const figures = { waist: 4400, environ: 5490, node: 8260 };

describe('a request over FastCGI', () => {
  it.each(Object.entries(figures))('allocates as much as it did and keeps nothing: %s', async (handler, figure) => {
    const { allocated, retained } = await count(handler);
    expect(allocated).toBeLessThan(figure * 1.25);
    expect(retained).toBeLessThan(NOTHING);
  });

  it.each(Object.keys(figures))('keeps nothing on a real socket: %s', async (handler) => {
    const folder = temporaryFolder();
    try {
      expect((await count(handler, join(folder.path, 'socket'))).retained).toBeLessThan(NOTHING);
    } finally {
      folder.remove();
    }
  });

  it('is noticed when it keeps a closure', async () => {
    expect((await count('leak')).retained).toBeGreaterThan(2 * NOTHING);
  });
});
