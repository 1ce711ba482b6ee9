import { describe, expect, it } from '@jest/globals';
import { withTable } from '../../scripts/bench/page.mjs';
import { plot } from '../../scripts/bench/plot.mjs';
import { selfTimes, topText } from '../../scripts/bench/profile.mjs';
import { markdownTable, samplesText, Table, verdictOf } from '../../scripts/bench/report.mjs';

const steady = { median: 0.5, halves: [0.49, 0.51], steady: true };
const row = { name: 'fast', text: 'ours', against: 'theirs', most: 0.6, ratio: steady };
const missed = { ...row, name: 'slow', ratio: { ...steady, median: 0.7 } };
const shaky = { ...row, name: 'shaky', most: 0.5, ratio: { median: 0.5, halves: [0.4, 0.6], steady: false } };
const told = { ...row, name: 'told', most: undefined };
const absent = { name: 'gone', text: 'ours', against: 'Go', absent: 'Go is not installed' };
const failed = { name: 'broken', text: 'ours', against: 'theirs', most: 1, failed: 'it fell\nat line 2' };
const all = [row, missed, shaky, told, absent, failed];

describe('the verdict on a row', () => {
  it('is held up to its bound, with the bound', () => {
    expect(verdictOf(row)).toBe('held');
    expect(verdictOf({ ...row, most: 0.5 })).toBe('held');
    expect(verdictOf(missed)).toBe('MISSED');
  });

  it('on an unsteady ratio is that of its halves where they agree', () => {
    expect([0.6, 0.59, 0.39].map((most) => verdictOf({ ...shaky, most }))).toEqual(['held', 'unsteady', 'MISSED']);
  });

  it('is none where the ratio is only told, or is not there', () => {
    expect([told, absent, failed].map(verdictOf)).toEqual(['told', 'absent', 'FAILED']);
  });
});

describe('the table', () => {
  it('has a line for each row, with no figure for an unsteady ratio', () => {
    const table = new Table(all);
    const lines = [table.title(), ...all.map((one) => table.line(one))].map((line) => line.replace(/ {2,}/g, ' | '));
    expect(lines).toEqual([
      'row | ratio | halves | at most | what | against what',
      'fast | 0.50 | 0.49 0.51 | 0.60 | held | ours | theirs',
      'slow | 0.70 | 0.49 0.51 | 0.60 | MISSED | ours | theirs',
      'shaky | unsteady | 0.40 0.60 | 0.50 | unsteady | ours | theirs',
      'told | 0.50 | 0.49 0.51 | - | ours | theirs',
      'gone | - | - | - | absent | ours (Go is not installed) | Go',
      'broken | - | - | 1.00 | FAILED | ours (it fell) | theirs',
    ]);
  });

  it('goes to a page between its marks', () => {
    const begin = '<!-- measured: begin (`npm run bench -- --page` writes this) -->';
    const end = '<!-- measured: end -->';
    const machine = {
      cpu: 'a CPU',
      cores: 2,
      node: 'v20',
      platform: 'linux',
      date: '2026-01-02T03:04',
      pinning: 'Pinned.',
    };
    const results = [{ ...row, notes: ['of note'] }];
    const run = { machine, rounds: 9, connections: 16, transport: 'unix', results };
    const page = withTable(`before\n${begin}\nold\n${end}\nbehind\n`, run);
    expect(page).toBe(
      [
        `before\n${begin}`,
        'a CPU, 2 cores; Node v20; linux; 2026-01-02. At most 9 rounds; 16 connections (unix). Pinned.',
        markdownTable(results),
        '- fast: of note',
        `${end}\nbehind\n`,
      ].join('\n\n'),
    );
    expect(withTable(page, run)).toBe(page);
    expect(markdownTable(results)).toContain('| fast | ours | theirs | 0.50 | 0.49 0.51 | 0.60 | held |');
    expect(() => withTable('nothing', run)).toThrow('no place for the table');
  });
});

describe('the samples', () => {
  it('are a line for each side', () => {
    expect(samplesText({ samples: { of: [1.25, 2], to: [3, 4000] }, unit: 'µs' })).toBe(
      '  of     1.3    2.0\n  to     3.0   4000  (µs, a column for each round)',
    );
  });
});

describe('the plot', () => {
  it('has a bar for each row that was measured, and a stroke for each bound', () => {
    const svg = plot([...all, { ...row, name: 'a<b', against: 'x & y' }]);
    const names = [...svg.matchAll(/text-anchor="end">([^<]*)</g)].map((match) => match[1]);
    expect(names).toEqual(['fast', 'slow', 'shaky', 'told', 'a&lt;b']);
    expect(svg.match(/<rect x=/g)).toHaveLength(5);
    expect(svg.match(/stroke="#000"/g)).toHaveLength(4);
    expect(svg).toContain('x &amp; y');
    expect(svg).toContain('>0.40…0.60<');
  });
});

describe('a profile', () => {
  const frame = (functionName: string, url: string, lineNumber = 9) => ({ functionName, url, lineNumber });
  const profile = {
    nodes: [
      { id: 1, callFrame: frame('(root)', '') },
      { id: 2, callFrame: frame('decode', 'file:///a/wire.js') },
      { id: 3, callFrame: frame('(idle)', '') },
      { id: 4, callFrame: frame('', 'file:///a/wire.js', 19) },
      { id: 5, callFrame: frame('decode', 'file:///a/wire.js') },
    ],
    samples: [2, 3, 4, 5],
    timeDeltas: [100, 1000, 50, 50],
  };

  it('is told by the self time of its functions, without the idle time', () => {
    expect(selfTimes(profile)).toEqual([
      { name: 'decode wire.js:10', share: 0.75 },
      { name: '(anonymous) wire.js:20', share: 0.25 },
    ]);
    expect(topText(profile, 'x.cpuprofile')).toBe(
      'x.cpuprofile:\n   75.0 %  decode wire.js:10\n   25.0 %  (anonymous) wire.js:20',
    );
  });
});
