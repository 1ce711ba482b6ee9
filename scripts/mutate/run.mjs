import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stryker } from '@stryker-mutator/core';
import { filesOf, root, testsOf } from './subjects.mjs';

/** Everything that is written on the way stays in here. */
const cache = '.cache/stryker';

/** A sandbox needs this much of the repository; a tsconfig.json in it would be read with an API that TypeScript 7 has not. */
const ignored = [
  '/**',
  '!/packages/**',
  '!/scripts/mutate/*',
  '!/test/conformance/**',
  '!/test/fuzz/**',
  '!/package.json',
  '!/jest.config.mjs',
  'dist',
  'node_modules',
];

function strykerOptions(subject, mutate, concurrency) {
  return {
    mutate,
    testRunner: 'jest',
    plugins: ['@stryker-mutator/jest-runner', './scripts/mutate/ignore-texts.mjs'],
    ignorers: ['texts'],
    jest: {
      configFile: 'jest.config.mjs',
      config: {
        testMatch: ['<rootDir>/scripts/mutate/gathered.test.mjs'],
        globalSetup: null,
        testEnvironment: join(root, 'scripts/mutate/environment.cjs'),
      },
      enableFindRelatedTests: false,
    },
    coverageAnalysis: 'perTest',
    concurrency,
    // swc takes the types away without a look at them
    disableTypeChecks: false,
    checkers: [],
    reporters: ['progress-append-only'],
    ignorePatterns: ignored,
    tempDirName: `${cache}/${subject}`,
    cleanTempDir: 'always',
    timeoutMS: 5000,
    timeoutFactor: 3,
    allowConsoleColors: false,
    logLevel: 'warn',
    warnings: { slow: false },
    disableBail: false,
  };
}

function survivorsPath(subject) {
  return join(root, cache, `${subject}-survivors.json`);
}

/** Where the changes lie that survived the last time, as Stryker takes them. */
function keptRanges(subject) {
  const path = survivorsPath(subject);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : [];
}

/** What Stryker calls it, and what the page does. */
const figureOf = { Killed: 'killed', Timeout: 'timeout', Survived: 'survived', NoCoverage: 'uncovered' };

/** One line for whatever was written over several. */
function collapse(text) {
  return text.replace(/\s+/g, ' ').trim();
}

/** Lines and columns count from 1. */
function textAt(lines, { start, end }) {
  const cut = lines.slice(start.line - 1, end.line);
  cut[cut.length - 1] = cut.at(-1).slice(0, end.column - 1);
  cut[0] = cut[0].slice(start.column - 1);
  return cut.join('\n');
}

/**
 * Mutates files of a package.
 * @param files names of them; undefined: all that are mutated
 * @param tests what the paths of the tests match; undefined: all tests of the package
 * @param onlySurvivors the changes that survived the last time
 * @returns figures by file, and what survived, in the order of the files
 */
export async function mutatePackage(subject, { files, tests, onlySurvivors = false, concurrency }) {
  const paths = (files ?? filesOf(subject)).map((file) => `packages/${subject}/src/${file}`);
  const mutate = onlySurvivors ? keptRanges(subject) : paths;
  process.env.POSTERN_MUTATE_TESTS = JSON.stringify(testsOf(subject).filter((path) => tests?.test(path) ?? true));
  process.env.POSTERN_VECTORS ??= 'quick';
  process.env.FUZZ_RUNS ??= '500';
  mkdirSync(join(root, cache), { recursive: true });
  // others may go on writing meanwhile: what a place means is what stood there when it was changed
  const sources = new Map(
    filesOf(subject).map((file) => {
      const path = `packages/${subject}/src/${file}`;
      return [path, readFileSync(join(root, path), 'utf8').split('\n')];
    }),
  );
  const results = await new Stryker(strykerOptions(subject, mutate, concurrency)).runMutationTest();
  const byFile = {};
  const survivors = [];
  const ranges = [];
  for (const { fileName, location, replacement, status } of results) {
    // texts for people, and what does not run at all
    if (!(status in figureOf)) continue;
    const path = fileName.slice(fileName.indexOf(`packages/${subject}/`));
    const file = path.split('/').pop();
    byFile[file] ??= { killed: 0, timeout: 0, survived: 0, uncovered: 0 };
    byFile[file][figureOf[status]]++;
    if (status !== 'Survived' && status !== 'NoCoverage') continue;
    const lines = sources.get(path);
    survivors.push({
      file,
      from: collapse(textAt(lines, location)),
      to: collapse(replacement),
      in: lines[location.start.line - 1].trim(),
      place: location.start.line,
      covered: status === 'Survived',
    });
    const { start, end } = location;
    ranges.push(`${path}:${start.line}:${start.column - 1}-${end.line}:${end.column - 1}`);
  }
  const tried = Object.keys(byFile);
  const others = keptRanges(subject).filter((range) => !tried.some((file) => range.includes(`/${file}:`)));
  writeFileSync(survivorsPath(subject), JSON.stringify([...others, ...ranges]));
  survivors.sort((a, b) => (a.file === b.file ? a.place - b.place : a.file < b.file ? -1 : 1));
  return { byFile, survivors };
}
