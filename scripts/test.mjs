// npm test: installs what is missing, builds, checks, and runs every test.
//   npm test -- packages/core      only these (what jest takes); without test/ no web server is needed
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { prepareServers } from './lib/debian.mjs';
import { prepare } from './lib/prepare.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const only = process.argv.slice(2);
const results = '.cache/jest.json';

function run(args) {
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
}

await prepare({ quiet: true });
const unitOnly = only.length > 0 && only.every((arg) => arg.startsWith('-') || arg.startsWith('packages'));
const missing = unitOnly ? undefined : prepareServers();
if (missing !== undefined) {
  console.error(`ERR_TEST_SETUP: ${missing}`);
  process.exit(1);
}
mkdirSync(`${root}/.cache`, { recursive: true });
rmSync(`${root}/${results}`, { force: true });
const checked = only.length === 0 ? run(['scripts/check.mjs']) : 0;
const tested = run(['node_modules/jest/bin/jest.js', '--json', `--outputFile=${results}`, ...only]);
const told = only.length === 0 ? run(['scripts/conformance/main.mjs', '--check']) : 0;
process.exit(checked || tested || told);
