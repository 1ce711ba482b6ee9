import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { randomNumbers, repository, startChild } from '@postern/testkit';
import { Fuzzer } from '../../scripts/fuzz/fuzzer.mjs';
import { minimise } from '../../scripts/fuzz/minimise.mjs';
import { parseOptions } from '../../scripts/fuzz/options.mjs';
import { smallest } from '../../scripts/fuzz/smallest.mjs';
import { mutate } from './mutations.ts';
import { Broken, inputOf, MANNER, partsOf, targets } from './targets/index.ts';

/** A decoder with a defect behind four bytes, each of which is a place of its own. */
const SECRET = [70, 85, 90, 90];

class Places {
  readonly reached = new Set<number>();
  run = 0;

  clear(): void {
    this.run = 0;
  }

  add(): number[] | undefined {
    const found = this.ran().filter((place) => !this.reached.has(place));
    for (const place of found) this.reached.add(place);
    return found.length > 0 ? found : undefined;
  }

  ran(): number[] {
    return Array.from({ length: this.run }, (_, i) => i);
  }
}

function planted(): { target: object; coverage: Places; run: (target: object, input: Uint8Array) => void } {
  const coverage = new Places();
  return {
    target: { name: 'planted', tokens: SECRET.map((byte) => Buffer.of(byte)), units: () => [0] },
    coverage,
    run(_, input) {
      const { bytes } = partsOf(input);
      let depth = 0;
      while (depth < SECRET.length && bytes[depth] === SECRET[depth]) depth++;
      coverage.run = Math.max(coverage.run, depth + 1);
      if (depth === SECRET.length) throw new Broken('the secret was guessed');
    },
  };
}

describe('the loop that is guided by coverage', () => {
  it('finds a defect step by step, once, and makes its input small', () => {
    const { target, coverage, run } = planted();
    const lib = { run, mutate, inputOf, partsOf, MANNER };
    const fuzzer = new Fuzzer(target, coverage, lib, randomNumbers(1), () => {});
    fuzzer.seed([inputOf({}, Buffer.from('some bytes'))]);
    for (let i = 0; i < 40_000 && fuzzer.findings.length === 0; i++) fuzzer.step();
    expect(fuzzer.findings).toEqual([
      expect.objectContaining({ text: 'Broken: the secret was guessed', input: Buffer.from([0, 0, 0, 0, ...SECRET]) }),
    ]);
    for (let i = 0; i < 40; i++) fuzzer.step();
    expect(fuzzer.findings).toHaveLength(1);
  });

  it('keeps the smallest inputs that reach all that is reached', () => {
    const { target, coverage, run } = planted();
    const inputs = ['FUZ and more', 'FUZ', 'FU', 'x', 'F', 'FUZZ', ''].map((text) => inputOf({}, Buffer.from(text)));
    const kept = smallest(target, coverage, run, inputs).map((input) => partsOf(input).bytes.toString());
    expect(kept).toEqual(['', 'F', 'FU', 'FUZ']);
  });

  it('takes out of an input what it does not need to fail', () => {
    const input = Buffer.concat([Buffer.from('head'), Buffer.alloc(500, 7), Buffer.from('AxB'), Buffer.alloc(300, 8)]);
    const fails = (one: Buffer): boolean => one.includes('A') && one.includes('B');
    expect(minimise(input, 4, fails).subarray(4).toString()).toBe('AB');
  });
});

describe('npm run fuzz', () => {
  it('takes every target, and tells what is wrong with a command', () => {
    expect(parseOptions([]).names.toSorted()).toEqual(targets.map(({ name }) => name).toSorted());
    expect(parseOptions(['ajp-client', '--minutes', '2'])).toMatchObject({ names: ['ajp-client'], seconds: 120 });
    expect(() => parseOptions(['ajp'])).toThrow('ajp: a target is one of');
    expect(() => parseOptions(['--seconds', 'x'])).toThrow('--seconds x: a whole number');
    expect(() => parseOptions(['--input', 'file'])).toThrow('--input FILE needs one target');
  });

  it('replays the corpus of each target, with the statements of the decoders counted', async () => {
    const child = startChild(process.execPath, [join(repository, 'scripts/fuzz/main.mjs'), '--replay', '--seed', '1']);
    const { code } = await child.ended();
    const lines = child.output().split('\n');
    for (const { name } of targets)
      expect(lines.find((line) => line.startsWith(`${name}: `))).toMatch(
        /[1-9]\d* of \d+ places reached; .*findings 0$/,
      );
    expect(code).toBe(0);
    // it loads and instruments everything first
  }, 120_000);
});
