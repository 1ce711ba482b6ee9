import { describe, expect, it } from '@jest/globals';
import { cutAt, randomNumbers, singleBytes } from '@postern/testkit';
import type { Framed } from './answers.ts';
import { observe, type Play, type Seen } from './observe.ts';
import { seenOverSocket } from './over-socket.ts';
import type { Vector, Want } from './vector.ts';

/** Longer input is not cut at every place, and not fed byte by byte where it is longer than this times 32. */
const EVERY_CUT = 512;
const EVERY_BYTE = 16_384;
/** Where mutants are looked for, each vector is run whole and byte by byte, and no more. */
const quick = process.env.POSTERN_VECTORS === 'quick';

export interface Neighbour {
  /** A request of its own, with an id of its own where there are ids, that leaves the connection open where that can be. */
  readonly request: Uint8Array;
  /** The connection takes a request behind another. */
  readonly keeps: boolean;
  /** It takes one before the other is answered. */
  readonly ahead: boolean;
}

/** Every vector in every way: one test for a row and an input. */
export function runVectors(protocol: Framed, vectors: readonly Vector[], neighbour: Neighbour): void {
  for (const vector of vectors) {
    for (const [name, input] of inputsOf(vector)) {
      const title = `${vector.row}: ${vector.title}${name === '' ? '' : ` (${name})`}`;
      it(title, async () => {
        const { fin = false, reset = false, pass = 0 } = vector;
        const play: Play = { fin, reset, pass };
        const run = (pieces: readonly Uint8Array[]): Promise<Seen> => {
          // what comes later is cut as well
          const cut = pieces.length === input.length ? singleBytes : (bytes: Uint8Array): Uint8Array[] => [bytes];
          return observe(protocol, vector, pieces, { ...play, later: vector.later?.map(cut) });
        };
        const whole = await run([input]);
        expectWanted(whole, vector.want);
        vector.check?.(whole, name);
        if (input.length <= EVERY_BYTE) await sameAs(whole, run, singleBytes(input), 'byte by byte');
        if (quick || vector.wholeOnly === true) return;
        await inPieces(whole, run, input);
        await beside(protocol, vector, input, whole, neighbour, play);
        await cutShort(protocol, vector, input, whole);
      });
    }
  }
  if (quick) return;
  describe('over a socket', () => {
    for (const vector of vectors) {
      // a clock that runs would have to be waited for, and without a FIN nothing tells that all has been read
      if (vector.pass !== undefined) continue;
      for (const [name, input] of inputsOf(vector)) {
        it(`${vector.row}: ${vector.title}${name === '' ? '' : ` (${name})`}, over a socket`, async () => {
          const whole = await seenOverSocket(protocol, vector, [input]);
          expectWanted(whole, vector.want, true);
          vector.check?.(whole, name);
          if (vector.wholeOnly === true || vector.oneTurn === true || input.length > 2048) return;
          const bytewise = await seenOverSocket(protocol, vector, singleBytes(input));
          expectWanted(bytewise, vector.want, true);
        });
      }
    }
  });
}

export function inputsOf({ input }: Vector): [string, Uint8Array][] {
  return input instanceof Uint8Array ? [['', input]] : Object.entries(input);
}

/** @param live over a socket the peer cannot tell a close without a byte from a half-close */
function expectWanted(seen: Seen, want: Want, live = false): void {
  expect(seen.asked.length).toBe(want.asked);
  expect([...seen.answers].sort()).toEqual([...want.answers].sort());
  if (want.closed !== undefined && !live) expect([want.closed].flat()).toContain(seen.closed);
  if (want.closed !== undefined && live) expect(seen.closed === 'open').toBe([want.closed].flat().includes('open'));
  if (want.aborted !== undefined) expect(seen.aborted).toBe(want.aborted);
  if (want.others !== undefined) expect(seen.others).toEqual(want.others);
  if (want.rule === null) expect(seen.log).toEqual([]);
  else if (want.rule !== undefined) expect(seen.log.map(({ code }) => code)).toEqual([want.rule]);
  expect(seen.log.length).toBeLessThanOrEqual(1);
  expectSound(seen);
}

