import { parseArgs } from 'node:util';
import { rows } from './rows.mjs';
import { scenarios } from './scenarios.mjs';

const names = rows.map(({ name }) => name);
/** What the applications of all three styles answer. */
const askable = scenarios.map(({ name }) => name).filter((name) => name !== 'constant');

export const help = `npm run bench -- [options]
npm run bench:one -- NAME [options]

Measures this project beside node:http and others, in the same minutes on the same machine, and prints one table of ratios
with the bounds that they must hold. bench:one measures one row, and prints its samples too. The rows:
${wrapped(names)}

  --only NAMES         these rows alone, comma-separated
  --scenario NAME      what is asked in place of \`hello\` of the rows that can be asked it (${askableRows()}):
                       ${askable.join(', ')}; there is no bound then
  --rounds N           rounds of every row, 4 or more; 16 without it
  --connections N      connections to each server, one request in flight on each; 16 without it
  --transport KIND     unix (sockets, as a web server on the same machine is joined best) or tcp; unix without it
  --requests N         requests of a server in a round; without it about a fifth of a second of them
  --seconds N          no further round of a row begins after that, warm-up not counted; 30 without it
  --json FILE          writes everything that was measured
  --plot FILE          writes the ratios and their bounds as bars, SVG
  --profile FOLDER     writes a CPU profile of each server process, and prints where its time goes; a ratio is not told
  --no-build           measures the builds as they are; without it they are brought up to date
  --page               measures nothing: writes the table of the last full run into docs/explanation/performance.md
  --help

Exit code 1: a ratio is above its bound or too unsteady to say, or a row failed. Exit code 2: the command is wrong.
`;

function wrapped(words) {
  const lines = [''];
  for (const word of words) {
    if (lines.at(-1).length + word.length > 100) lines.push('');
    lines[lines.length - 1] += ` ${word}`;
  }
  return lines.map((line) => `  ${line.trim()}`).join('\n');
}

function askableRows() {
  return rows
    .filter(({ anyScenario }) => anyScenario)
    .map(({ name }) => name)
    .join(', ');
}

export class UsageError extends Error {}

/**
 * @param {string[]} args
 * @throws UsageError
 */
export function parseOptions(args) {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        only: { type: 'string' },
        one: { type: 'string' },
        scenario: { type: 'string' },
        rounds: { type: 'string', default: '16' },
        connections: { type: 'string', default: '16' },
        requests: { type: 'string' },
        transport: { type: 'string', default: 'unix' },
        seconds: { type: 'string', default: '30' },
        json: { type: 'string' },
        plot: { type: 'string' },
        profile: { type: 'string' },
        'no-build': { type: 'boolean', default: false },
        page: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    throw new UsageError(error.message);
  }
  const { json, plot, profile, page } = values;
  return {
    rows: chosenRows(values),
    one: values.one !== undefined,
    full: values.only === undefined && values.one === undefined && values.scenario === undefined,
    scenario: values.scenario,
    rounds: count('rounds', values.rounds, 4),
    connections: count('connections', values.connections, 1),
    requests: values.requests === undefined ? undefined : count('requests', values.requests, 1),
    seconds: count('seconds', values.seconds, 1),
    transport: oneOf('transport', values.transport, ['unix', 'tcp']),
    ...{ json, plot, profile, page },
    build: !values['no-build'],
    help: values.help,
  };
}

function chosenRows({ only, one, scenario }) {
  const asked = one === undefined ? (only?.split(',') ?? names) : [oneOf('one', one, names)];
  for (const name of asked) oneOf('only', name, names);
  const chosen = rows.filter(({ name }) => asked.includes(name));
  if (scenario === undefined) return chosen;
  oneOf('scenario', scenario, askable);
  const can = chosen.filter(({ anyScenario }) => anyScenario);
  if (can.length === 0)
    throw new UsageError(`--scenario ${scenario}: none of these rows can be asked it, but ${askableRows()}`);
  // bounds are for what a row is asked without it
  return scenario === 'hello' ? can : can.map((row) => ({ ...row, most: undefined }));
}

function oneOf(option, name, known) {
  if (!known.includes(name)) throw new UsageError(`--${option} ${name}: it is one of ${known.join(', ')}`);
  return name;
}

function count(option, text, least) {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value < least || value > 1_000_000)
    throw new UsageError(`--${option} ${text}: a whole number from ${least} to 1000000`);
  return value;
}
