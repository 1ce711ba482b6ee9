import { spawnSync } from 'node:child_process';

/**
 * Servers run on one core and the load on another, so that neither moves the other about and a cache stays warm. Linux's
 * taskset does it; without it, or on a single core, nothing is pinned, and the report says so.
 */
export const cores = findCores();

function findCores() {
  const { status, stdout } = spawnSync('taskset', ['-cp', String(process.pid)], { encoding: 'utf8' });
  // such as: pid 42's current affinity list: 0-3,6
  const list = status === 0 ? stdout.slice(stdout.lastIndexOf(':') + 1).trim() : '';
  const known = list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  return known.length < 2 ? undefined : { server: known[0], load: known[known.length - 1] };
}

/** The command that runs this one on the servers' core: [command, arguments]. */
export function onServerCore(command, args) {
  return cores === undefined ? [command, args] : ['taskset', ['-c', String(cores.server), command, ...args]];
}

/** Moves this process, all its threads, to the core of the load. */
export function pinLoad() {
  if (cores !== undefined) spawnSync('taskset', ['-acp', String(cores.load), String(process.pid)]);
}

export function coresText() {
  if (cores === undefined) return 'Nothing is pinned to a core: taskset is not there, or there is one core alone.';
  return `Servers are pinned to core ${cores.server}, the load to core ${cores.load}.`;
}
