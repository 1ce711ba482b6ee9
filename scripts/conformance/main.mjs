// npm run conformance: runs the tests of vectors, limits, attacks and faults, and writes their tables into docs/reference.
//   --latest      writes them from the results of the latest `npm test`
//   --check       compares them with those results
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { page } from './page.mjs';
import { byRow } from './results.mjs';
import { tables } from './rows.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const check = process.argv.includes('--check');
const latest = check || process.argv.includes('--latest');
const results = join(root, '.cache', latest ? 'jest.json' : 'conformance.json');

if (!latest) {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const jest = [
    'node_modules/jest/bin/jest.js',
    '--json',
    `--outputFile=${results}`,
    'test/conformance',
    'test/faults',
  ];
  spawnSync(process.execPath, jest, { cwd: root, stdio: 'inherit' });
}
const rows = byRow(JSON.parse(readFileSync(results, 'utf8')));
let wrong = 0;
for (const [name, table] of Object.entries(tables)) {
  const file = `docs/reference/${name === 'limits' ? 'limits-tested' : name}.md`;
  const { text, missing, failed } = page(name, table, rows);
  for (const id of missing) tell(`${id} has no test: add one whose title begins with "${id}: "`);
  for (const id of failed) tell(`${id} failed`);
  const before = existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : '';
  if (check && before !== text) tell(`${file} is not what the tests say: npm run conformance`);
  if (!check) writeFileSync(join(root, file), text);
}
process.exit(wrong === 0 ? 0 : 1);

function tell(message) {
  wrong++;
  console.error(`conformance: ${message}`);
}
