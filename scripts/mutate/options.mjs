import { parseArgs } from 'node:util';
import { filesOf, subjects } from './subjects.mjs';

export const help = `npm run mutate -- [PACKAGE]... [options]

Changes the code in small ways, one at a time, and tells which changes no test notices: ${Object.keys(subjects).join(', ')}
(of core the header rules), all of them without a name. What is found is written to docs/reference/mutants.md.

  --file NAMES        these files of one package alone, comma-separated: --file params.ts; figures of the others are kept
  --tests PATTERN     only the tests whose path matches: faster, and what it finds killed is killed
  --survivors         of one package, the changes alone that no test noticed the last time, on the same machine
  --concurrency N     changes that are tried at once, 1 to 16; 1 without it
  --page              tries nothing, writes docs/reference/mutants.md anew
  --help

The vectors run in few ways (POSTERN_VECTORS=quick), or with POSTERN_VECTORS=none not at all.
Exit code 1: a change survives that scripts/mutate/survivors.mjs does not explain. Exit code 2: the command is wrong.
`;

export class UsageError extends Error {}

/**
 * @param {string[]} args
 * @throws UsageError
 */
export function parseOptions(args) {
  let values;
  let positionals;
  try {
    ({ values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        file: { type: 'string' },
        tests: { type: 'string' },
        survivors: { type: 'boolean', default: false },
        concurrency: { type: 'string', default: '1' },
        page: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    throw new UsageError(error.message);
  }
  const all = Object.keys(subjects);
  for (const name of positionals)
    if (!all.includes(name)) throw new UsageError(`${name}: it is one of ${all.join(', ')}`);
  const names = positionals.length === 0 ? all : positionals;
  const files = values.file?.split(',');
  if ((files !== undefined || values.survivors) && names.length !== 1)
    throw new UsageError('--file and --survivors are for one package: name it');
  for (const file of files ?? []) {
    const known = filesOf(names[0]);
    if (!known.includes(file)) throw new UsageError(`--file ${file}: it is one of ${known.join(', ')}`);
  }
  const concurrency = Number(values.concurrency);
  if (!/^[0-9]{1,2}$/.test(values.concurrency) || concurrency < 1 || concurrency > 16)
    throw new UsageError(`--concurrency ${values.concurrency}: a whole number from 1 to 16`);
  const tests = pattern(values.tests);
  return { names, files, tests, survivors: values.survivors, concurrency, page: values.page, help: values.help };
}

function pattern(text) {
  if (text === undefined) return undefined;
  try {
    return new RegExp(text);
  } catch {
    throw new UsageError(`--tests ${text}: a regular expression`);
  }
}
