import { join } from 'node:path';
import { ChildServer } from './child-server.mjs';
import { Load } from './load.mjs';
import { subjects } from './subjects.mjs';

/** How long every server is warmed up, and how long a slice should take, in milliseconds. */
const WARM_UP = 2500;
const SLICE = 200;
/** Requests of one piece of the warm-up. */
const PIECE = 250;

/**
 * Measures servers side by side: in every round each of them handles the same number of requests, in one order and in
 * the next round in the opposite one. When the seconds are used up it ends with fewer rounds, four at least.
 *
 * @param {object} scenario
 * @param {readonly string[]} names of `subjects`
 * @param {{ rounds: number, connections: number, requests?: number, seconds: number, transport: 'unix' | 'tcp' }} options
 * @param {string} folder for the sockets
 * @param {Set<ChildServer>} running takes the processes while they run, so that an interrupt can end them
 * @returns {Promise<{ name: string, kept: boolean, requests: number, samples: number[] }[]>} samples: CPU time a request
 *   in each round, in microseconds
 */
export async function measure(scenario, names, options, folder, running) {
  const lanes = [];
  try {
    for (const name of names) {
      const path = join(folder, `${lanes.length}.${scenario.name}`);
      const target = options.transport === 'unix' ? { path } : { host: '127.0.0.1', port: 0 };
      const child = new ChildServer(subjects[name].server, target);
      running.add(child);
      const load = new Load({ name, ...subjects[name] }, scenario, await child.start());
      lanes.push({ name, kept: subjects[name].kept, child, load, requests: 0, samples: [] });
      await load.open(options.connections);
    }
    for (const lane of lanes) lane.requests = await warmUp(lane.load);
    shareRequests(lanes, options.requests);
    const deadline = performance.now() + options.seconds * 1000;
    for (let round = 0; round < options.rounds; round++) {
      if (round >= 4 && round % 2 === 0 && performance.now() > deadline) break;
      for (const lane of round % 2 === 0 ? lanes : lanes.toReversed()) lane.samples.push(await slice(lane));
    }
  } finally {
    for (const { child, load } of lanes) {
      load.close();
      child.end();
      running.delete(child);
    }
  }
  return lanes.map(({ name, kept, requests, samples }) => ({ name, kept, requests, samples }));
}

/** Returns how many requests make a slice. */
async function warmUp(load) {
  const start = performance.now();
  let pieces = 0;
  let lastHalf = 0;
  let halfway = start;
  for (let now = start; now - start < WARM_UP; now = performance.now()) {
    await load.run(PIECE);
    pieces++;
    if (now - start < WARM_UP / 2) {
      lastHalf = pieces;
      halfway = performance.now();
    }
  }
  return ((pieces - lastHalf) * PIECE * SLICE) / (performance.now() - halfway);
}

/** All servers with kept connections get the same number, and so do all others: those are slower by the connecting. */
function shareRequests(lanes, fixed) {
  for (const kept of [true, false]) {
    const group = lanes.filter((lane) => lane.kept === kept);
    const mean = group.reduce((sum, lane) => sum + lane.requests, 0) / group.length;
    for (const lane of group) lane.requests = fixed ?? Math.max(100, Math.round(mean / 100) * 100);
  }
}

async function slice({ child, load, requests }) {
  const before = await child.cpu();
  await load.run(requests);
  return ((await child.cpu()) - before) / requests;
}
