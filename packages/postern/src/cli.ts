import { readFileSync } from 'node:fs';
import { runCommandLine } from './command-line.ts';

/** Whoever reads our output may leave; that ends nothing. */
function ignoreError(): void {}

process.stdout.on('error', ignoreError);
process.stderr.on('error', ignoreError);
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
process.exit(await runCommandLine(process.argv.slice(2), version));
