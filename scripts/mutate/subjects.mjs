import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The files of `core` that rule over header names and values, statuses, and the heads of requests and replies. */
const headerRules = [
  'cgi-head.ts',
  'cgi-reply-reader.ts',
  'cgi-reply.ts',
  'cgi-values.ts',
  'headers.ts',
  'http-head.ts',
  'interim.ts',
  'name-plan.ts',
  'name-tree.ts',
  'name-walk.ts',
  'reply-fields.ts',
  'reply-state.ts',
  'reply.ts',
  'status.ts',
  'variable-names.ts',
  'variable-reader.ts',
];

/** What is mutated: all files of a package, or some of them. */
export const subjects = {
  fastcgi: undefined,
  scgi: undefined,
  ajp: undefined,
  uwsgi: undefined,
  wire: undefined,
  core: headerRules,
};

const vectors = 'test/conformance/vectors';

function listed(folder, pattern) {
  if (!existsSync(join(root, folder))) return [];
  const names = readdirSync(join(root, folder)).filter((name) => pattern.test(name));
  return names.sort().map((name) => `${folder}/${name}`);
}

/** Names of the files of a package that are mutated. */
export function filesOf(subject) {
  const all = listed(`packages/${subject}/src`, /(?<!\.d)\.ts$/).map((path) => path.split('/').pop());
  return subjects[subject] ?? all;
}

/** The tests that a mutant of the package meets, sharp ones first: what is random or long is only for those that are left. */
export function testsOf(subject) {
  const files = subjects[subject];
  // of a part of a package, the tests of that part
  const unit = listed(`packages/${subject}/test`, /\.test\.ts$/).filter(
    (path) => files === undefined || files.some((file) => path.split('/').pop().startsWith(file.replace('.ts', ''))),
  );
  const long = listed('test/fuzz', new RegExp(`^${subject}.*\\.test\\.ts$`));
  return [
    ...unit,
    ...(process.env.POSTERN_VECTORS === 'none' ? [] : listed(vectors, new RegExp(`^${subject}.*\\.test\\.ts$`))),
    ...long,
  ];
}
