import { ConfigError, type LimitName, limitTable, printable } from '@postern/core';
import { formatDuration, formatSize, parseCount, parseDuration, parseSize } from './units.ts';
import { single } from './usage.ts';

/** How the limits are given on a command line: by their names in kebab case. */
export interface LimitFlag {
  readonly name: LimitName;
  readonly flag: string;
  /** What it bounds, and its default. */
  readonly text: string;
}

interface Unit {
  parse(text: string): number | undefined;
  format(value: number): string;
  readonly hint: string;
}

const time: Unit = { parse: parseDuration, format: formatDuration, hint: 'write a time with its unit: 500ms, 30s, 5m' };
const size: Unit = { parse: parseSize, format: formatSize, hint: 'write bytes: 65536, 64k, 10m, 1g' };
const count: Unit = { parse: parseCount, format: String, hint: 'write a whole number' };

function unitOf(name: LimitName): Unit {
  if (name === 'grace' || name.endsWith('Timeout')) return time;
  if (name === 'maxBody' || name === 'minBodyRate' || name.endsWith('Bytes') || name.endsWith('HighWater')) return size;
  return count;
}

export const limitFlags: readonly LimitFlag[] = (Object.keys(limitTable) as LimitName[]).map((name) => {
  const row: { text: string; default: number; zero?: string } = limitTable[name];
  const usual = row.default === 0 && row.zero !== undefined ? row.zero : unitOf(name).format(row.default);
  return {
    name,
    flag: name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
    text: `${row.text} [${usual}]`,
  };
});

/** @throws ConfigError ERR_OPTION: a value has no unit, or is out of bounds; ERR_USAGE */
export function readLimitFlags(args: Record<string, unknown>): Partial<Record<LimitName, number>> {
  const limits: Partial<Record<LimitName, number>> = {};
  for (const { name, flag } of limitFlags) {
    const text = single(args[flag], flag);
    if (text === undefined) continue;
    const unit = unitOf(name);
    const value = unit.parse(text);
    if (value === undefined) throw new ConfigError('ERR_OPTION', `--${flag} "${printable(text)}": ${unit.hint}`);
    checkBounds(name, flag, text, value, unit);
    limits[name] = value;
  }
  return limits;
}

function checkBounds(name: LimitName, flag: string, text: string, value: number, unit: Unit): void {
  const { ceiling, zero }: { ceiling: number; zero?: string } = limitTable[name];
  if (value <= ceiling && (value > 0 || zero !== undefined)) return;
  const least = zero === undefined ? unit.format(1) : `0 (${zero})`;
  throw new ConfigError(
    'ERR_OPTION',
    `--${flag} "${printable(text)}": it is out of bounds: write ${least} to ${unit.format(ceiling)}`,
  );
}
