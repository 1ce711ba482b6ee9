import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

/** The Debian packages that the tests need, each with a program of it, or a file where it has no program. */
const needs = [
  { package: 'nginx', program: 'nginx' },
  { package: 'apache2', program: 'apache2' },
  { package: 'libapache2-mod-proxy-uwsgi', file: '/usr/lib/apache2/modules/mod_proxy_uwsgi.so' },
  { package: 'libapache2-mod-fcgid', file: '/usr/lib/apache2/modules/mod_fcgid.so' },
  { package: 'lighttpd', program: 'lighttpd' },
  { package: 'lighttpd-mod-openssl', file: '/usr/lib/lighttpd/mod_openssl.so' },
  { package: 'caddy', program: 'caddy' },
  { package: 'haproxy', program: 'haproxy' },
  { package: 'spawn-fcgi', program: 'spawn-fcgi' },
  { package: 'libfcgi-bin', program: 'cgi-fcgi' },
  { package: 'curl', program: 'curl' },
  { package: 'systemd', program: 'systemd-socket-activate' },
  { package: 'uwsgi-core', program: 'uwsgi-core' },
  { package: 'uwsgi-plugin-python3', file: '/usr/lib/uwsgi/plugins/python3_plugin.so' },
  { package: 'php8.2-fpm', program: 'php-fpm8.2' },
  { package: 'libfcgi-perl', file: '/usr/share/doc/libfcgi-perl/copyright' },
  { package: 'default-jre-headless', program: 'java' },
  { package: 'chromium', program: 'chromium' },
  // tomcat10 itself is only the service: its unit, its user, its folders
  { package: 'tomcat10-common', file: '/usr/share/tomcat10/bin/bootstrap.jar' },
];

function has({ program, file }) {
  if (file !== undefined) return existsSync(file);
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
 * Sees to it that the web servers and back-ends are there: installed when this is Debian and we are root, without
 * starting them.
 * @returns what is still missing, as a line that says what to do; undefined: nothing
 */
export function prepareServers() {
  let missing = needs.filter((need) => !has(need));
  if (missing.length === 0) return undefined;
  const root = process.getuid?.() === 0;
  const apt = spawnSync('apt-get', ['--version']).status === 0;
  if (root && apt) {
    const packages = missing.map((need) => need.package);
    console.log(`installing ${packages.join(', ')} (the services are not started)`);
    try {
      install(packages);
    } catch (error) {
      return `could not install ${packages.join(', ')}: ${error.message}`;
    }
    missing = needs.filter((need) => !has(need));
    if (missing.length === 0) return undefined;
  }
  const packages = missing.map((need) => need.package);
  const how = apt ? `sudo apt-get install ${packages.join(' ')}` : `install ${packages.join(', ')}`;
  return `the tests run real web servers and back-ends, and these are missing: ${packages.join(', ')}. ${how}; or run the unit tests alone: npm test -- packages`;
}
