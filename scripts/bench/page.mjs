import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { markdownTable } from './report.mjs';

const page = new URL('../../docs/explanation/performance.md', import.meta.url);
/** Everything that the last full run measured. */
export const lastRun = new URL('../../.cache/bench.json', import.meta.url);

const BEGIN = '<!-- measured: begin (`npm run bench -- --page` writes this) -->';
const END = '<!-- measured: end -->';

/**
 * The page with the table of a run between its two marks.
 * @throws Error the marks are not there
 */
export function withTable(text, { machine, rounds, connections, transport, results }) {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the page has no place for the table: ${BEGIN} … ${END}`);
  const facts = `${machine.cpu}, ${machine.cores} cores; Node ${machine.node}; ${machine.platform}; ${machine.date.slice(0, 10)}.`;
  const how = `At most ${rounds} rounds; ${connections} connections (${transport}). ${machine.pinning}`;
  const notes = results.flatMap(({ name, notes = [] }) => notes.map((note) => `- ${name}: ${note}`));
  const parts = [
    BEGIN,
    `${facts} ${how}`,
    markdownTable(results),
    ...(notes.length > 0 ? [notes.join('\n')] : []),
    END,
  ];
  return text.slice(0, begin) + parts.join('\n\n') + text.slice(end + END.length);
}

/** @throws Error there was no full run */
export function writePage() {
  if (!existsSync(lastRun)) throw new Error('nothing has been measured: run `npm run bench` first, all rows');
  const run = JSON.parse(readFileSync(lastRun, 'utf8'));
  writeFileSync(page, withTable(readFileSync(page, 'utf8'), run));
}
