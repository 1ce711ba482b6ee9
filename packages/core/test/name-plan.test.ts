import { describe, expect, it } from '@jest/globals';
import { comparePlanned, NamePlan } from '../src/name-plan.ts';
import { variableNames } from '../src/variable-names.ts';

function planOf(...names: string[]): NamePlan {
  return new NamePlan(variableNames(names), []);
}

/** Where the next name stands among the words. */
function compare({ words }: NamePlan, at: number, text: string, from: number, length: number): number {
  const bytes = Buffer.from(text, 'latin1');
  return comparePlanned(words, at, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), from, length);
}

const lengths = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13];

describe('a plan', () => {
  it.each(lengths)('has a name of %i bytes where it stands, and nowhere else', (length) => {
    const name = 'ABCDEFGHIJKLM'.slice(0, length);
    const plan = planOf(name);
    const [, next] = plan.starts;
    expect(compare(plan, 0, `..${name}..`, 2, length)).toBe(next);
    expect(compare(plan, 0, `..${name}..`, 1, length)).toBe(0);
    expect(compare(plan, 0, `..${name}..`, 2, length + 1)).toBe(0);
    expect(compare(plan, 0, `..${name}..`, 2, length - 1)).toBe(0);
    for (let i = 0; i < length; i++) {
      const other = `${name.slice(0, i)}x${name.slice(i + 1)}`;
      expect([other, compare(plan, 0, `..${other}..`, 2, length)]).toEqual([other, 0]);
    }
  });

  it('has a name at the very end of a block', () => {
    for (const length of lengths) {
      const name = 'ABCDEFGHIJKLM'.slice(0, length);
      expect(compare(planOf(name), 0, name, 0, length)).toBeGreaterThan(0);
    }
  });

  it('has high bytes for no name', () => {
    expect(compare(planOf('A'), 0, '\xc1', 0, 1)).toBe(0);
    expect(compare(planOf('ABCD'), 0, 'ABC\xc4', 0, 4)).toBe(0);
  });

  it('has its names one behind the other, and none behind the last', () => {
    const names = ['AB', 'ABCDE', 'C', 'ABCDEFGH'];
    const plan = planOf(...names);
    let at = 0;
    for (const [i, name] of names.entries()) {
      expect(plan.starts[i]).toBe(at);
      at = compare(plan, at, name, 0, name.length);
    }
    expect(plan.starts[names.length]).toBe(at);
    for (const length of [0, 1, 4]) expect(compare(plan, at, 'ABCD', 0, length)).toBe(0);
    expect(planOf().starts).toEqual([0]);
  });
});
