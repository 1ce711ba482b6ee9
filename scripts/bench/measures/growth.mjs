import { ChildServer } from '../child-server.mjs';
import { EventClients } from '../event-clients.mjs';
import { furtherVariables, variablesAnswer } from '../growth-apps.mjs';
import { Load } from '../load.mjs';
import { scenarios } from '../scenarios.mjs';
import { targetFor } from '../sides.mjs';
import { median } from '../statistics.mjs';

/** Rounds that are made whatever the time. */
const LEAST = 4;
const MIB = 1_048_576;

const measures = { connections, variables, streams };

/** How what a request costs grows with what there is: see the rows. */
export function measure(row, options, context) {
  return measures[row.grow](options, context);
}

// CPU a request by the number of connections

const COUNTS = [64, 1, 8, 512, 4000];

async function connections(options, context) {
  const hello = scenarios.find(({ name }) => name === 'hello');
  const point = { scenario: hello, server: 'environ', wire: 'fastcgi' };
  const theirs = { scenario: hello, server: 'node', wire: 'http' };
  const points = COUNTS.flatMap((count) => [point, theirs].map((side) => ({ ...side, connections: count })));
  const all = await sampled(points, 4000, 30_000, options, context);
  const [base, ...others] = all.filter((_, i) => i % 2 === 0);
  const [baseTheirs, ...othersTheirs] = all.filter((_, i) => i % 2 === 1);
  const relative = (samples, to) => median(samples.map((sample, i) => sample / to[i]));
  const ratios = others.map((samples) => relative(samples, base));
  const worst = ratios.indexOf(Math.max(...ratios));
  const texts = ratios.map((ratio, i) => {
    const theirRatio = relative(othersTheirs[i], baseTheirs);
    return `${COUNTS[i + 1]} connections ${ratio.toFixed(2)} (${theirRatio.toFixed(2)})`;
  });
  const notes = [`of the CPU a request at 64, environ and in brackets node:http: ${texts.join(', ')}`];
  return { samples: { of: others[worst], to: base }, unit: 'µs of CPU a request', notes };
}

// CPU a request by the number of variables

/** As many as nginx sends without a header, and more. */
const VARIABLES = [20, 50, 100, 200];

async function variables(options, context) {
  const points = VARIABLES.map((count) => ({
    server: 'growth',
    wire: 'fastcgi',
    connections: options.connections,
    scenario: {
      name: `${count} variables`,
      method: 'GET',
      target: '/variables',
      clients: [[['Host', 'www.example.org']]],
      body: '',
      variables: furtherVariables(count - VARIABLES[0]),
      expected: () => variablesAnswer(count - VARIABLES[0]),
    },
  }));
  const cpu = await sampled(points, 4000, 10_000, options, context);
  const slope = (from, to, round) => ((cpu[to][round] - cpu[from][round]) * 1000) / (VARIABLES[to] - VARIABLES[from]);
  const rounds = [...cpu[0].keys()];
  const slopes = (from, to) => rounds.map((round) => slope(from, to, round));
  const pairs = VARIABLES.slice(1).map((count, i) => {
    const relative = median(rounds.map((round) => slope(i, i + 1, round) / slope(0, VARIABLES.length - 1, round)));
    return `from ${VARIABLES[i]} to ${count}: ${relative.toFixed(2)}`;
  });
  const notes = [`a further variable costs, of the mean of 20 to 200, ${pairs.join(', ')}`];
  return { samples: { of: slopes(2, 3), to: slopes(0, 2) }, unit: 'ns of CPU a variable', notes };
}

/**
 * The CPU a request of each point in every round, in microseconds: a server in a process of its own for each, all asked
 * the same number of requests, in an order that alternates.
 */
async function sampled(points, requests, warmUp, options, context) {
  const lanes = [];
  try {
    for (const { server: name, wire, scenario, connections: count } of points) {
      const target = targetFor(`growth${lanes.length}`, options, context);
      const server = await ChildServer.start(name, wire, target, context);
      const lane = { server, load: new Load(name, wire, scenario, server.address), samples: [] };
      lanes.push(lane);
      await lane.load.open(count);
      await lane.load.run(warmUp);
    }
    const deadline = performance.now() + options.seconds * 1000;
    for (let round = 0; round < options.rounds; round++) {
      if (round >= LEAST && performance.now() > deadline) break;
      for (const { server, load, samples } of round % 2 === 0 ? lanes : lanes.toReversed()) {
        const before = await server.cpu();
        await load.run(requests);
        samples.push(((await server.cpu()) - before) / requests);
      }
    }
  } finally {
    for (const { server, load } of lanes) {
      load.close();
      await server.stop();
    }
  }
  return lanes.map(({ samples }) => samples);
}

// memory while event streams go on

const CLIENTS = 5000;
/** Looks in each half, and milliseconds between two. */
const LOOKS = 8;
const PAUSE = 500;

async function streams(options, context) {
  const server = await ChildServer.start('growth', 'fastcgi', targetFor('streams', options, context), context);
  const clients = new EventClients(server.address);
  try {
    await clients.open(1);
    const { rss: before } = await server.memory();
    await clients.open(CLIENTS);
    // each has its event
    await clients.pass(2);
    const looks = [];
    for (let i = 0; i < 2 * LOOKS; i++) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      looks.push(((await server.memory()).rss - before) / MIB);
    }
    const received = await clients.pass(1);
    const early = looks.slice(0, LOOKS);
    const late = looks.slice(LOOKS);
    const notes = [
      `${received} events came to ${CLIENTS} clients, each in its order; between the halves memory changed by ${(median(late) - median(early)).toFixed(1)} MiB`,
    ];
    return { samples: { of: late, to: early }, unit: 'MiB', notes };
  } finally {
    clients.close();
    await server.stop();
  }
}
