import { readFileSync } from 'node:fs';
import { type LimitName, type Limits, limitsWith, limitTable } from '@postern/core';

/** So much of what the system allows may be connections; the rest is for what the application opens. */
const SHARE = 0.8;

/**
 * The limits of a server with some of them set: as `limitsWith`, and by default no more connections than the system has
 * room for.
 * @throws as `limitsWith`
 */
export function serverLimits(set: Partial<Record<LimitName, number>> = {}): Limits {
  const limits = limitsWith(set);
  return set.maxConnections === undefined ? { ...limits, maxConnections: defaultConnections(openFiles()) } : limits;
}

/** @param files that may be open at once; undefined: that is not known */
export function defaultConnections(files: number | undefined): number {
  const usual = limitTable.maxConnections.default;
  return files === undefined ? usual : Math.max(1, Math.min(usual, Math.floor(files * SHARE)));
}

/** How many files the process may have open: RLIMIT_NOFILE, which Node cannot ask for, so on Linux alone. */
export function openFiles(path = '/proc/self/limits'): number | undefined {
  try {
    const soft = /^Max open files +([0-9]+)/m.exec(readFileSync(path, 'latin1'))?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
