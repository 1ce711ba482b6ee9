/** What is mutated knows its own parts. */
export interface Anatomy {
  readonly tokens: readonly Uint8Array[];
  units(bytes: Uint8Array): number[];
}

/** Lengths at which something changes in one of the protocols. */
export const lengths = [0, 1, 127, 128, 255, 256, 8186, 8192, 65_528, 65_535, 65_536] as const;

const bytesOfInterest = [0, 1, 2, 4, 5, 8, 10, 13, 32, 44, 58, 127, 128, 129, 254, 255];

/** No mutation makes more bytes of fewer. */
const MOST = 70_000;

/** One step of chance: whole numbers from 0 to 2^32 - 1. */
export type Chance = () => number;

type Mutation = (bytes: Buffer, next: Chance, anatomy: Anatomy, other: Buffer) => Buffer;

function splice(bytes: Buffer, at: number, dropped: number, ...put: Uint8Array[]): Buffer {
  return Buffer.concat([bytes.subarray(0, at), ...put, bytes.subarray(at + dropped)]);
}

/** Below `limit`; 0 where there is none. */
function below(next: Chance, limit: number): number {
  return limit <= 0 ? 0 : next() % limit;
}

function pick<T>(next: Chance, list: readonly T[]): T {
  return list[next() % list.length];
}

/** A unit of these bytes: where it begins and how long it is. */
function unit(bytes: Buffer, next: Chance, anatomy: Anatomy): [at: number, length: number] {
  const starts = anatomy.units(bytes).filter((at) => at < bytes.length);
  if (starts.length === 0) return [0, bytes.length];
  const i = next() % starts.length;
  return [starts[i], (starts[i + 1] ?? bytes.length) - starts[i]];
}

function changed(bytes: Buffer, at: number, change: (byte: number) => number): Buffer {
  if (at >= bytes.length) return bytes;
  const copy = Buffer.from(bytes);
  copy[at] = change(copy[at]) & 255;
  return copy;
}

/** A length where it could be wrong: mostly around those that are there. */
function number16(bytes: Buffer, next: Chance, at: number): Buffer {
  const little = next() % 3 === 0;
  const value = next() % 2 === 0 ? pick(next, lengths) & 0xffff : bytes.length - at + (next() % 7) - 3;
  const low = value & 255;
  const high = (value >> 8) & 255;
  return Buffer.of(little ? low : high, little ? high : low);
}

const mutations: readonly Mutation[] = [
  (bytes, next) => changed(bytes, below(next, bytes.length), (byte) => byte ^ (1 << (next() % 8))),
  (bytes, next) => changed(bytes, below(next, bytes.length), () => pick(next, bytesOfInterest)),
  (bytes, next) => changed(bytes, below(next, bytes.length), (byte) => byte + (next() % 2 === 0 ? 1 : -1)),
  (bytes, next) => changed(bytes, below(next, bytes.length), next),
  function overwriteNumber(bytes, next) {
    const at = below(next, bytes.length - 1);
    return splice(bytes, at, 2, number16(bytes, next, at));
  },
  (bytes, next) => splice(bytes, below(next, bytes.length), 1 + (next() % 16)),
  function twice(bytes, next) {
    const at = below(next, bytes.length);
    return splice(bytes, at, 0, bytes.subarray(at, at + 1 + (next() % 32)));
  },
  (bytes, next, { tokens }) => splice(bytes, below(next, bytes.length + 1), 0, pick(next, tokens)),
  function overwriteToken(bytes, next, { tokens }) {
    const token = pick(next, tokens);
    return splice(bytes, below(next, bytes.length), token.length, token);
  },
  (bytes, next, anatomy) => splice(bytes, ...unit(bytes, next, anatomy)),
  function unitTwice(bytes, next, anatomy) {
    const [at, length] = unit(bytes, next, anatomy);
    const times = next() % 8 === 0 ? 1 + (next() % 70) : 1;
    const copies = Array.from({ length: times }, () => bytes.subarray(at, at + length));
    return splice(bytes, at, 0, ...copies);
  },
  function swapUnits(bytes, next, anatomy) {
    const one = unit(bytes, next, anatomy);
    const two = unit(bytes, next, anatomy);
    const [[at, length], [behind, more]] = one[0] < two[0] ? [one, two] : [two, one];
    if (at === behind) return bytes;
    const parts = [
      [behind, more],
      [at + length, behind - at - length],
      [at, length],
    ] as const;
    return splice(bytes, at, behind + more - at, ...parts.map(([from, size]) => bytes.subarray(from, from + size)));
  },
  function otherUnit(bytes, next, anatomy, other) {
    const [at, length] = unit(other, next, anatomy);
    return splice(bytes, unit(bytes, next, anatomy)[0], 0, other.subarray(at, at + length));
  },
  (bytes, next, _, other) =>
    Buffer.concat([bytes.subarray(0, below(next, bytes.length + 1)), other.subarray(below(next, other.length))]),
  (bytes, next) => bytes.subarray(0, below(next, bytes.length)),
  (bytes, next) => Buffer.concat([bytes, Buffer.from(Array.from({ length: 1 + (next() % 12) }, next))]),
  (bytes, _, __, other) => Buffer.concat([bytes, other]),
  function grow(bytes, next) {
    // what is large is rare: it costs as much as a hundred others
    const length = next() % 24 === 0 ? pick(next, lengths) : lengths[next() % 6];
    return splice(bytes, below(next, bytes.length + 1), 0, Buffer.alloc(length, pick(next, [97, 0, 1, 255])));
  },
];

/**
 * One mutation: a byte, a number, a piece or a message changed, taken out, put twice, swapped, or put in.
 * @param other what may be mixed in
 */
export function mutate(bytes: Uint8Array, next: Chance, anatomy: Anatomy, other: Uint8Array): Buffer {
  const mutated = pick(next, mutations)(Buffer.from(bytes), next, anatomy, Buffer.from(other));
  return mutated.length > MOST ? mutated.subarray(0, MOST) : mutated;
}
