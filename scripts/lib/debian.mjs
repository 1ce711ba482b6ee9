import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

/** The programs that the tests run, and the Debian packages that hold them. */
const programs = [
  { program: 'nginx', package: 'nginx' },
  { program: 'apache2', package: 'apache2' },
  { program: 'lighttpd', package: 'lighttpd' },
];

function has(program) {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders.some((folder) => existsSync(`${folder}/${program}`));
}

/** Debian starts a service as it is installed; this file says no (invoke-rc.d(8)). */
const policy = '/usr/sbin/policy-rc.d';

function install(packages) {
  const ours = !existsSync(policy);
  const options = {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    execFileSync('apt-get', ['update', '-q'], options);
    execFileSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], options);
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

/**
 * Sees to it that the web servers are there: installed when this is Debian and we are root, without starting them.
 * @returns what is still missing, as a line that says what to do; undefined: nothing
 */
export function prepareServers() {
  const missing = programs.filter(({ program }) => !has(program));
  if (missing.length === 0) return undefined;
  const packages = missing.map((entry) => entry.package);
  const root = process.getuid?.() === 0;
  const apt = spawnSync('apt-get', ['--version']).status === 0;
  if (root && apt) {
    console.log(`installing ${packages.join(', ')} (the services are not started)`);
    try {
      install(packages);
    } catch (error) {
      return `could not install ${packages.join(', ')}: ${error.message}`;
    }
    if (missing.every(({ program }) => has(program))) return undefined;
  }
  const how = apt ? `sudo apt-get install ${packages.join(' ')}` : `install ${packages.join(', ')}`;
  return `the tests run real web servers and these are missing: ${packages.join(', ')}. ${how}; or run the unit tests alone: npm test -- packages`;
}
