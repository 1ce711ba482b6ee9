// Runs a program of the TypeScript sources as the unit tests do: node run-typescript.cjs program.ts [argument…]
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { join, resolve } = require('node:path');
const { transformSync } = require('@swc/core');

const packages = resolve(__dirname, '../../..');

Module._extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    filename,
    jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
    module: { type: 'commonjs' },
  });
  module._compile(code, filename);
};

const find = Module._resolveFilename;
Module._resolveFilename = (request, ...rest) => {
  const name = /^@postern\/([a-z]+)$/.exec(request)?.[1];
  return find(name === undefined ? request : join(packages, name, 'src/index.ts'), ...rest);
};

process.argv.splice(1, 1);
require(process.argv[1]);
