import { type Exchange, type LimitCounts, type Limits, PosternError } from '@postern/core';
import type { Clock } from './clock.ts';
import { errorToStderr, type LogEntry, logToStderr } from './log.ts';

const SECOND = 1000;

/** Lines of one kind. */
interface Kind {
  /** When its second began. */
  since: number;
  lines: number;
  leftOut: number;
}

/** The log of a server that has none of its own: so many lines of a kind in a second, and one that counts the rest. */
export class StderrLog {
  readonly #limits: Limits;
  readonly #counts: LimitCounts;
  readonly #clock: Clock;
  readonly #kinds = new Map<string, Kind>();
  #timer: { stop(): void } | undefined;

  constructor(limits: Limits, counts: LimitCounts, clock: Clock) {
    this.#limits = limits;
    this.#counts = counts;
    this.#clock = clock;
  }

  readonly log = (entry: LogEntry): void => {
    if (entry.level === 'info' || !this.#hasRoom(entry.code)) return;
    if (logToStderr(entry, this.#limits.maxLogLineBytes)) this.#counts.maxLogLineBytes++;
  };

  readonly report = (error: unknown, exchange: Exchange | undefined): void => {
    if (!this.#hasRoom(error instanceof PosternError ? error.code : 'ERR_APP_ERROR')) return;
    if (errorToStderr(error, exchange, this.#limits.maxLogLineBytes)) this.#counts.maxLogLineBytes++;
  };

  #hasRoom(name: string): boolean {
    const now = this.#clock.now();
    let kind = this.#kinds.get(name);
    if (kind === undefined) {
      kind = { since: now, lines: 0, leftOut: 0 };
      this.#kinds.set(name, kind);
    } else if (now - kind.since >= SECOND) {
      this.#sumUp(name, kind);
      kind.since = now;
      kind.lines = 0;
    }
    if (++kind.lines <= this.#limits.maxLogLines) return true;
    kind.leftOut++;
    this.#counts.maxLogLines++;
    this.#timer ??= this.#clock.every(SECOND, () => this.#sumUpAll());
    return false;
  }

  #sumUpAll(): void {
    this.#timer?.stop();
    this.#timer = undefined;
    for (const [name, kind] of this.#kinds) this.#sumUp(name, kind);
  }

  #sumUp(name: string, kind: Kind): void {
    if (kind.leftOut === 0) return;
    process.stderr.write(`warn event=limit rule=${name} ${kind.leftOut} more lines of this kind within a second\n`);
    kind.leftOut = 0;
  }
}
