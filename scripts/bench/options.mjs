import { parseArgs } from 'node:util';
import { scenarios } from './scenarios.mjs';
import { comparisons, subjects } from './subjects.mjs';

export const help = `npm run bench -- [options]

Measures the server CPU time that a request costs: this project over FastCGI beside node:http, @hono/node-server and
node-fastcgi, all in the same minutes on the same machine. Only ratios are told.

  --only NAMES         comparisons with these servers alone, comma-separated:
                       ${Object.keys(subjects).join(', ')}
  --scenario NAMES     ${scenarios.map(({ name }) => name).join(', ')}; all without it
  --rounds N           rounds of every scenario, 4 or more; 16 without it
  --connections N      connections to each server, one request in flight on each; 16 without it
  --transport KIND     unix (sockets, as a web server on the same machine is joined best) or tcp; unix without it
  --requests N         requests of a server in a round; without it about a fifth of a second of them
  --seconds N          no further round of a scenario begins after that, warm-up not counted; 30 without it
  --json FILE          writes everything that was measured
  --help

Exit code 1: a ratio is unsteady or above its bound, or a server failed. Exit code 2: the command is wrong.
`;

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
        scenario: { type: 'string' },
        rounds: { type: 'string', default: '16' },
        connections: { type: 'string', default: '16' },
        requests: { type: 'string' },
        transport: { type: 'string', default: 'unix' },
        seconds: { type: 'string', default: '30' },
        json: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    throw new UsageError(error.message);
  }
  const only = names('only', values.only, Object.keys(subjects));
  const scenario = names(
    'scenario',
    values.scenario,
    scenarios.map(({ name }) => name),
  );
  const [transport] = names('transport', values.transport, ['unix', 'tcp']);
  return {
    comparisons: comparisons.filter(({ of, to }) => only.includes(of) || only.includes(to)),
    scenarios: scenarios.filter(({ name }) => scenario.includes(name)),
    rounds: count('rounds', values.rounds, 4),
    connections: count('connections', values.connections, 1),
    requests: values.requests === undefined ? undefined : count('requests', values.requests, 1),
    seconds: count('seconds', values.seconds, 1),
    transport,
    json: values.json,
    help: values.help,
  };
}

function names(option, text, known) {
  if (text === undefined) return known;
  const given = text.split(',');
  for (const name of given) {
    if (!known.includes(name)) throw new UsageError(`--${option} ${name}: it is one of ${known.join(', ')}`);
  }
  return given;
}

function count(option, text, least) {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value < least || value > 1_000_000)
    throw new UsageError(`--${option} ${text}: a whole number from ${least} to 1000000`);
  return value;
}
