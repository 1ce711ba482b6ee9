import { describe, expect, it } from '@jest/globals';
import { systemClock } from '../src/clock.ts';

describe('the system clock', () => {
  it('never goes back, whatever the time of day does', () => {
    const real = Date.now;
    const before = systemClock.now();
    Date.now = () => 0;
    const after = systemClock.now();
    Date.now = real;
    expect(after).toBeGreaterThanOrEqual(before);
  });

  it('ticks until it is stopped', async () => {
    let ticks = 0;
    await new Promise<void>((resolve) => {
      const { stop } = systemClock.every(1, () => {
        if (++ticks < 3) return;
        stop();
        resolve();
      });
    });
    await new Promise<void>((resolve) => systemClock.after(10, resolve));
    expect(ticks).toBe(3);
  });

  it('calls once after a while, and not when it was stopped', async () => {
    let called = false;
    systemClock
      .after(1, () => {
        called = true;
      })
      .stop();
    await new Promise<void>((resolve) => systemClock.after(5, resolve));
    expect(called).toBe(false);
  });
});
