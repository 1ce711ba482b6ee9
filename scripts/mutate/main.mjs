// npm run mutate: changes the code in small ways and tells which changes no test notices; see options.mjs.
import { setPriority } from 'node:os';
import { chdir } from 'node:process';
import { help, parseOptions, UsageError } from './options.mjs';
import { keepResult, readResults, reasonFor, scoreOf, sumOf, unusedExplanations, writePage } from './report.mjs';
import { mutatePackage } from './run.mjs';
import { root } from './subjects.mjs';

function tell(subject, { byFile, survivors }) {
  const figures = sumOf(byFile);
  for (const survivor of survivors) {
    const { file, place, from, to, covered } = survivor;
    const why = reasonFor(subject, survivor);
    const kind = covered ? 'survived' : 'no test runs it';
    console.log(`${subject}/${file}:${place} ${kind}: ${from} -> ${to}${why === undefined ? '   UNEXPLAINED' : ''}`);
  }
  const { killed, timeout, survived, uncovered } = figures;
  console.log(
    `${subject}: ${killed} killed, ${timeout} timed out, ${survived} survived, ${uncovered} without a test: ${scoreOf(figures)} %`,
  );
}

async function main(args) {
  let options;
  try {
    options = parseOptions(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message} (npm run mutate -- --help)`);
    return 2;
  }
  if (options.help) {
    console.log(help);
    return 0;
  }
  chdir(root);
  // what else runs on the machine comes first
  setPriority(10);
  const { names, files, tests, survivors: onlySurvivors, concurrency } = options;
  let unexplained = 0;
  for (const name of options.page ? [] : names) {
    const result = await mutatePackage(name, { files, tests, onlySurvivors, concurrency });
    tell(name, result);
    unexplained += result.survivors.filter((survivor) => reasonFor(name, survivor) === undefined).length;
    keepResult(name, result, { whole: files === undefined && !onlySurvivors, onlySurvivors });
  }
  const results = readResults();
  writePage(results);
  if (options.page) {
    for (const [name, { files: byFile, survivors }] of Object.entries(results)) {
      const open = survivors.filter((survivor) => reasonFor(name, survivor) === undefined);
      for (const { file, from, to } of open) console.log(`${name}/${file} UNEXPLAINED: ${from} -> ${to}`);
      console.log(`${name}: ${scoreOf(sumOf(byFile))} %`);
      unexplained += open.length;
    }
  }
  for (const entry of unusedExplanations(results)) console.log(`explained, but it does not survive: ${entry}`);
  if (unexplained > 0) console.log(`${unexplained} unexplained: say why in scripts/mutate/survivors.mjs, or test it`);
  return unexplained > 0 ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  // Stryker has said more of it
  console.error(error.message);
  process.exitCode = 1;
}
