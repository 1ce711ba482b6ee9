import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Of the repository: small, replayed by the tests. */
export const keptFile = (name) => `${root}test/fuzz/corpus/${name}.txt`;
/** Of this machine: what runs have found, to go on with. */
export const foundFile = (name) => `${root}.cache/fuzz/corpus/${name}.txt`;
export const findingsFolder = `${root}.cache/fuzz/findings`;

/** The inputs of a file, one a line in base64; lines that begin with # are remarks. Without the file none. */
export function readCorpus(file) {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => Buffer.from(line, 'base64'));
}

/** Remarks at its beginning, and inputs that have one, stay. */
export function writeCorpus(file, inputs) {
  mkdirSync(dirname(file), { recursive: true });
  const lines = inputs.map((input) => Buffer.from(input).toString('base64'));
  const remarked = remarksOf(file);
  const rest = [...new Set(lines)].filter((line) => !remarked.includes(line));
  writeFileSync(file, [...remarked, ...rest, ''].join('\n'));
}

/** The lines of remarks, each with the input behind it. */
function remarksOf(file) {
  let lines = [];
  try {
    lines = readFileSync(file, 'utf8').split('\n');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  return lines.filter((line, i) => line.startsWith('#') || (line !== '' && lines[i - 1]?.startsWith('#')));
}
