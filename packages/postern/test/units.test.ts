import { describe, expect, it } from '@jest/globals';
import { formatDuration, formatSize, parseCount, parseDuration, parseSize } from '../src/units.ts';

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
  ])('reads %s as %d milliseconds', (text, value) => {
    expect(parseDuration(text)).toBe(value);
  });

  it.each(['', '30', '1.5s', '-1s', '30 s', '30S', '1d', 's', '1e3s', '99999999999999s'])(
    'does not read %j',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );
});

describe('parseSize', () => {
  it.each([
    ['0', 0],
    ['65535', 65_535],
    ['64k', 65_536],
    ['10m', 10_485_760],
    ['1G', 1_073_741_824],
  ])('reads %s as %d bytes', (text, value) => {
    expect(parseSize(text)).toBe(value);
  });

  it.each(['', '-1', '1.5m', '10 m', '10mb', 'k', '0x10', '10t'])('does not read %j', (text) => {
    expect(parseSize(text)).toBeUndefined();
  });
});

describe('parseCount', () => {
  it('reads whole numbers alone', () => {
    expect(parseCount('128')).toBe(128);
    for (const text of ['', '-1', '1.5', '1k', '1e3', ' 1']) expect(parseCount(text)).toBeUndefined();
  });
});

describe('formatDuration and formatSize', () => {
  it('write what can be read again, in the largest unit', () => {
    expect([0, 250, 30_000, 60_000, 90_000, 3_600_000].map(formatDuration)).toEqual([
      '0',
      '250ms',
      '30s',
      '1m',
      '90s',
      '1h',
    ]);
    expect([0, 1, 65_535, 65_536, 1_048_576, 1_073_741_824].map(formatSize)).toEqual([
      '0',
      '1',
      '65535',
      '64k',
      '1m',
      '1g',
    ]);
  });
});
