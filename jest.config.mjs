/** Unit tests run from the sources: workspace names are mapped to them. What is started as a program is built before. */
export default {
  testMatch: ['<rootDir>/packages/*/test/**/*.test.ts', '<rootDir>/test/**/*.test.ts'],
  globalSetup: '<rootDir>/scripts/lib/jest-setup.mjs',
  testEnvironment: 'node',
  // what is left on globals is not to be undone behind a file: it can reach into Node's own modules, which all files share
  testEnvironmentOptions: { globalsCleanup: 'off' },
  transform: {
    '^.+\\.(?:[cm]?ts|mjs)$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, module: { type: 'commonjs' } },
    ],
  },
  extensionsToTreatAsEsm: [],
  moduleNameMapper: {
    '^@postern/([a-z]+)$': '<rootDir>/packages/$1/src/index.ts',
    '^postern$': '<rootDir>/packages/postern/src/index.ts',
  },
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/', '<rootDir>/\\.cache/'],
  maxWorkers: 2,
  // a web server that starts on a busy machine takes a while; nothing is timed by this
  testTimeout: 30_000,
};
