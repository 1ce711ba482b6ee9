import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NameTree } from '../src/name-tree.ts';
import { NameWalk } from '../src/name-walk.ts';
import type { VariableNames } from '../src/variable-names.ts';

function walked(walk: NameWalk, ...names: string[]): VariableNames {
  walk.begin();
  names.forEach((name, place) => {
    walk.add(place, name);
  });
  return walk.end(names.length).names;
}

/** How often the tree was asked for a name. */
function counted(): { walk: NameWalk; lookUps: () => number } {
  const tree = new NameTree();
  const { follow } = tree;
  let count = 0;
  tree.follow = (node, name) => {
    count++;
    return follow.call(tree, node, name);
  };
  return {
    walk: new NameWalk(tree),
    lookUps() {
      const before = count;
      count = 0;
      return before;
    },
  };
}

describe('a walk', () => {
  it('gives the names as they came, whatever came before', () => {
    const names = fc.array(fc.constantFrom('A', 'B', 'C', 'HTTP_D'), { maxLength: 6 });
    fc.assert(
      fc.property(fc.array(names, { maxLength: 8 }), (requests) => {
        const walk = new NameWalk(new NameTree());
        for (const request of requests) expect(walked(walk, ...request).names).toEqual(request);
      }),
    );
  });

  it('gives one object for the same names', () => {
    const walk = new NameWalk(new NameTree());
    const one = walked(walk, 'A', 'B');
    const other = walked(walk, 'A', 'C', 'D');
    expect(walked(walk, 'A', 'B')).toBe(one);
    expect(walked(walk, 'A', 'C', 'D')).toBe(other);
    expect(walked(walk).names).toEqual([]);
  });

  it('looks nothing up where the same names come again, and one name where it turns off', () => {
    const { walk, lookUps } = counted();
    walked(walk, 'A', 'B', 'C', 'D');
    expect(lookUps()).toBe(4);
    walked(walk, 'A', 'B', 'C', 'D');
    expect(lookUps()).toBe(0);
    walked(walk, 'A', 'X', 'C', 'D');
    expect(lookUps()).toBe(3);
    walked(walk, 'A', 'B', 'C', 'D');
    expect(lookUps()).toBe(1);
    walked(walk, 'A', 'X', 'C', 'D');
    expect(lookUps()).toBe(1);
    walked(walk, 'A', 'X');
    expect(lookUps()).toBe(0);
    walked(walk, 'A', 'X', 'C', 'D');
    expect(lookUps()).toBe(1);
  });

  it('goes on behind a turn as the last request that turned off there', () => {
    const { walk, lookUps } = counted();
    for (const names of ['ABCD', 'AXCD', 'AXEF']) walked(walk, ...names);
    walked(walk, ...'ABCD');
    lookUps();
    walked(walk, ...'AXEF');
    expect(lookUps()).toBe(2);
    walked(walk, ...'ABCD');
    lookUps();
    walked(walk, ...'AXEF');
    expect(lookUps()).toBe(1);
  });

  it('does so where the first name turns off already', () => {
    const { walk, lookUps } = counted();
    for (const names of ['ABC', 'XBC', 'ABC', 'XDE', 'ABC']) walked(walk, ...names);
    lookUps();
    walked(walk, ...'XDE');
    expect(lookUps()).toBe(1);
    walked(walk, ...'XDE');
    expect(lookUps()).toBe(0);
  });
});
