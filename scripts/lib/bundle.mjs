import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** What a package is entered by beside its index: files of `src`, which share their modules with the index. */
const entries = { postern: ['cli.ts'] };
/** What is entered alone and shares nothing: a file of its own costs nothing where it is not used. */
const programs = { postern: ['commands/run-config.ts', 'demo/main.ts'] };

/** A program is imported when it is wanted, from its own place among what is built. */
function apart(source, files) {
  return {
    name: 'programs apart',
    setup({ onResolve }) {
      onResolve({ filter: /^\./ }, ({ kind, resolveDir, path }) => {
        const file = relative(source, join(resolveDir, path));
        if (kind === 'dynamic-import' && files.includes(file)) return { path: `./${builtName(file)}`, external: true };
      });
    },
  };
}

function builtName(path) {
  return path.replace(/\.ts$/, '.js');
}

/** Other packages are imported, so that an application that imports them too gets the same modules. */
const options = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'silent',
  write: false,
};

/** What esbuild makes of files of a folder; each lies in `outdir` as it does in the folder. */
async function bundleFiles(folder, files, outdir, more) {
  const entryPoints = files.map((file) => join(folder, file));
  const { outputFiles } = await build({ ...options, entryPoints, outbase: folder, outdir, ...more });
  return outputFiles;
}

/**
 * Makes the JavaScript of every package, `dist/*.js`, of its sources: one file for its index, as Node takes half a
 * millisecond for each that it loads. What else of JavaScript lies in `dist` goes away. What is as it was stays untouched.
 * @throws Error what cannot be bundled, and why
 */
export async function bundlePackages(root = repository) {
  const names = readdirSync(join(root, 'packages')).filter((name) =>
    existsSync(join(root, 'packages', name, 'src/index.ts')),
  );
  await Promise.all(names.map((name) => bundlePackage(name, join(root, 'packages', name))));
}

async function bundlePackage(name, folder) {
  const source = join(folder, 'src');
  const out = join(folder, 'dist');
  const own = programs[name] ?? [];
  const outputs = await Promise.all([
    bundleFiles(source, ['index.ts', ...(entries[name] ?? [])], out, {
      splitting: true,
      chunkNames: 'shared-[hash]',
      plugins: [apart(source, own)],
    }),
    bundleFiles(source, own, out),
  ]);
  const files = new Map(outputs.flat().map(({ path, contents }) => [path, contents]));
  for (const path of builtFiles(out)) if (!files.has(path)) rmSync(path);
  for (const [path, contents] of files) replace(path, contents);
}

/** Makes modules of a package that its index does not export, for our own scripts. */
export async function bundleInside(name, files, outdir) {
  const source = join(repository, 'packages', name, 'src');
  const outputs = await bundleFiles(source, files, join(repository, outdir), { splitting: true });
  for (const { path, contents } of outputs) replace(path, contents);
}

function builtFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.js(?:\.map)?$/.test(file))
    .map((file) => join(folder, file));
}

/** At once: somebody may be about to import it. */
function replace(path, contents) {
  if (existsSync(path) && readFileSync(path).equals(contents)) return;
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, contents);
  renameSync(fresh, path);
}
