/** So many rounds are made whatever the time. */
const LEAST = 4;

/**
 * Samples two sides by turns, in one order and in the next round in the opposite one, so that what slows the machine for
 * a while slows both.
 * @param {() => Promise<number>} of
 * @param {() => Promise<number>} to
 * @param {{ rounds: number, seconds: number }} options
 * @returns {Promise<{ of: number[], to: number[] }>}
 */
export async function pairedRounds(of, to, { rounds, seconds }) {
  const samples = { of: [], to: [] };
  const deadline = performance.now() + seconds * 1000;
  for (let round = 0; round < rounds; round++) {
    if (round >= LEAST && performance.now() > deadline) break;
    const swapped = round % 2 === 1;
    if (!swapped) samples.of.push(await of());
    samples.to.push(await to());
    if (swapped) samples.of.push(await of());
  }
  return samples;
}
