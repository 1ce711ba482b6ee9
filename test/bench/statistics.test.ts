import { describe, expect, it } from '@jest/globals';
import { median, pairedRatio, ratioText } from '../../scripts/bench/statistics.mjs';

describe('median', () => {
  it('is the middle value whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5);
  });

  it('is the mean of the two in the middle of an even count', () => {
    expect(median([10, 1, 4, 2])).toBe(3);
  });

  it('sorts by number and leaves its argument as it was', () => {
    const values = [10, 9, 100];
    expect(median(values)).toBe(10);
    expect(values).toEqual([10, 9, 100]);
  });

  it('of nothing is refused', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('pairedRatio', () => {
  it('divides within each round, so that a machine that slows down for both changes nothing', () => {
    const ratio = pairedRatio([10, 20, 40, 80], [20, 40, 80, 160]);
    expect(ratio.rounds).toEqual([0.5, 0.5, 0.5, 0.5]);
    expect(ratio).toMatchObject({ median: 0.5, halves: [0.5, 0.5], steady: true });
  });

  it('is no ratio of medians', () => {
    expect(pairedRatio([1, 9, 8, 8], [2, 3, 4, 4]).median).toBe(2);
  });

  it('takes the first and the second half of the rounds apart', () => {
    expect(pairedRatio([1, 1, 1, 2, 2], [2, 2, 2, 2, 2]).halves).toEqual([0.5, 1]);
  });

  it('is steady when its halves differ by a tenth and no more', () => {
    expect(pairedRatio([100, 100, 110, 110], [100, 100, 100, 100]).steady).toBe(true);
    expect(pairedRatio([100, 100, 111, 111], [100, 100, 100, 100]).steady).toBe(false);
    expect(pairedRatio([111, 111, 100, 100], [100, 100, 100, 100]).steady).toBe(false);
  });

  it('is refused for rounds that are no pairs, and for fewer than two', () => {
    expect(() => pairedRatio([1, 2], [1, 2, 3])).toThrow(RangeError);
    expect(() => pairedRatio([1], [1])).toThrow(RangeError);
  });
});

describe('ratioText', () => {
  it('tells the median and both halves of a steady ratio', () => {
    expect(ratioText({ median: 0.7049, halves: [0.7, 0.71], steady: true })).toBe('0.70 (halves 0.70 and 0.71)');
  });

  it('tells no figure of an unsteady one', () => {
    expect(ratioText({ median: 0.77, halves: [0.71, 0.83], steady: false })).toBe(
      'unsteady: halves 0.71 and 0.83; run it again on a quieter machine',
    );
  });
});
