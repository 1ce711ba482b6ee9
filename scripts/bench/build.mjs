import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Brings the builds of these packages up to date: what is measured is what the sources say.
 * @throws Error the compiler's own words
 */
export function buildPackages(packages) {
  if (packages.length === 0) return;
  const projects = packages.map((name) => `packages/${name}`);
  const { status, stdout, stderr, error } = spawnSync(process.execPath, ['scripts/build.mjs', ...projects], {
    cwd: root,
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${projects.join(', ')} cannot be built:\n${stdout}${stderr}`);
}
