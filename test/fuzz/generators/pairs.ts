import { limitsWith, NameTree, VariableReader } from '@postern/core';
import { pair } from '@postern/testkit';
import fc from 'fast-check';
import { readParams } from '../../../packages/fastcgi/src/params.ts';
import { sizes, texts, type Valid, values } from './common.ts';

const reader = new VariableReader(new NameTree());
const limits = limitsWith();

/** Pairs with lengths of one byte or four. */
export const fastcgiPairs: Valid = {
  cases: fc
    .array(fc.tuple(texts('ABC_XYZ', sizes(255)), values, fc.boolean()), { maxLength: 12 })
    .map((list) => list.map(([name, value, long]) => [`N${name}`, value, long] as const))
    .map((list) => ({
      chunks: [Buffer.concat(list.map(([name, value, long]) => pair(name, value, long)))],
      expected: list.map(([name, value]) => [name, value]),
    })),
  decode([bytes]) {
    const variables = readParams(Buffer.from(bytes), reader, limits);
    return variables.names.names.map((name, i) => [name, variables.values[i]]);
  },
};
