/** Two halves of the rounds may differ by this factor; beyond it a ratio is not told. */
export const STEADY = 1.1;

/**
 * @param {readonly number[]} values at least one
 * @returns {number} the middle value; of an even count the mean of the two in the middle
 */
export function median(values) {
  if (values.length === 0) throw new RangeError('the median of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The ratio of two servers that were measured in the same rounds. Each round gives one ratio, so that what slows the
 * machine for a while slows both; the medians of the first and of the second half of the rounds tell whether it holds.
 *
 * @param {readonly number[]} of CPU time a request in each round
 * @param {readonly number[]} to the same of the server it is compared with
 * @returns {{ rounds: number[], median: number, halves: [number, number], steady: boolean }}
 */
export function pairedRatio(of, to) {
  if (of.length !== to.length || of.length < 2)
    throw new RangeError(`${of.length} and ${to.length} rounds: a ratio takes two or more, the same number of each`);
  const rounds = of.map((value, i) => value / to[i]);
  const half = rounds.length >> 1;
  const halves = /** @type {[number, number]} */ ([median(rounds.slice(0, half)), median(rounds.slice(half))]);
  const steady = Math.max(...halves) <= Math.min(...halves) * STEADY;
  return { rounds, median: median(rounds), halves, steady };
}

/**
 * One line for a ratio. An unsteady one has no figure, only its halves.
 * @param {{ median: number, halves: [number, number], steady: boolean }} ratio
 */
export function ratioText({ median, halves, steady }) {
  const [first, second] = halves.map((half) => half.toFixed(2));
  if (!steady) return `unsteady: halves ${first} and ${second}; run it again on a quieter machine`;
  return `${median.toFixed(2)} (halves ${first} and ${second})`;
}
