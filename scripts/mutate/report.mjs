import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, subjects } from './subjects.mjs';
import { explanations } from './survivors.mjs';

/** What the last run of each file found. */
const resultsPath = join(root, 'scripts/mutate/results.json');
const pagePath = join(root, 'docs/reference/mutants.md');

export function readResults() {
  return JSON.parse(readFileSync(resultsPath, 'utf8'));
}

/**
 * Keeps what a run found, for the files that it tried: no numbers of lines, which the next change of a file would make
 * wrong.
 * @param whole it tried all files
 * @param onlySurvivors it tried what had survived before; what was killed before still is
 */
export function keepResult(subject, { byFile, survivors }, { whole, onlySurvivors }) {
  const results = readResults();
  const before = (whole ? undefined : results[subject]) ?? { files: {}, survivors: [] };
  const files = { ...before.files };
  for (const [file, figures] of Object.entries(byFile)) {
    const old = files[file];
    files[file] = onlySurvivors && old !== undefined ? retried(old, figures) : figures;
  }
  const kept = survivors.map(({ file, from, to, in: line, covered }) => ({ file, from, to, in: line, covered }));
  const others = before.survivors.filter(({ file }) => byFile[file] === undefined);
  const all = { ...results, [subject]: { files: sorted(files), survivors: [...others, ...kept] } };
  const ordered = Object.fromEntries(Object.keys(subjects).flatMap((name) => (all[name] ? [[name, all[name]]] : [])));
  writeFileSync(resultsPath, `${JSON.stringify(ordered, undefined, 2)}\n`);
}

/** Where survivors lie, changes lie that were killed before: those were tried again, and are not to count twice. */
function retried(old, { survived, uncovered }) {
  const before = old.killed + old.survived + old.uncovered;
  return { ...old, killed: before - survived - uncovered, survived, uncovered };
}

function sorted(files) {
  return Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The figures of all files of a package. */
export function sumOf(byFile) {
  const sum = { killed: 0, timeout: 0, survived: 0, uncovered: 0 };
  for (const figures of Object.values(byFile)) for (const name of Object.keys(sum)) sum[name] += figures[name];
  return sum;
}

/** Killed and timed-out ones of all, in hundredths. */
export function scoreOf({ killed, timeout, survived, uncovered }) {
  const all = killed + timeout + survived + uncovered;
  return all === 0 ? '–' : (((killed + timeout) * 100) / all).toFixed(1);
}

function matches(entry, survivor) {
  const from = entry.from.endsWith('…')
    ? survivor.from.startsWith(entry.from.slice(0, -1))
    : survivor.from === entry.from;
  return from && entry.to === survivor.to && (entry.in === undefined || survivor.in.includes(entry.in));
}

/** Why a survivor may survive; undefined: nobody has said. */
export function reasonFor(subject, survivor) {
  return explanations[subject]?.[survivor.file]?.find((entry) => matches(entry, survivor))?.why;
}

/** Explanations of what does not survive any more, as "package/file: from -> to". */
export function unusedExplanations(results) {
  const unused = [];
  for (const [subject, files] of Object.entries(explanations)) {
    if (results[subject] === undefined) continue;
    for (const [file, entries] of Object.entries(files)) {
      if (results[subject].files[file] === undefined) continue;
      for (const entry of entries) {
        const used = results[subject].survivors.some((survivor) => survivor.file === file && matches(entry, survivor));
        if (!used) unused.push(`${subject}/${file}: ${entry.from} -> ${entry.to}`);
      }
    }
  }
  return unused;
}

/** As code in a cell of a table. */
function code(text) {
  const short = text.length > 120 ? `${text.slice(0, 117)}…` : text;
  const fence = short.includes('`') ? '``' : '`';
  return `${fence}${fence.length > 1 ? ' ' : ''}${short.replaceAll('|', '\\|')}${fence.length > 1 ? ' ' : ''}${fence}`;
}

function survivorTable(subject, survivors) {
  const rows = new Map();
  for (const survivor of survivors) {
    const why = reasonFor(subject, survivor) ?? '**unexplained**';
    const change = `${code(survivor.from)} → ${code(survivor.to || ' ')}`;
    const key = `| ${survivor.file} | ${change} | ${survivor.covered ? '' : 'No test runs it. '}${why} |`;
    rows.set(key, (rows.get(key) ?? 0) + 1);
  }
  const lines = [...rows].map(([row, times]) => (times === 1 ? row : row.replace(' → ', ` (${times} times) → `)));
  return `### ${subject}\n\n| file | change | why it passes |\n|---|---|---|\n${lines.join('\n')}\n`;
}

export function writePage(results) {
  const rows = Object.entries(results).map(([name, { files }]) => {
    const figures = sumOf(files);
    const { killed, timeout, survived, uncovered } = figures;
    const all = killed + timeout + survived + uncovered;
    return `| ${name} | ${all} | ${killed} | ${timeout} | ${survived} | ${uncovered} | ${scoreOf(figures)} |`;
  });
  const tables = Object.entries(results)
    .filter(([, { survivors }]) => survivors.length > 0)
    .map(([name, { survivors }]) => survivorTable(name, survivors));
  writeFileSync(
    pagePath,
    `<!-- Generated by \`npm run mutate\`; do not edit. -->
# Mutants

A mutant is the code with one small change: a \`<\` that becomes \`<=\`, a branch that is never taken, a text that is empty. A
mutant that fails a test is killed. One that passes them all is a line that no test holds, or a change that nobody can
see. \`npm run mutate\` makes them one by one with [Stryker](https://stryker-mutator.io) in the packages that read and write
bytes of others, and in \`core\` in the files that rule over header names and values, statuses, and heads of requests and
replies. A mutant meets the unit tests of its own package, and the vectors of its protocol.

\`\`\`
npm run mutate                               everything, which takes hours
npm run mutate -- scgi                       one package
npm run mutate -- fastcgi --file params.ts   one file
npm run mutate -- scgi --survivors           what survived the last time, again
npm run mutate -- --concurrency 4            on a machine with nothing else to do
\`\`\`

What is written for people is not changed: the messages of errors. What survives is explained in
\`scripts/mutate/survivors.mjs\` by the text of the change; the command fails where an explanation is missing.

| package | mutants | killed | timeout | survived | no coverage | score |
|---|---|---|---|---|---|---|
${rows.join('\n')}

## Survivors

${tables.join('\n')}`,
  );
}
