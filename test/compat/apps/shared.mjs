// What every application of this folder does the same way.
import { createHash } from 'node:crypto';

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** How many clients were waiting, and how many of them left. */
export const clients = { begun: 0, left: 0 };

export const PIECES = 50;
export const piece = Buffer.alloc(100_000, 's');

/** Five million bytes, one piece after the other. */
export async function* pieces() {
  for (let i = 0; i < PIECES; i++) yield piece;
}

/** Waits until the client leaves; `signal` says so. */
export async function* untilLeft(signal) {
  clients.begun++;
  signal.addEventListener('abort', () => clients.left++, { once: true });
  yield Buffer.from('waiting\n');
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

export class Failure extends Error {
  constructor() {
    super('a secret text');
  }
}