/** What holds whatever came. */
function expectSound(seen: Seen): void {
  // one line of a kind at most, and it can be printed
  expect(new Set(seen.log.map(({ code }) => code)).size).toBe(seen.log.length);
  for (const { message } of seen.log) expect(message.length).toBeLessThan(4096);
  expect(seen.log.filter(({ code }) => code === 'ERR_INTERNAL')).toEqual([]);
  expect(seen.reported).toEqual([]);
  expect(new Set(seen.marks.filter((mark, i) => seen.marks.indexOf(mark) !== i && mark > 1 && mark !== 900)).size).toBe(
    0,
  );
}

async function sameAs(
  whole: Seen,
  run: (pieces: readonly Uint8Array[]) => Promise<Seen>,
  pieces: readonly Uint8Array[],
  way: string,
): Promise<void> {
  const seen = await run(pieces);
  expect({ way, ...comparable(seen) }).toEqual({ way, ...comparable(whole) });
}

/** How many bytes of a reply stand in one record is not told, nor how a connection was closed that had to be. */
function comparable({ asked, answers, bodies, others, marks, closed, aborted, log, reported }: Seen): object {
  const open = closed === 'open';
  return { asked, answers, bodies, others, marks, open, aborted, log: log.map(({ code }) => code), reported };
}

async function inPieces(
  whole: Seen,
  run: (pieces: readonly Uint8Array[]) => Promise<Seen>,
  input: Uint8Array,
): Promise<void> {
  if (input.length <= EVERY_CUT)
    for (let at = 1; at < input.length; at++) await sameAs(whole, run, cutAt(input, [at]), `cut at ${at}`);
  const next = randomNumbers(1);
  const rounds = input.length <= 65_536 ? 50 : 5;
  for (let i = 0; i < rounds && input.length > 1; i++) {
    const cuts = Array.from({ length: 1 + (next() % 6) }, () => 1 + (next() % (input.length - 1)));
    await sameAs(whole, run, cutAt(input, cuts), `cuts at ${cuts.join(' ')}`);
  }
}

/** Behind a valid request, and before one. */
async function beside(
  protocol: Framed,
  vector: Vector,
  input: Uint8Array,
  whole: Seen,
  { request: usual, keeps, ahead }: Neighbour,
  play: Play,
): Promise<void> {
  const request = vector.neighbour ?? usual;
  // an application of the vector's own may leave the neighbour without an answer
  const answers = vector.app === undefined;
  const later = vector.later?.map((bytes) => [bytes]);
  const behind = await observe(protocol, vector, [input], { ...play, later, before: request });
  expectSound(behind);
  expect(behind.asked.length).toBe(keeps ? whole.asked.length + 1 : 1);
  // an HTTP request is answered as one where a connection begins, and nowhere else
  const own = whole.answers.filter((answer) => answer !== '421 HTTP');
  if (answers) expect([...behind.answers].sort()).toEqual(keeps ? [...own, '200'].sort() : ['200']);
  if (vector.open || vector.fin || vector.reset || later !== undefined) return;
  const before = await observe(protocol, vector, [input, request], play);
  expectSound(before);
  const more = before.asked.length - whole.asked.length;
  // what closes behind its answer may take another request until it has answered
  const running = whole.asked.length > 0;
  const least = keeps && whole.closed === 'open' && (ahead || !running) ? 1 : 0;
  const most = keeps && (whole.closed === 'open' || (ahead && running)) ? 1 : 0;
  expect(more).toBeGreaterThanOrEqual(least);
  expect(more).toBeLessThanOrEqual(most);
  if (answers) expect(before.answers.length).toBe(whole.answers.length + more);
}

/** Every truncation, followed by FIN and by silence: never more than the whole brings, and it is given up in the end. */
async function cutShort(protocol: Framed, vector: Vector, input: Uint8Array, whole: Seen): Promise<void> {
  // what is not complete is answered in the end too
  const left = vector.open ? await observe(protocol, vector, [input], { pass: 130_000 }) : whole;
  const answers = Math.max(whole.answers.length, left.answers.length, 1);
  const step = Math.max(1, Math.floor(input.length / (input.length <= EVERY_CUT ? input.length : 64)));
  for (let at = 0; at < input.length; at += step) {
    for (const play of [{ fin: true }, { pass: 130_000 }] as Play[]) {
      const seen = await observe(protocol, vector, [input.subarray(0, at)], play);
      expectSound(seen);
      expect(seen.asked.length).toBeLessThanOrEqual(Math.max(whole.asked.length, 1));
      expect(seen.answers.length).toBeLessThanOrEqual(Math.max(answers, seen.asked.length));
      if (vector.app === undefined) expect(seen.closed === 'open').toBe(false);
    }
  }
}
