import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { IdMap } from '../src/id-map.ts';

describe('an IdMap', () => {
  it('holds what a Map would hold, whatever is set and deleted', () => {
    const step = fc.record({ id: fc.integer({ min: 0, max: 5 }), value: fc.option(fc.nat()) });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const map = new IdMap<number>();
        const oracle = new Map<number, number>();
        for (const { id, value } of steps) {
          if (value === null) {
            map.delete(id);
            oracle.delete(id);
          } else {
            map.set(id, value);
            oracle.set(id, value);
          }
          expect(map.size).toBe(oracle.size);
          for (let i = 0; i <= 5; i++) expect(map.get(i)).toBe(oracle.get(i));
          expect(new Map(map.entries())).toEqual(oracle);
          expect(map.values().sort()).toEqual([...oracle.values()].sort());
        }
      }),
    );
  });

  it('can be changed while its values are gone through', () => {
    const map = new IdMap<string>();
    for (const id of [1, 3, 5]) map.set(id, `value ${id}`);
    const seen: string[] = [];
    for (const value of map.values()) {
      seen.push(value);
      for (const id of [1, 3, 5]) map.delete(id);
    }
    expect(seen).toEqual(['value 1', 'value 3', 'value 5']);
    expect(map.size).toBe(0);
  });
});
