// npm run build: checks the types and writes them into dist (tsc -b), then writes the JavaScript beside them.
//   node scripts/build.mjs packages/core      types of these alone, and of what they need
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bundlePackages } from './lib/bundle.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = ['node_modules/typescript/bin/tsc', '-b', ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, tsc, { cwd: root, stdio: 'inherit' });
if (status !== 0) process.exit(1);
await bundlePackages();
