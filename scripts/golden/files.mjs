import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
export const pagePath = join(root, 'docs/reference/front-ends.md');

/** Where something recorded is kept. */
export function goldenPath(name) {
  return join(root, 'test/golden', `${name}.json`);
}

/** In ASCII: an environ holds bytes. */
export function json(value) {
  const escaped = (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `${JSON.stringify(value, undefined, 2).replace(/[\x7f-\uffff]/g, escaped)}\n`;
}

export function readGolden(name) {
  return JSON.parse(readFileSync(goldenPath(name), 'utf8'));
}

export function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** What is not as it was recorded: a line for each file, and the lines that differ. */
export function stale(path, text) {
  let kept = '';
  try {
    kept = readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  if (kept === text) return [];
  const [before, after] = [kept.split('\n'), text.split('\n')];
  const changed = [
    ...before.filter((line) => !after.includes(line)).map((line) => `  - ${line.trim()}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `  + ${line.trim()}`),
  ];
  return [`${relative(root, path)} is not what the web servers send now: npm run golden`, ...changed.slice(0, 20)];
}
