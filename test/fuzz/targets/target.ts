import { cutAt, randomNumbers, singleBytes } from '@postern/testkit';
import { type Cost, measured } from './cost.ts';

/** One decoder under test. An input is `MANNER` bytes that say how it is run, and what the peer sends. */
export interface Target {
  readonly name: string;
  /** The packages whose code it runs. */
  readonly packages: readonly string[];
  /** Conversations that a peer in its right mind has: what mutations begin with. */
  readonly seeds: readonly Uint8Array[];
  /** What the protocol is made of. */
  readonly tokens: readonly Uint8Array[];
  /** Where the messages of these bytes begin, as far as they are any; see `units.ts`. */
  units(bytes: Uint8Array): number[];
  /** Makes outer lengths right; see `repair.ts`. */
  repair?(bytes: Buffer): Buffer;
  /** Plays the input in one way. @throws Broken an invariant does not hold */
  play(manner: Manner, chunks: readonly Uint8Array[]): Played;
}

export interface Played {
  /** What came of it, in a form that can be compared. */
  readonly outcome: unknown;
  /** It may not depend on where the bytes were cut. */
  readonly comparable: boolean;
}

/** An invariant does not hold. */
export class Broken extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Broken';
  }
}

export function check(holds: boolean, message: string | (() => string)): asserts holds {
  if (!holds) throw new Broken(typeof message === 'string' ? message : message());
}

/** Bytes of an input in front of what the peer sends. */
export const MANNER = 4;

/** How an input is run. */
export interface Manner {
  /** Where it is cut. */
  readonly cuts: number;
  /** Which limits and options. */
  readonly setting: number;
  /** What the side of this process does. */
  readonly conduct: number;
  readonly more: number;
}

export function inputOf(manner: Partial<Manner>, bytes: Uint8Array): Buffer {
  const { cuts = 1, setting = 0, conduct = 0, more = 0 } = manner;
  return Buffer.concat([Buffer.of(cuts, setting, conduct, more), bytes]);
}

export function partsOf(input: Uint8Array): { manner: Manner; bytes: Buffer } {
  const [cuts = 0, setting = 0, conduct = 0, more = 0] = input;
  return { manner: { cuts, setting, conduct, more }, bytes: Buffer.from(input.subarray(MANNER)) };
}

/** Above so many bytes an input is not run byte by byte. */
const SINGLE = 1024;

/** What is spent on an input may grow with its bytes alone. */
const perByte: Cost = { calls: 100, bytes: 120, allocated: 160, turns: 1500 };
const ever: Cost = { calls: 4000, bytes: 400_000, allocated: 400_000, turns: 60_000 };

/**
 * Runs an input whole, in pieces, and byte by byte, and checks all that must hold for any input.
 * @throws Broken
 */
export function run(target: Target, input: Uint8Array): void {
  const { manner, bytes } = partsOf(input);
  const whole = spend(target, manner, [Buffer.from(bytes)], bytes.length, 'whole');
  const text = whole.comparable ? JSON.stringify(whole.outcome) : '';
  const same = (way: string, chunks: readonly Uint8Array[]): void => {
    const { outcome, comparable } = spend(target, manner, chunks, bytes.length, way);
    if (!comparable || !whole.comparable) return;
    const other = JSON.stringify(outcome);
    check(other === text, () => `${way} differs from whole:${difference(text, other)}`);
  };
  same('cut', cutAt(bytes, places(manner.cuts, bytes.length)));
  if (bytes.length <= SINGLE) same('byte by byte', singleBytes(bytes));
}

function spend(target: Target, manner: Manner, chunks: readonly Uint8Array[], size: number, way: string): Played {
  const { result, cost } = measured(() => target.play(manner, chunks));
  for (const name of Object.keys(cost) as (keyof Cost)[]) {
    const most = ever[name] + perByte[name] * size;
    check(cost[name] <= most, `${way}: ${cost[name]} ${name} for ${size} bytes, more than ${most}`);
  }
  return result;
}

/** Up to seven places. */
function places(seed: number, length: number): number[] {
  if (length < 2) return [];
  const next = randomNumbers(seed);
  return Array.from({ length: 1 + (next() % 7) }, () => 1 + (next() % (length - 1)));
}

/** Where two texts part, and a little of both. */
function difference(one: string, other: string): string {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  const from = Math.max(0, at - 60);
  return `\n  …${other.slice(from, at + 100)}\n  …${one.slice(from, at + 100)}`;
}
