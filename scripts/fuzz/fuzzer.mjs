import { minimise } from './minimise.mjs';

/** Findings of one target, at most: many inputs find the same. */
const FINDINGS = 12;

/** Fuzzes one target: inputs that reach what none has reached are kept, and mutated further. */
export class Fuzzer {
  #target;
  #coverage;
  #next;
  #watch;
  #lib;
  /** What is mutated. */
  #corpus = [];
  #findings = new Map();
  #runs = 0;

  /**
   * @param lib what test/fuzz exports: run, mutate, partsOf, inputOf, MANNER
   * @param next chance
   * @param watch is told of each input before it runs
   */
  constructor(target, coverage, lib, next, watch) {
    this.#target = target;
    this.#coverage = coverage;
    this.#lib = lib;
    this.#next = next;
    this.#watch = watch;
  }

  get corpus() {
    return this.#corpus;
  }

  get runs() {
    return this.#runs;
  }

  get findings() {
    return [...this.#findings.values()];
  }

  /** Inputs to begin with. */
  seed(inputs) {
    for (const input of inputs) this.#try(Buffer.from(input), true);
  }

  /** Until the time is over, or there are enough findings. */
  fuzz(until) {
    while (Date.now() < until && this.#findings.size < FINDINGS) for (let i = 0; i < 50; i++) this.step();
  }

  /** One mutant. */
  step() {
    this.#try(this.#mutant(), false);
  }

  #pick() {
    const { length } = this.#corpus;
    // what was found last leads further
    const from = this.#next() % 3 === 0 ? Math.floor(length * 0.8) : 0;
    return this.#corpus[from + (this.#next() % (length - from))];
  }

  #mutant() {
    const next = this.#next;
    const { mutate, partsOf, inputOf } = this.#lib;
    let { manner, bytes } = partsOf(this.#pick());
    if (next() % 4 === 0) {
      const part = ['cuts', 'setting', 'conduct', 'more'][next() % 4];
      manner = { ...manner, [part]: next() & 255 };
    }
    const other = partsOf(this.#pick()).bytes;
    for (let steps = 1 + (next() % 4); steps > 0; steps--) bytes = mutate(bytes, next, this.#target, other);
    if (next() % 2 === 0) bytes = this.#target.repair?.(bytes) ?? bytes;
    return inputOf(manner, bytes);
  }

  #try(input, keep) {
    this.#coverage.clear();
    const failure = this.#run(input);
    if (this.#coverage.add() !== undefined || keep) this.#corpus.push(input);
    if (failure !== undefined) this.#found(input, failure);
  }

  #run(input) {
    this.#runs++;
    this.#watch(input);
    try {
      this.#lib.run(this.#target, input);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #found(input, error) {
    const mark = markOf(error);
    if (this.#findings.has(mark)) return;
    this.#findings.set(mark, undefined);
    const fails = (candidate) => {
      const failure = this.#run(candidate);
      return failure !== undefined && markOf(failure) === mark;
    };
    const least = minimise(input, this.#lib.MANNER, fails);
    const failure = this.#run(least) ?? error;
    this.#findings.set(mark, { input: least, text: textOf(failure), where: placeOf(failure) });
  }
}

/** The same for what has the same cause, as far as can be told. */
function markOf(error) {
  const text = textOf(error)
    .split('\n', 1)[0]
    .replace(/[0-9]+/g, '#')
    .replace(/"[^"]*"/g, '""');
  return `${text} ${error instanceof Error && error.name === 'Broken' ? '' : placeOf(error)}`;
}

function textOf(error) {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** The first place in the decoders, else in what checks them. */
function placeOf(error) {
  const lines = String(error?.stack).split('\n');
  const line = lines.find((one) => /packages\/\w+\/src\//.test(one)) ?? lines.find((one) => /test\/fuzz\//.test(one));
  return /((?:packages|test)\/[^\s)]+)/.exec(line ?? '')?.[1] ?? 'an unknown place';
}
