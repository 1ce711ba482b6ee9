import type { Clock } from '../../src/clock.ts';

interface Task {
  at: number;
  readonly period: number | undefined;
  readonly run: () => void;
}

/** Time that passes only when a test says so. */
export class FakeClock implements Clock {
  #now = 1000;
  readonly #tasks = new Set<Task>();

  now(): number {
    return this.#now;
  }

  every(period: number, tick: () => void): { stop(): void } {
    return this.#add({ at: this.#now + period, period, run: tick });
  }

  after(delay: number, then: () => void): { stop(): void } {
    return this.#add({ at: this.#now + delay, period: undefined, run: then });
  }

  #add(task: Task): { stop(): void } {
    this.#tasks.add(task);
    return { stop: () => this.#tasks.delete(task) };
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#tasks.size;
  }

  /** Lets `ms` milliseconds pass, timer by timer. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const task = [...this.#tasks].sort((a, b) => a.at - b.at)[0];
      if (task === undefined || task.at > end) break;
      this.#now = task.at;
      if (task.period === undefined) this.#tasks.delete(task);
      else task.at += task.period;
      task.run();
    }
    this.#now = end;
  }
}
