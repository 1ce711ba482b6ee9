import { deepStrictEqual } from 'node:assert';

/** Gives chunks to a fresh decoder and tells what came of them, in a form that can be compared. */
export type Run<Outcome> = (chunks: Uint8Array[]) => Outcome;

export interface Ways {
  /** The beginning of something that never completes: behind the case it must change nothing. */
  readonly trailing?: Uint8Array;
  /** How many random splits; without it 50, and 5 for more than 4096 bytes. */
  readonly random?: number;
  readonly seed?: number;
}

/**
 * Runs a decoder case whole, byte by byte, in every two pieces (up to 512 bytes), in seeded random pieces, and with
 * trailing bytes. What comes of it may not depend on the way.
 * @returns the outcome of the whole
 * @throws AssertionError that names the way whose outcome differs
 */
export function everyWay<Outcome>(bytes: Uint8Array, run: Run<Outcome>, ways: Ways = {}): Outcome {
  const whole = run([Buffer.from(bytes)]);
  const same = (way: string, chunks: Uint8Array[]): void => {
    const outcome = run(chunks);
    try {
      deepStrictEqual(outcome, whole);
    } catch (error) {
      (error as Error).message = `${way} differs from whole:\n${(error as Error).message}`;
      throw error;
    }
  };
  const { trailing, random = bytes.length <= 4096 ? 50 : 5, seed = 1 } = ways;
  same('byte by byte', singleBytes(bytes));
  if (bytes.length <= 512) {
    for (let at = 1; at < bytes.length; at++) same(`cut at ${at}`, cutAt(bytes, [at]));
  }
  const next = randomNumbers(seed);
  for (let i = 0; i < random && bytes.length > 1; i++) {
    const cuts = Array.from({ length: 1 + (next() % 6) }, () => 1 + (next() % (bytes.length - 1)));
    same(`random cuts at ${cuts.join(' ')}`, cutAt(bytes, cuts));
  }
  if (trailing !== undefined) {
    same('with trailing bytes', [Buffer.concat([bytes, trailing])]);
    same('byte by byte, with trailing bytes', [...singleBytes(bytes), ...singleBytes(trailing)]);
  }
  return whole;
}

/** Copies of the single bytes. */
export function singleBytes(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}

/** Copies of the pieces between the places. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [...new Set(places)].sort((a, b) => a - b);
  return [0, ...sorted].map((from, i) => Buffer.from(bytes.subarray(from, sorted[i] ?? bytes.length)));
}

/** Whole numbers from 0 to 2^32 - 1, the same ones for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}
