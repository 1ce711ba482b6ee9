import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildPackages } from './build.mjs';
import { measure } from './measure.mjs';
import { help, parseOptions, UsageError } from './options.mjs';
import { describeMachine, machineText, ratiosText, samplesText } from './report.mjs';
import { pairedRatio } from './statistics.mjs';
import { subjects } from './subjects.mjs';

/** The processes of the servers, ended with this one however it ends. */
const running = new Set();

/** Their sockets. */
const folder = mkdtempSync(join(tmpdir(), 'bench-'));

function endServers() {
  for (const child of running) child.end();
  rmSync(folder, { recursive: true, force: true });
}
process.on('exit', endServers);
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

async function runScenario(scenario, options) {
  const comparisons = options.comparisons.filter(({ scenarios }) => scenarios?.includes(scenario.name) ?? true);
  if (comparisons.length === 0) return undefined;
  const names = Object.keys(subjects).filter((name) => comparisons.some(({ of, to }) => of === name || to === name));
  console.log(`\n${scenario.name}: ${scenario.text}`);
  const measured = await measure(scenario, names, options, folder, running);
  const samplesOf = (name) => measured.find((one) => one.name === name).samples;
  const ratios = comparisons.map((comparison) => ({
    ...comparison,
    ...pairedRatio(samplesOf(comparison.of), samplesOf(comparison.to)),
  }));
  console.log('  server CPU a request in each round, in microseconds of this machine and this minute:');
  console.log(samplesText(measured));
  console.log('  ratios, each the median of the rounds:');
  console.log(ratiosText(ratios));
  return { name: scenario.name, measured, ratios };
}

async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(help);
    return 0;
  }
  buildPackages([
    ...new Set(options.comparisons.flatMap(({ of, to }) => [of, to].flatMap((name) => subjects[name].packages))),
  ]);
  const machine = describeMachine();
  const { rounds, connections, transport } = options;
  console.log(machineText(machine));
  console.log(
    `${rounds} rounds; ${connections} connections (${transport}) to each server, one request in flight on each.`,
  );
  console.log(
    'They are kept, but for those of node-fastcgi, which closes each after one reply although it is asked to keep',
  );
  console.log('it, and of the "-close" servers that are compared with it.');
  const results = [];
  for (const scenario of options.scenarios) {
    const result = await runScenario(scenario, options);
    if (result !== undefined) results.push(result);
  }
  if (results.length === 0) throw new UsageError('these servers are not compared in these scenarios');
  if (options.json !== undefined) {
    const all = { machine, rounds, connections, transport, scenarios: results };
    writeFileSync(options.json, `${JSON.stringify(all, undefined, 2)}\n`);
  }
  const bad = results.flatMap(({ ratios }) => ratios).filter(({ steady, median, most }) => !steady || median > most);
  return bad.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof UsageError ? `${error.message}\nnpm run bench -- --help` : error.message);
  process.exitCode = error instanceof UsageError ? 2 : 1;
} finally {
  endServers();
}
