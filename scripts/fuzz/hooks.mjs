// Loads TypeScript from the sources, and instruments what is fuzzed: each statement and branch counts its runs.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';
import { createInstrumenter } from 'istanbul-lib-instrument';

const root = new URL('../../', import.meta.url);
const decoders = /\/packages\/(?:core|wire|fastcgi|scgi|ajp|uwsgi)\/src\//;
const instrumenter = createInstrumenter({ esModules: true, produceSourceMap: true, compact: false });

/** What test files import of jest, and nobody calls here. */
const jest =
  'data:text/javascript,export const expect=undefined,describe=undefined,it=undefined,test=undefined,jest=undefined';

export function resolve(specifier, context, next) {
  if (specifier === '@jest/globals') return { url: jest, shortCircuit: true };
  const name = /^@postern\/([a-z]+)$/.exec(specifier)?.[1];
  if (name === undefined) return next(specifier, context);
  return { url: new URL(`packages/${name}/src/index.ts`, root).href, shortCircuit: true };
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const path = fileURLToPath(url);
  let { code, map } = await transform(await readFile(path, 'utf8'), {
    filename: path,
    sourceMaps: true,
    jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
    module: { type: 'es6' },
  });
  if (decoders.test(url)) {
    code = instrumenter.instrumentSync(code, path, JSON.parse(map));
    map = JSON.stringify(instrumenter.lastSourceMap());
  }
  const inline = Buffer.from(map).toString('base64');
  return {
    format: 'module',
    source: `${code}\n//# sourceMappingURL=data:application/json;base64,${inline}`,
    shortCircuit: true,
  };
}
