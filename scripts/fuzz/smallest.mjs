/** Inputs above this size stay out of the repository. */
const MOST = 3000;

/**
 * A small part of a corpus that reaches all that it reaches: the smallest inputs first, each that reaches a place which
 * none before it has.
 */
export function smallest(target, coverage, run, corpus) {
  const reached = new Set();
  const kept = [];
  const sorted = corpus
    .filter(({ length }) => length <= MOST)
    .sort((a, b) => a.length - b.length || Buffer.compare(a, b));
  for (const input of sorted) {
    coverage.clear();
    try {
      run(target, input);
    } catch {
      // a finding; what it reaches counts when it is mended
      continue;
    }
    const more = coverage.ran().filter((place) => !reached.has(place));
    if (more.length === 0) continue;
    for (const place of more) reached.add(place);
    kept.push(input);
  }
  return kept;
}
