import { describe, expect, it } from '@jest/globals';
import { Variables } from '../src/variables.ts';

function added(...flat: (string | undefined)[]): Variables {
  const variables = new Variables();
  for (let i = 0; i < flat.length; i += 2) variables.add(flat[i] as string, flat[i + 1]);
  return variables;
}

describe('Variables', () => {
  it('are names and values in the order in which they came', () => {
    const variables = added('B', '1', 'A', '', 'B', '2');
    expect(variables.names.names).toEqual(['B', 'A', 'B']);
    expect(variables.values).toEqual(['1', '', '2']);
    expect(variables.place).toBe(3);
  });

  it('leave out what has no value', () => {
    const variables = added('A', undefined, 'B', '1');
    expect(variables.names.names).toEqual(['B']);
    expect(variables.values).toEqual(['1']);
  });

  it('have their names in common with those of other requests', () => {
    expect(added('A', '1', 'B', '2').names).toBe(added('A', '3', 'B', '4').names);
    expect(added('A', '1', 'C', '2').names.names).toEqual(['A', 'C']);
    expect(added('A', '1', 'B', '2').names.names).toEqual(['A', 'B']);
    expect(added('A', '1').names.names).toEqual(['A']);
    expect(added().names.names).toEqual([]);
  });
});
