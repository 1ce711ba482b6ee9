import { deepStrictEqual } from 'node:assert';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Valid } from './generators/common.ts';
import { mutate } from './mutations.ts';
import { countCalls, inputOf, run, type Target, targets } from './targets/index.ts';

/** Cases of each decoder; FUZZ_RUNS sets another number. */
const runs = Number(process.env.FUZZ_RUNS ?? 10_000);
/** The same in each run; FUZZ_SEED sets another one. What fails tells its seed and path. */
export const seed = Number(process.env.FUZZ_SEED ?? 1);

const anyByte = fc.nat(255);
const manners = fc.record({ cuts: anyByte, setting: anyByte, conduct: anyByte, more: anyByte });

/** Valid conversations with something wrong, mostly one thing: fast-check leaves out what need not be wrong. */
function mutated(target: Target): fc.Arbitrary<Buffer> {
  const chance = fc.integer({ min: 0, max: 0xffffffff });
  const from = fc.nat(target.seeds.length - 1);
  const steps = fc.array(fc.array(chance, { minLength: 8, maxLength: 8 }), { minLength: 1, maxLength: 4 });
  return fc.tuple(manners, from, from, steps, fc.boolean()).map(([manner, one, other, all, repairs]) => {
    let bytes: Buffer = Buffer.from(target.seeds[one]);
    for (const numbers of all) {
      let at = 0;
      const next = (): number => (numbers[at++ % 8] + Math.floor(at / 8)) >>> 0;
      bytes = mutate(bytes, next, target, target.seeds[other]);
    }
    return inputOf(manner, repairs ? (target.repair?.(bytes) ?? bytes) : bytes);
  });
}

/** Bytes of any kind, and tokens of the protocol in any order. */
function noise({ tokens }: Target): fc.Arbitrary<Buffer> {
  const pieces = fc.oneof(fc.constantFrom(...tokens), fc.uint8Array({ maxLength: 12 }));
  return fc.tuple(manners, fc.array(pieces, { maxLength: 20 })).map(([manner, list]) => {
    return inputOf(manner, Buffer.concat(list));
  });
}

/** What must hold of one decoder for any input. */
export function holds(name: string, valid: Valid): void {
  const target = targets.find((one) => one.name === name) as Target;
  const prototype = Object.getOwnPropertyNames(Object.prototype).sort().join();
  const all = <T>(arbitrary: fc.Arbitrary<T>, share: number, check: (value: T) => void): void => {
    fc.assert(
      fc.property(arbitrary, (value) => {
        check(value);
      }),
      { seed, numRuns: Math.ceil(runs * share) },
    );
  };

  describe(name, () => {
    let stop = (): void => {};
    beforeAll(() => {
      stop = countCalls();
    });
    afterAll(() => {
      stop();
      expect(Object.getOwnPropertyNames(Object.prototype).sort().join()).toBe(prototype);
    });

    it('understands what is valid, wherever it is cut', () => {
      all(valid.cases, 0.3, ({ chunks, expected }) => deepStrictEqual(valid.decode(chunks), expected));
    });

    it('gives events or one error with a code for a conversation with something wrong', () => {
      all(mutated(target), 0.45, (input) => run(target, input));
    });

    it('gives events or one error with a code for noise', () => {
      all(noise(target), 0.25, (input) => run(target, input));
    });
  });
}
