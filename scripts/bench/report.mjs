import { arch, cpus, loadavg, platform } from 'node:os';
import { ratioText } from './statistics.mjs';

export function describeMachine() {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    node: process.version,
    platform: `${platform()} ${arch()}`,
    date: new Date().toISOString(),
    load: loadavg()[0],
  };
}

export function machineText({ cpu, cores, node, platform, date, load }) {
  return `${cpu}, ${cores} cores, load ${load.toFixed(2)} before; Node ${node}; ${platform}; ${date}`;
}

/** The raw samples as a table: a line for each server, a column for each round. */
export function samplesText(measured) {
  const width = Math.max(...measured.map(({ name }) => name.length));
  const lines = measured.map(({ name, samples, requests }) => {
    const columns = samples.map((sample) => sample.toFixed(1).padStart(6)).join('');
    return `  ${name.padEnd(width)}${columns}  (${requests} requests a round)`;
  });
  return lines.join('\n');
}

/** A line for each comparison of one scenario. */
export function ratiosText(ratios) {
  const width = Math.max(...ratios.map(({ of, to }) => of.length + to.length));
  const lines = ratios.map((ratio) => {
    const name = `${ratio.of} / ${ratio.to}`.padEnd(width + 3);
    return `  ${name}  ${ratioText(ratio)}${boundText(ratio)}`;
  });
  return lines.join('\n');
}

function boundText({ most, steady, median }) {
  if (most === undefined || !steady) return '';
  return median <= most ? `; at most ${most.toFixed(2)}: held` : `; at most ${most.toFixed(2)}: MISSED`;
}
