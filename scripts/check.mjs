// The checks that need no test runner: layers, generated docs, lint and format.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const checks = [
  ['scripts/layers.mjs'],
  ['scripts/docs.mjs', '--check'],
  ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.'],
];
let failed = 0;
for (const check of checks) {
  const { status } = spawnSync(process.execPath, check, { cwd: root, stdio: 'inherit' });
  if (status !== 0) failed++;
}
process.exit(failed === 0 ? 0 : 1);
