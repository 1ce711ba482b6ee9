import { afterEach, expect, it, jest } from '@jest/globals';
import { LocalProtocolError, limitCounts, limitsWith } from '@postern/core';
import type { LogEntry } from '../src/log.ts';
import { StderrLog } from '../src/stderr-log.ts';
import { FakeClock } from './support/fake-clock.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

const entry: LogEntry = {
  level: 'warn',
  event: 'timeout',
  code: 'ERR_TIMEOUT_APP',
  message: 'late',
  protocol: 'scgi',
  peer: 'unix',
};

function logging(): { log: StderrLog; clock: FakeClock; counts: ReturnType<typeof limitCounts>; lines(): string[] } {
  const written = jest.spyOn(process.stderr, 'write').mockImplementation(() => true);
  const clock = new FakeClock();
  const counts = limitCounts();
  const log = new StderrLog(limitsWith({ maxLogLines: 2, maxLogLineBytes: 100 }), counts, clock);
  return { log, clock, counts, lines: () => written.mock.calls.splice(0).map(([text]) => String(text)) };
}

it('a kind has so many lines in a second, and one behind it that counts the rest', () => {
  const { log, clock, counts, lines } = logging();
  for (let i = 0; i < 5; i++) log.log(entry);
  log.report(new LocalProtocolError('ERR_STATUS', 'status 1'), undefined);
  log.report('thrown', undefined);
  expect(lines()).toHaveLength(4);
  expect(counts.maxLogLines).toBe(3);
  expect(clock.pending).toBe(1);
  clock.advance(1000);
  expect(lines()).toEqual(['warn event=limit rule=ERR_TIMEOUT_APP 3 more lines of this kind within a second\n']);
  expect(clock.pending).toBe(0);
  log.log(entry);
  expect(lines()).toHaveLength(1);
});

it('the count comes before the first line of the next second', () => {
  const { log, clock, lines } = logging();
  log.log(entry);
  clock.advance(900);
  log.log(entry);
  log.log(entry);
  clock.advance(100);
  log.log(entry);
  expect(lines().map((line) => /more|late/.exec(line)?.[0])).toEqual(['late', 'late', 'more', 'late']);
  clock.advance(5000);
  expect(lines()).toEqual([]);
});

it('what is for information is not written, and takes no room', () => {
  const { log, counts, lines } = logging();
  for (let i = 0; i < 5; i++) log.log({ ...entry, level: 'info' });
  log.log(entry);
  expect(lines()).toHaveLength(1);
  expect(counts.maxLogLines).toBe(0);
});

it('a long line is cut and counted', () => {
  const { log, counts, lines } = logging();
  log.log({ ...entry, message: 'x'.repeat(1000) });
  log.report(new Error('y'.repeat(1000)), undefined);
  for (const line of lines()) expect(line).toMatch(/ \[\d+ bytes dropped\]\n/);
  expect(counts.maxLogLineBytes).toBe(2);
});
