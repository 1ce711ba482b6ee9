import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildPackages } from './build.mjs';
import { pinLoad } from './cores.mjs';
import { help, parseOptions, UsageError } from './options.mjs';
import { lastRun, writePage } from './page.mjs';
import { plot } from './plot.mjs';
import { topText } from './profile.mjs';
import { describeMachine, machineText, samplesText, Table, verdictOf } from './report.mjs';
import { pairedRatio } from './statistics.mjs';

/** What is to be ended with this process, however it ends. */
const running = new Set();

/** Sockets and other files. */
const folder = mkdtempSync(join(tmpdir(), 'bench-'));

function endAll() {
  for (const one of running) one.end();
  running.clear();
  rmSync(folder, { recursive: true, force: true });
}
process.on('exit', endAll);
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

/** What went wrong with one row does not keep the others from being measured. */
async function measureRow(row, options) {
  const context = { folder: join(folder, row.name), running, row: row.name, profile: options.profile, profiles: [] };
  mkdirSync(context.folder);
  const { name, text, against, most } = row;
  const result = { name, text, against, most };
  try {
    const { measure } = await import(`./measures/${row.measure}.mjs`);
    const measured = await measure(row, options, context);
    const { samples } = measured;
    Object.assign(result, measured, samples === undefined ? {} : { ratio: pairedRatio(samples.of, samples.to) });
  } catch (error) {
    result.failed = error.message;
  } finally {
    for (const one of running) one.end();
    running.clear();
  }
  for (const file of context.profiles) console.log(topText(JSON.parse(readFileSync(file, 'utf8')), file));
  return result;
}

function heading(options) {
  const { rounds, connections, transport } = options;
  const asked = options.scenario === undefined ? '' : ` Asked: ${options.scenario}.`;
  return `At most ${rounds} rounds; ${connections} connections (${transport}) where a row has no number of its own.${asked}`;
}

async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(help);
    return 0;
  }
  if (options.page) {
    writePage();
    return 0;
  }
  if (options.build) buildPackages(['postern']);
  if (options.profile !== undefined) mkdirSync(options.profile, { recursive: true });
  const machine = describeMachine();
  pinLoad();
  console.log(`${machineText(machine)}\n${heading(options)}\n`);
  const table = new Table(options.rows);
  // a process that is profiled is slower
  const profiled = options.profile !== undefined;
  if (!profiled) console.log(table.title());
  const results = [];
  for (const row of options.rows) {
    const result = await measureRow(row, options);
    results.push(result);
    if (!profiled || result.ratio === undefined) console.log(table.line(result));
  }
  for (const { name, failed, notes = [], ...result } of results) {
    if (failed !== undefined) console.error(`${name}: ${failed}`);
    for (const note of notes) console.log(`${name}: ${note}`);
    if (options.one && result.samples !== undefined) console.log(samplesText(result));
  }
  write(machine, results, options);
  const bad = results.filter((result) => ['MISSED', 'unsteady', 'FAILED'].includes(verdictOf(result)));
  return bad.length === 0 || profiled ? 0 : 1;
}

function write(machine, results, options) {
  const { rounds, connections, transport, scenario } = options;
  const json = `${JSON.stringify({ machine, rounds, connections, transport, scenario, results }, undefined, 1)}\n`;
  if (options.json !== undefined) writeFileSync(options.json, json);
  if (options.plot !== undefined) writeFileSync(options.plot, plot(results));
  if (!options.full || options.profile !== undefined) return;
  mkdirSync(new URL('.', lastRun), { recursive: true });
  writeFileSync(lastRun, json);
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof UsageError ? `${error.message}\nnpm run bench -- --help` : error.message);
  process.exitCode = error instanceof UsageError ? 2 : 1;
} finally {
  endAll();
}
