import { existsSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parseOptions, UsageError } from '../../scripts/bench/options.mjs';
import { rows } from '../../scripts/bench/rows.mjs';
import { scenarios } from '../../scripts/bench/scenarios.mjs';
import { wires } from '../../scripts/bench/wires.mjs';

const bench = `${__dirname}/../../scripts/bench`;

type Row = (typeof rows)[number] & { of?: string[]; to?: string[]; peer?: string; scenario?: string };

describe('the rows of the bench', () => {
  it('have names that no other has', () => {
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  });

  it.each(rows as Row[])('$name is measured by what is there', ({ measure, of, to, peer, scenario }) => {
    expect(existsSync(`${bench}/measures/${measure}.mjs`)).toBe(true);
    if (measure !== 'requests') return;
    expect(scenarios.map(({ name }) => name)).toContain(scenario);
    for (const side of [of, to]) {
      if (side === undefined) continue;
      expect(existsSync(`${bench}/servers/${side[0]}.mjs`)).toBe(true);
      expect(Object.keys(wires)).toContain(side[1]);
    }
    expect(to === undefined).toBe(peer !== undefined);
    if (peer !== undefined) expect(existsSync(`${bench}/peers/${peer}.mjs`)).toBe(true);
  });
});

describe('the options of the bench', () => {
  const names = (...args: string[]) => parseOptions(args).rows.map(({ name }) => name);

  it('are all rows in their order without any', () => {
    expect(parseOptions([])).toMatchObject({ rows, full: true, one: false, rounds: 16, build: true });
  });

  it('choose rows, whose order stays', () => {
    expect(names('--only', 'node,waist')).toEqual(['waist', 'node']);
    expect(parseOptions(['--only', 'node'])).toMatchObject({ full: false, one: false });
    expect(parseOptions(['--one', 'waist'])).toMatchObject({ full: false, one: true, rows: [rows[0]] });
  });

  it('ask something else of the rows that can be asked it, and then there is no bound', () => {
    expect(names('--scenario', 'post')).toEqual(['fetch', 'node', 'environ', 'scgi', 'uwsgi']);
    expect(parseOptions(['--scenario', 'post']).rows.every(({ most }) => most === undefined)).toBe(true);
    expect(parseOptions(['--scenario', 'hello', '--only', 'node']).rows[0].most).toBe(0.76);
  });

  it.each([
    [['--one'], 'one'],
    [['--one', 'nothing'], '--one nothing: it is one of waist, '],
    [['--only', 'waist,nothing'], '--only nothing: it is one of waist, '],
    [['--scenario', 'constant'], '--scenario constant: it is one of hello, '],
    [['--scenario', 'post', '--one', 'waist'], 'none of these rows can be asked it, but fetch, '],
    [['--rounds', '3'], '--rounds 3: a whole number from 4'],
    [['--seconds', 'x'], '--seconds x: a whole number from 1'],
    [['--transport', 'udp'], '--transport udp: it is one of unix, tcp'],
    [['waist'], 'waist'],
  ])('%j is refused', (args, message) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(message);
  });
});
