import { join } from 'node:path';
import { ChildServer } from '../child-server.mjs';
import { Load } from '../load.mjs';
import { pairedRounds } from '../rounds.mjs';
import { scenarios } from '../scenarios.mjs';
import { wires } from '../wires.mjs';

/** How long a server is warmed up, if it does not say, and how long a slice should take, in milliseconds. */
const WARM_UP = 2000;
const SLICE = 200;
/** Requests of one piece of the warm-up. */
const PIECE = 250;

/** The server CPU time of a request: two servers that are asked the same. */
export async function measure(row, options, context) {
  const scenario = scenarios.find(({ name }) => name === (options.scenario ?? row.scenario));
  const sides = [];
  try {
    const absent = await begin(row, scenario, options, context, sides);
    if (absent !== undefined) return { absent };
    const [of, to] = sides;
    const counts = [await warmUp(of), await warmUp(to)];
    // the same number of each, so that a round compares the same
    const requests = options.requests ?? Math.max(100, Math.round((counts[0] + counts[1]) / 200) * 100);
    const samples = await pairedRounds(
      () => slice(of, requests),
      () => slice(to, requests),
      options,
    );
    return { samples, unit: 'µs of CPU a request', requests };
  } finally {
    for (const { load, server } of sides) {
      load?.close();
      await server.stop();
    }
  }
}

/** Starts both servers and connects to them. @returns what is not installed */
async function begin(row, scenario, options, context, sides) {
  const { of, to, peer } = row;
  const at = (name) =>
    options.transport === 'unix' && row.transport !== 'tcp'
      ? { path: join(context.folder, name) }
      : { host: '127.0.0.1', port: 0 };
  if (peer !== undefined) {
    const { absent, start, warmUp = WARM_UP } = await import(`../peers/${peer}.mjs`);
    const missing = absent();
    if (missing !== undefined) return missing;
    const server = await start(at('to'), options.connections, context);
    const side = { server, load: undefined, warmUp };
    sides.push(side);
    side.load = new Load(peer, of[1], { ...scenario, variables: server.variables }, server.address);
    await side.load.open(options.connections);
  }
  for (const [name, wire] of peer === undefined ? [of, to] : [of]) {
    const target = at(String(sides.length));
    const server = await ChildServer.start(name, wires[wire].protocol, target, context);
    const load = new Load(`${name}, ${wire}`, wire, scenario, server.address);
    const side = { server, load, warmUp: WARM_UP };
    if (peer === undefined) sides.push(side);
    else sides.unshift(side);
    await side.load.open(options.connections);
  }
  return undefined;
}

/** Returns how many requests make a slice. */
async function warmUp({ load, warmUp: time }) {
  const start = performance.now();
  let pieces = 0;
  let lastHalf = 0;
  let halfway = start;
  for (let now = start; now - start < time; now = performance.now()) {
    await load.run(PIECE);
    pieces++;
    if (now - start < time / 2) {
      lastHalf = pieces;
      halfway = performance.now();
    }
  }
  return ((pieces - lastHalf) * PIECE * SLICE) / (performance.now() - halfway);
}

async function slice({ server, load }, requests) {
  const before = await server.cpu();
  await load.run(requests);
  return ((await server.cpu()) - before) / requests;
}
