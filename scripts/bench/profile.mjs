import { basename } from 'node:path';

/**
 * The functions of a CPU profile by their self time, the longest first.
 * @param profile what V8's profiler gives: `nodes`, `samples`, `timeDeltas`
 * @returns {{ name: string, share: number }[]} share of the time in which the process did something
 */
export function selfTimes({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const times = new Map();
  let busy = 0;
  samples.forEach((id, i) => {
    const { functionName, url, lineNumber } = byId.get(id).callFrame;
    if (functionName === '(idle)') return;
    const place = url === '' ? '' : ` ${basename(url)}:${lineNumber + 1}`;
    const name = `${functionName || '(anonymous)'}${place}`;
    times.set(name, (times.get(name) ?? 0) + timeDeltas[i]);
    busy += timeDeltas[i];
  });
  const list = [...times].map(([name, time]) => ({ name, share: time / busy }));
  return list.sort((a, b) => b.share - a.share);
}

/** The ten functions that take the most time themselves. */
export function topText(profile, file) {
  const lines = selfTimes(profile)
    .slice(0, 10)
    .map(({ name, share }) => `  ${(share * 100).toFixed(1).padStart(5)} %  ${name}`);
  return [`${file}:`, ...lines].join('\n');
}
