// Fuzzes one target after the other, and tells the main thread, which watches that it goes on.
import { register } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { foundFile, keptFile, readCorpus, writeCorpus } from './corpus.mjs';
import { Fuzzer } from './fuzzer.mjs';
import { smallest } from './smallest.mjs';
import { vectorsOf } from './vectors.mjs';

register('./hooks.mjs', import.meta.url);
process.setSourceMapsEnabled(true);
Error.stackTraceLimit = 12;

const { targets, countCalls, countStatements, run, inputOf, partsOf, MANNER } = await import(
  '../../test/fuzz/targets/index.ts'
);
const { mutate } = await import('../../test/fuzz/mutations.ts');
const { randomNumbers } = await import('../../packages/testkit/src/cases.ts');
const { Coverage } = await import('./coverage.mjs');

const { names, seconds, seed, input, replay, keep, shared } = workerData;
const lib = { run, inputOf, partsOf, MANNER, mutate };
const state = new Int32Array(shared, 0, 2);
const current = new Uint8Array(shared, 8);

/** What runs now, for the main thread: a decoder that hangs cannot tell it. */
function watch(bytes) {
  current.set(bytes.subarray(0, current.length));
  state[1] = Math.min(bytes.length, current.length);
  Atomics.add(state, 0, 1);
}

countCalls();
for (const name of names) {
  const target = targets.find((one) => one.name === name);
  const coverage = new Coverage();
  countStatements(() => coverage.statements);
  const fuzzer = new Fuzzer(target, coverage, lib, randomNumbers(seed), watch);
  const begun = Date.now();
  parentPort.postMessage({ type: 'begin', name });
  if (input !== undefined) fuzzer.seed([input]);
  else {
    const found = replay ? [] : [...readCorpus(foundFile(name)), ...(await vectorsOf(name, inputOf))];
    const own = target.seeds.flatMap((bytes) =>
      [0, 1, 2, 3].map((setting) => inputOf({ setting, conduct: setting }, bytes)),
    );
    fuzzer.seed([...own, ...readCorpus(keptFile(name)), ...found]);
  }
  if (input === undefined && !replay) {
    fuzzer.fuzz(begun + seconds * 1000);
    writeCorpus(foundFile(name), fuzzer.corpus);
  }
  if (keep) {
    const watched = (_, one) => {
      watch(one);
      run(target, one);
    };
    writeCorpus(keptFile(name), smallest(target, coverage, watched, [...readCorpus(keptFile(name)), ...fuzzer.corpus]));
  }
  parentPort.postMessage({
    type: 'end',
    name,
    runs: fuzzer.runs,
    milliseconds: Date.now() - begun,
    corpus: fuzzer.corpus.length,
    coverage: coverage.within(target.packages),
    findings: fuzzer.findings,
  });
}
