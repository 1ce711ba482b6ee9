/** Time comes in from outside, so that silence can be tested without waiting. */
export interface Clock {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Calls `tick` every `period` milliseconds until `stop`; does not keep the process alive. */
  every(period: number, tick: () => void): { stop(): void };
  /** Calls `then` once after `delay` milliseconds unless stopped. */
  after(delay: number, then: () => void): { stop(): void };
}

export const systemClock: Clock = {
  now: () => performance.now(),
  every(period, tick) {
    const timer = setInterval(tick, period);
    timer.unref();
    return { stop: () => clearInterval(timer) };
  },
  after(delay, then) {
    const timer = setTimeout(then, delay);
    return { stop: () => clearTimeout(timer) };
  },
};
