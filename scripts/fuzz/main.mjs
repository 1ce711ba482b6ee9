import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { findingsFolder } from './corpus.mjs';
import { help, parseOptions, UsageError } from './options.mjs';

/** A decoder that takes so long for one input hangs; a run takes a millisecond. */
const HANGS = 20_000;
/** What a worker shows of the input that it runs. */
const SHOWN = 1 << 17;

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Writes the input of a finding down. @returns the line that tells of it */
function report(name, { input, text, where }) {
  mkdirSync(findingsFolder, { recursive: true });
  const digest = createHash('sha256').update(input).digest('hex').slice(0, 12);
  const file = `${findingsFolder}/${name}-${digest}.bin`;
  writeFileSync(file, input);
  return `${name}: ${text.slice(0, 600)}\n  at ${where}, ${input.length} bytes: npm run fuzz -- ${name} --input ${relative(root, file)}`;
}

function summary({ name, runs, milliseconds, corpus, coverage, findings }) {
  const rate = Math.round((runs * 1000) / Math.max(1, milliseconds));
  const { reached, all } = coverage;
  return `${name}: ${runs} inputs, ${rate} a second; ${reached} of ${all} places reached; corpus ${corpus}; findings ${findings.length}`;
}

/** @throws UsageError */
function readInput(file) {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`--input ${file}: ${error.message}`);
  }
}

/** @returns how many findings there are */
function fuzz(options) {
  const shared = new SharedArrayBuffer(SHOWN + 8);
  const state = new Int32Array(shared, 0, 2);
  const input = options.input === undefined ? undefined : readInput(options.input);
  const worker = new Worker(new URL('./worker.mjs', import.meta.url), { workerData: { ...options, input, shared } });
  let name = '';
  let found = 0;
  return new Promise((resolve, reject) => {
    let before = -1;
    const watching = setInterval(() => {
      if (state[0] !== before || name === '') {
        before = state[0];
        return;
      }
      const hanging = Buffer.from(new Uint8Array(shared, 8, state[1]));
      console.log(
        report(name, { input: hanging, text: `hangs: no end after ${HANGS / 1000} s`, where: 'an unknown place' }),
      );
      found++;
      worker.terminate();
    }, HANGS);
    worker.on('message', (message) => {
      name = message.name;
      if (message.type === 'begin') return;
      console.log(summary(message));
      for (const finding of message.findings) console.log(report(name, finding));
      found += message.findings.length;
    });
    worker.on('error', reject);
    worker.on('exit', () => {
      clearInterval(watching);
      resolve(found);
    });
  });
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(help);
  else {
    console.log(`seed ${options.seed}`);
    process.exitCode = (await fuzz(options)) === 0 ? 0 : 1;
  }
} catch (error) {
  console.error(error instanceof UsageError ? `${error.message}\nnpm run fuzz -- --help` : error.stack);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
