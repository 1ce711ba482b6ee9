import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { countCalls, inputOf, run, type Target, targets } from './targets/index.ts';

let stop = (): void => {};
beforeAll(() => {
  stop = countCalls();
});
afterAll(() => stop());

/** What `npm run fuzz` has kept: base64, one input a line; a line that begins with # is a remark on the next one. */
function corpusOf({ name }: Target): Buffer[] {
  const lines = readFileSync(join(__dirname, 'corpus', `${name}.txt`), 'latin1').split('\n');
  return lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => Buffer.from(line, 'base64'));
}

describe.each(targets.map((target) => [target.name, target] as const))('%s', (_, target) => {
  it('holds for all that was found so far', () => {
    for (const input of corpusOf(target)) run(target, input);
  });

  it.each(target.seeds.map((seed, i) => [i, seed] as const))(
    'plays conversation %i in many manners',
    (_index, seed) => {
      for (let setting = 0; setting < 4; setting++)
        for (let conduct = setting & 1; conduct < 32; conduct += 2)
          run(target, inputOf({ cuts: conduct, setting, conduct, more: (conduct * 7 + setting) & 15 }, seed));
    },
  );
});
