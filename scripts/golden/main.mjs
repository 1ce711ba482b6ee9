// npm run golden: asks the real web servers, records the environs in test/golden, and prints where they differ.
//   npm run golden                     records, writes docs/reference/front-ends.md
//   npm run golden -- --check          records and compares with what is kept
//   npm run golden -- --check nginx    one web server alone
import { buildPackages } from '../bench/build.mjs';
import { bundleInside } from '../lib/bundle.mjs';
import { goldenPath, json, pagePath, readGolden, stale, write } from './files.mjs';

const help = `npm run golden -- [--check] [--built] [FRONT-END]...

Sends the same twelve requests through nginx, Apache, lighttpd, Caddy and HAProxy (or those that are named), over every
protocol, records the environs, and prints where one differs from that of a request without a web server.

  --check   compares with what was recorded, and writes nothing
  --built   takes the packages as they are built
`;

/** What a web server says of itself. */
function versionOf(columns) {
  const environs = Object.values(columns).flatMap(({ told }) => told.flat().map(({ environ }) => environ));
  const names = environs.map((environ) => environ?.SERVER_SOFTWARE).filter((name) => name && !/postern/i.test(name));
  return /^[^ (]+(?: [0-9.]+)?/.exec(names[0])[0].replace(/\/v?/, ' ');
}

async function main(args) {
  const flags = args.filter((arg) => arg.startsWith('-'));
  const asked = args.filter((arg) => !arg.startsWith('-'));
  if (flags.includes('--help') || flags.some((flag) => !['--check', '--built'].includes(flag))) {
    console.log(help);
    return flags.includes('--help') ? 0 : 2;
  }
  if (!flags.includes('--built')) buildPackages(['postern', 'testkit']);
  const inside = ['address.ts', 'config/web-servers.ts', 'interface.ts', 'serve.ts'];
  await bundleInside('postern', inside, '.cache/postern');
  // what is imported from here on is what was just built
  const { profileRules } = await import('../../packages/core/dist/index.js');
  const { frontEnds, record } = await import('./record.mjs');
  const { columnOf, explainAll, mapValues, referenceOf } = await import('./results.mjs');
  const { notesText, page, tableText } = await import('./report.mjs');
  const all = Object.keys(frontEnds);
  const unknown = asked.find((name) => !all.includes(name));
  if (unknown !== undefined) {
    console.error(`there is no front-end "${unknown}": choose from ${all.join(', ')}`);
    return 2;
  }
  const names = asked.length === 0 ? all : asked;
  const { reference: told, recorded } = await record(names);
  const reference = referenceOf(told);
  const golden = mapValues(recorded, (columns) => ({
    version: versionOf(columns),
    columns: mapValues(columns, (column) => columnOf(reference, column)),
  }));
  const files = { reference, ...golden };
  const check = flags.includes('--check');
  // another version of a web server may well send the same
  if (check) for (const name of names) files[name].version = readGolden(name).version;
  const complaints = [];
  for (const [name, content] of Object.entries(files)) {
    if (check) complaints.push(...stale(goldenPath(name), json(content)));
    else write(goldenPath(name), json(content));
  }
  const kept = Object.fromEntries(all.map((name) => [name, golden[name] ?? readGolden(name)]));
  const { table, unexplained, unused } = explainAll(mapValues(kept, ({ columns }) => columns));
  const text = page(
    table,
    mapValues(kept, ({ version }) => version),
    profileRules,
  );
  if (check) complaints.push(...stale(pagePath, text));
  else write(pagePath, text);
  complaints.push(...unexplained.map((line) => `without an explanation: ${line}`));
  complaints.push(...unused.map(({ reason }) => `explains nothing: ${reason}`));
  console.log(`${tableText(table)}\n\n= equal to a request without a web server\n${notesText()}`);
  for (const line of complaints) console.error(line);
  return complaints.length === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
