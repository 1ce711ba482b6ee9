/** What istanbul's counters stand in. */
const data = globalThis.__coverage__ ?? {};

/** Runs that count as different: 1, 2, 3, 4 to 7, 8 to 15, 16 to 31, 32 to 127, more. */
function bucket(count) {
  if (count < 4) return count - 1;
  if (count < 8) return 3;
  if (count < 16) return 4;
  if (count < 32) return 5;
  return count < 128 ? 6 : 7;
}

/**
 * The counters of all statements and branches, put into one array: they are read behind each input, and objects would
 * cost more than the input does.
 */
export class Coverage {
  #counters;
  /** Bits of the buckets that were reached, for each counter. */
  #reached;
  #files = [];
  #total = 0;

  /** To be made when everything is loaded. */
  constructor() {
    const files = Object.values(data);
    const size = files.reduce(
      (sum, { s, b }) => sum + count(s) + Object.values(b).reduce((n, list) => n + list.length, 0),
      0,
    );
    this.#counters = new Uint32Array(size);
    this.#reached = new Uint8Array(size);
    let at = 0;
    const take = (length) => {
      at += length;
      return this.#counters.subarray(at - length, at);
    };
    for (const file of files) {
      const from = at;
      file.s = take(count(file.s));
      for (const [i, { length }] of Object.entries(file.b)) file.b[i] = take(length);
      this.#files.push({ path: file.path, from, to: at });
    }
  }

  clear() {
    this.#counters.fill(0);
  }

  /** Of all inputs so far. */
  get statements() {
    let sum = 0;
    for (const one of this.#counters) sum += one;
    return sum;
  }

  /** Adds what ran since `clear`. @returns the places that ran more than ever, or in another bucket: [counter, bucket] … */
  add() {
    const counters = this.#counters;
    const reached = this.#reached;
    let found;
    for (let i = 0; i < counters.length; i++) {
      const runs = counters[i];
      if (runs === 0) continue;
      const bit = 1 << bucket(runs);
      if ((reached[i] & bit) !== 0) continue;
      if (reached[i] === 0) this.#total++;
      reached[i] |= bit;
      found ??= [];
      found.push(i);
    }
    return found;
  }

  /** The counters that ran since `clear`. */
  ran() {
    const found = [];
    for (let i = 0; i < this.#counters.length; i++) if (this.#counters[i] > 0) found.push(i);
    return found;
  }

  get reached() {
    return this.#total;
  }

  /** Counters of the files that were reached at all, by a part of their path. */
  within(packages) {
    let reached = 0;
    let all = 0;
    for (const { path, from, to } of this.#files) {
      if (!packages.some((name) => path.includes(`/packages/${name}/src/`))) continue;
      const ran = this.#reached.subarray(from, to).reduce((sum, bits) => sum + (bits === 0 ? 0 : 1), 0);
      if (ran === 0) continue;
      reached += ran;
      all += to - from;
    }
    return { reached, all };
  }
}

function count(object) {
  return Object.keys(object).length;
}
