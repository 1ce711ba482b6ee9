import { readFileSync } from 'node:fs';
import { ChildServer } from '../child-server.mjs';
import { Load } from '../load.mjs';
import { OpenLoad } from '../open-load.mjs';
import { pairedRounds } from '../rounds.mjs';
import { scenarios } from '../scenarios.mjs';
import { BusyShare, targetFor } from '../sides.mjs';

/** Connections to each server: more than are busy at once at half of the load. */
const CONNECTIONS = 64;
/** Of the search for the saturating rate: warmed up, then the best of some slices. */
const WARM_UP = 20_000;
const SLICE = 10_000;
const SLICES = 6;
/** How long a slice of the open load lasts, in seconds. */
const SECONDS = 0.4;
/** A server or a load that waited for its core more than this share of a slice was disturbed by other processes. */
const DISTURBED = 0.01;
/** How often a slice that was disturbed is made again. */
const TRIES = 5;

/** p99 of the latency at half of the rate at which node:http saturates, counted from when a request was to be sent. */
export async function measure(_row, options, context) {
  const scenario = scenarios.find(({ name }) => name === 'hello');
  const sides = [];
  try {
    for (const [name, wire] of [
      ['environ', 'fastcgi'],
      ['node', 'http'],
    ]) {
      const server = await ChildServer.start(name, wire, targetFor(wire, options, context), context);
      const side = { name, wire, server, disturbed: 0 };
      sides.push(side);
      side.saturating = await saturate(side, scenario);
      side.load = new OpenLoad(wire, scenario);
      await side.load.open(server.address, CONNECTIONS);
    }
    const [of, to] = sides;
    const rate = to.saturating.rate / 2;
    const samples = await pairedRounds(
      () => slice(of, rate),
      () => slice(to, rate),
      options,
    );
    const [ours, nodes] = sides.map(({ saturating }) => saturating);
    const notes = [
      `${Math.round(rate)} requests a second, half of what saturates node:http; environ takes ${(ours.rate / nodes.rate).toFixed(2)} times as many`,
      `saturated, the servers used ${ours.busy.text} and ${nodes.busy.text} of their core`,
      `in ${of.disturbed + to.disturbed} of ${2 * samples.of.length} slices other processes took the core of the server or of the load`,
    ];
    return { samples, unit: 'µs', notes };
  } finally {
    for (const { load, server } of sides) {
      load?.close();
      await server.stop();
    }
  }
}

/** The p99 of a slice that was not disturbed, if there is one among some, else of the one that was least. */
async function slice(side, rate) {
  const pids = [side.server.pid, process.pid];
  let best;
  for (let i = 0; i < TRIES; i++) {
    const before = pids.map(waited);
    const p99 = await side.load.run(rate, SECONDS);
    const share = Math.max(...pids.map((pid, j) => waited(pid) - before[j])) / (SECONDS * 1e9);
    if (share < DISTURBED) return p99;
    if (best === undefined || share < best.share) best = { share, p99 };
  }
  side.disturbed++;
  return best.p99;
}

/** How long the main thread of a process could have run and did not, in nanoseconds; 0 where the system does not tell. */
function waited(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]);
  } catch {
    return 0;
  }
}

/** Requests a second that a server answers when every connection asks again at once. */
async function saturate({ name, wire, server }, scenario) {
  const load = new Load(name, wire, scenario, server.address);
  const busy = new BusyShare();
  try {
    await load.open(CONNECTIONS);
    await load.run(WARM_UP);
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < SLICES; i++) {
      const cpu = await server.cpu();
      const begin = performance.now();
      await load.run(SLICE);
      const took = performance.now() - begin;
      best = Math.min(best, took);
      busy.add((await server.cpu()) - cpu, took * 1000);
    }
    return { rate: (SLICE * 1000) / best, busy };
  } finally {
    load.close();
  }
}
