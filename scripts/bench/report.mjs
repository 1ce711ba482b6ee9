import { arch, cpus, loadavg, platform } from 'node:os';
import { coresText } from './cores.mjs';

export function describeMachine() {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    node: process.version,
    platform: `${platform()} ${arch()}`,
    date: new Date().toISOString(),
    load: loadavg()[0],
    pinning: coresText(),
  };
}

export function machineText({ cpu, cores, node, platform, date, load, pinning }) {
  return `${cpu}, ${cores} cores, load ${load.toFixed(2)} before; Node ${node}; ${platform}; ${date}\n${pinning}`;
}

/**
 * What a row came to: `ratio` as statistics.mjs has it, or why there is none. An unsteady ratio has no figure, but where
 * both its halves are on one side of the bound there is no doubt about that.
 * @returns {'held' | 'MISSED' | 'unsteady' | 'absent' | 'FAILED' | 'told'}
 */
export function verdictOf({ most, ratio, absent, failed }) {
  if (failed !== undefined) return 'FAILED';
  if (absent !== undefined) return 'absent';
  if (most === undefined) return 'told';
  const values = ratio.steady ? [ratio.median] : ratio.halves;
  if (values.every((value) => value <= most)) return 'held';
  return values.every((value) => value > most) ? 'MISSED' : 'unsteady';
}

const titles = ['row', 'ratio', 'halves', 'at most', '', 'what', 'against what'];

/** The cells of one row. */
export function cellsOf(result) {
  const { name, text, against, most, ratio, absent, failed } = result;
  const verdict = verdictOf(result);
  const why = absent ?? failed?.split('\n')[0];
  return [
    name,
    ratio === undefined ? '-' : ratio.steady ? ratio.median.toFixed(2) : 'unsteady',
    ratio === undefined ? '-' : ratio.halves.map((half) => half.toFixed(2)).join(' '),
    most === undefined ? '-' : most.toFixed(2),
    verdict === 'told' ? '' : verdict,
    why === undefined ? text : `${text} (${why})`,
    against,
  ];
}

/** Lines of the table as they are printed one by one: the widths hold for whatever is measured. */
export class Table {
  #widths;

  constructor(rows) {
    const width = (of) => Math.max(...rows.map((row) => row[of].length));
    this.#widths = [width('name'), 8, 10, 7, 8, width('text'), 0];
  }

  title() {
    return this.#line(titles);
  }

  line(result) {
    return this.#line(cellsOf(result));
  }

  #line(cells) {
    return cells
      .map((cell, i) => cell.padEnd(this.#widths[i]))
      .join('  ')
      .trimEnd();
  }
}

/** The table for a page, Markdown. */
export function markdownTable(results) {
  const lines = results.map((result) => {
    const [name, ratio, halves, most, verdict, text, against] = cellsOf(result);
    return `| ${name} | ${text} | ${against} | ${ratio} | ${halves} | ${most} | ${verdict} |`;
  });
  const head = ['| row | what | against what | ratio | halves | at most | |', '|---|---|---|---|---|---|---|'];
  return [...head, ...lines].join('\n');
}

/** The raw samples: a line for each side, a column for each round. */
export function samplesText({ samples, unit }) {
  const line = (side) =>
    `  ${side}  ${samples[side].map((sample) => sample.toFixed(sample < 1000 ? 1 : 0).padStart(6)).join(' ')}`;
  return `${line('of')}\n${line('to')}  (${unit}, a column for each round)`;
}
