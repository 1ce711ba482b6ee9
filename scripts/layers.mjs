// Fails on an import that is not in the picture of docs/explanation/architecture.md.
//   node scripts/layers.mjs [folder]      the folder that holds packages/
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const protocol = { packages: ['core', 'wire'], builtins: [] };
const everything = [
  'core',
  'wire',
  'fastcgi',
  'scgi',
  'ajp',
  'uwsgi',
  'server',
  'client',
  'node',
  'fetch',
  'supervisor',
  'inspect',
];

/** What each package may import: packages of this repository, others, and Node's own modules ('*': any). */
const picture = {
  core: { packages: [], builtins: ['node:buffer', 'node:fs/promises', 'node:stream', 'node:stream/web'] },
  wire: { packages: ['core'], others: ['binary-parser'], builtins: ['node:buffer', 'node:module'] },
  fastcgi: protocol,
  scgi: protocol,
  // the secret of a listener is compared by its hash
  ajp: { ...protocol, builtins: ['node:crypto'] },
  uwsgi: protocol,
  server: { packages: ['core'], builtins: '*' },
  client: { packages: ['core'], builtins: '*' },
  node: { packages: ['core'], builtins: '*' },
  fetch: { packages: ['core'], builtins: '*' },
  supervisor: { packages: ['core', 'server'], builtins: '*' },
  inspect: { packages: ['core'], builtins: '*' },
  postern: { packages: everything, others: ['yargs'], builtins: '*' },
  testkit: { packages: [...everything, 'postern'], builtins: '*' },
};

const importPattern = /(?:\bfrom\s*|\bimport\s*\(?\s*|\b(?:require|getBuiltinModule)\s*\(\s*)(['"])([^'"\n]+)\1/g;

function sources(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.[cm]?[jt]s$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** The package that a specifier names: '@postern/core' -> core, 'yargs/helpers' -> yargs. */
function packageOf(specifier) {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? `${parts[0]}/${parts[1]}` : parts[0];
}

function checkImport(name, specifier, file, root) {
  const rule = picture[name];
  if (specifier.startsWith('.')) {
    const inside = relative(join(root, 'packages', name), join(file, '..', specifier));
    return inside.startsWith('..') ? 'leaves its package' : undefined;
  }
  if (specifier.startsWith('node:') || builtinModules.includes(specifier)) {
    if (!specifier.startsWith('node:')) return 'is to be written with node:';
    return rule.builtins === '*' || rule.builtins.includes(specifier)
      ? undefined
      : 'is a module of Node that this package may not use';
  }
  const target = packageOf(specifier);
  const own = /^@postern\/(.+)$/.exec(target)?.[1] ?? (target === 'postern' ? 'postern' : undefined);
  if (own !== undefined) {
    if (specifier !== target) return 'reaches behind the index of a package';
    return rule.packages.includes(own) ? undefined : 'is no arrow of the picture';
  }
  return rule.others?.includes(target) ? undefined : 'is a dependency that this package may not have';
}

/** One line for each breach. */
export function findBreaches(root) {
  const breaches = [];
  for (const name of readdirSync(join(root, 'packages'))) {
    const folder = join(root, 'packages', name);
    if (!existsSync(join(folder, 'package.json'))) continue;
    if (picture[name] === undefined) {
      breaches.push(`packages/${name}: is not in the picture`);
      continue;
    }
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const declared = new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }));
    const used = new Set();
    for (const file of sources(join(folder, 'src'))) {
      // a snippet that a page shows stands in a template literal
      const code = readFileSync(file, 'utf8').replace(/`(?:\\.|[^`\\])*`/g, '``');
      for (const [, , specifier] of code.matchAll(importPattern)) {
        const wrong = checkImport(name, specifier, file, root);
        if (wrong !== undefined) breaches.push(`${relative(root, file)}: '${specifier}' ${wrong}`);
        else if (!specifier.startsWith('.') && !specifier.startsWith('node:')) used.add(packageOf(specifier));
      }
    }
    for (const target of used)
      if (!declared.has(target)) breaches.push(`packages/${name}/package.json: ${target} is imported and not declared`);
    for (const target of declared)
      if (!used.has(target)) breaches.push(`packages/${name}/package.json: ${target} is declared and not imported`);
  }
  return breaches;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const breaches = findBreaches(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)));
  for (const breach of breaches) console.error(`layers: ${breach}`);
  if (breaches.length > 0) process.exit(1);
  console.log('layers: every import is in the picture');
}
