/** Asks again until the answer is right; rejects with the latest one after `patience` milliseconds. */
export async function until<T>(
  ask: () => T | Promise<T>,
  right: (answer: T) => boolean,
  patience = 10_000,
): Promise<T> {
  const deadline = performance.now() + patience;
  for (;;) {
    const answer = await ask();
    if (right(answer)) return answer;
    if (performance.now() > deadline) throw new Error(`still ${JSON.stringify(answer)} after ${patience} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
