import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { SiteOptions } from '../../packages/postern/src/config/site.ts';
import { type WebServerName, webServerConfig } from '../../packages/postern/src/config/web-servers.ts';
import { freePort, startChild, temporaryFolder, writeProgram } from '../../packages/testkit/src/index.ts';

/** What each web server says of what `postern config` prints for it, not one letter changed. Nothing is started. */

const folder = temporaryFolder();
afterAll(() => folder.remove());

const plain = join(folder.path, 'plain');
const odd = join(folder.path, 'a "b" #c;{} 50%');
// in Caddy's language a brace begins a placeholder
const oddForCaddy = join(folder.path, 'a "b" #c;} 50%');
for (const path of [plain, odd, oddForCaddy]) mkdirSync(path);

const protocols: Readonly<Record<WebServerName, readonly string[]>> = {
  nginx: ['fastcgi', 'scgi', 'uwsgi', 'http'],
  apache: ['fastcgi', 'scgi', 'ajp', 'uwsgi', 'http'],
  lighttpd: ['fastcgi', 'scgi', 'ajp', 'uwsgi', 'http'],
  caddy: ['fastcgi', 'http'],
  haproxy: ['fastcgi', 'http'],
};

const withoutRoots: readonly WebServerName[] = ['haproxy'];

type Target = { transport: 'tcp'; host: string; port: number } | { transport: 'unix'; path: string };

const targets: readonly Target[] = [
  { transport: 'tcp', host: '127.0.0.1', port: 9000 },
  { transport: 'tcp', host: '::1', port: 9000 },
  { transport: 'tcp', host: 'localhost', port: 9000 },
  { transport: 'unix', path: '/run/app.sock' },
  { transport: 'unix', path: '/run/a b"c;{}50%\'.sock' },
];

function targetsFor(server: WebServerName): readonly Target[] {
  return server === 'caddy'
    ? [...targets.slice(0, -1), { transport: 'unix', path: '/run/a b"c;}50%\'.sock' }]
    : targets;
}

function sitesFor(server: WebServerName): readonly SiteOptions[] {
  if (withoutRoots.includes(server)) return sites.map(({ serverName }) => ({ serverName }));
  return server === 'caddy' ? sites.map((site) => (site.root === odd ? { ...site, root: oddForCaddy } : site)) : sites;
}

function rootFor(server: WebServerName): SiteOptions {
  return withoutRoots.includes(server) ? {} : { root: plain };
}

const sites: readonly SiteOptions[] = [
  { serverName: 'www.example.org:PORT' },
  { serverName: '*.example.org:PORT', root: plain },
  { serverName: '.example.org:PORT', root: odd },
  { serverName: 'example.*:PORT' },
  { serverName: `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.example.org:PORT` },
];

const configs: Readonly<Record<WebServerName, (include: string[]) => string>> = {
  nginx: (files) =>
    `pid ${folder.path}/pid; error_log stderr; events {} http { access_log off; ${[
      'client_body',
      'fastcgi',
      'proxy',
      'scgi',
      'uwsgi',
    ]
      .map((name) => `${name}_temp_path ${folder.path}/${name};`)
      .join(' ')} ${files.map((file) => `include ${file};`).join(' ')} }`,
  apache: (files) => `ServerRoot "${folder.path}"
ServerName localhost
PidFile ${folder.path}/apache.pid
ErrorLog ${folder.path}/error.log
DefaultRuntimeDir ${folder.path}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
${files.map((file) => `Include ${file}`).join('\n')}
`,
  lighttpd: (files) => `server.document-root = "${folder.path}"
server.port = 1
${files.map((file) => `include "${file}"`).join('\n')}
`,
  caddy: (files) => `{
	admin off
	storage file_system "${folder.path}/storage"
}
${files.map((file) => `import ${file}`).join('\n')}
`,
  // it reads one file behind the other
  haproxy: (files) => files.map((file) => readFileSync(file, 'utf8')).join(''),
};

const checks: Readonly<Record<WebServerName, (file: string) => string[]>> = {
  nginx: (file) => ['nginx', '-t', '-p', folder.path, '-c', file],
  apache: (file) => ['apache2', '-t', '-f', file],
  lighttpd: (file) => ['lighttpd', '-tt', '-f', file],
  caddy: (file) => ['caddy', 'validate', '--adapter', 'caddyfile', '--config', file],
  haproxy: (file) => ['haproxy', '-c', '-f', file],
};

let files = 0;

function save(text: string): string {
  const file = join(folder.path, `${files++}.conf`);
  writeFileSync(file, text);
  return file;
}

async function says(server: WebServerName, whole: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const [command, ...args] = checks[server](save(whole));
  const child = startChild(command, args, {
    // Caddy keeps files in these folders
    env: {
      ...process.env,
      PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
      ...{ HOME: folder.path, XDG_CONFIG_HOME: folder.path, XDG_DATA_HOME: folder.path },
      ...env,
    },
  });
  const { code } = await child.ended();
  return `${code} ${child.output()}`;
}

/** Nothing but what it says of a good file. */
const content: Readonly<Record<WebServerName, RegExp>> = {
  nginx: /^0 nginx: .* syntax is ok\nnginx: .* test is successful\n$/,
  apache: /^0 Syntax OK\n$/,
  lighttpd: /^0 $/,
  // beside its lines of JSON, of which none is a warning
  caddy: /^0 (?:\{"level":"info".*\}\n|Valid configuration\n)+$/,
  haproxy: /^0 Configuration file is valid\n$/,
};

async function print(server: WebServerName, protocol: string, target: Target, site: SiteOptions = {}): Promise<string> {
  const serverName = site.serverName?.replace('PORT', String(await freePort()));
  return webServerConfig(server, { protocol, target, peer: {}, text: '' }, { ...site, serverName });
}

describe.each(Object.keys(protocols) as WebServerName[])('%s takes the configuration as it is', (server) => {
  describe.each(protocols[server])('for %s', (protocol) => {
    it.each(targetsFor(server).flatMap((target) => sitesFor(server).map((site) => ({ target, site }))))(
      'on $target for $site',
      async ({ target, site }) => {
        const text = await print(server, protocol, target, site);
        expect(await says(server, configs[server]([save(text)]))).toMatch(content[server]);
      },
    );
  });

  it('for all protocols at once, on one port and on many, one app behind two sites', async () => {
    const port = await freePort();
    const texts: string[] = [];
    for (const [i, protocol] of protocols[server].entries()) {
      texts.push(
        await print(server, protocol, targets[0], { serverName: `s${i}.example.org:${port}`, ...rootFor(server) }),
        await print(server, protocol, targets[3], { serverName: `u${i}.example.org:${port}` }),
        await print(server, protocol, targets[0], { serverName: `t${i}.example.org:PORT`, ...rootFor(server) }),
      );
    }
    expect(await says(server, configs[server](texts.map(save)))).toMatch(content[server]);
  });
});

describe('an app that the web server starts, and an authorizer', () => {
  const program = writeProgram(join(folder.path, 'app.fcgi'), 'test/fixtures/plain.mjs');
  const inherited = { protocol: 'fastcgi', target: { transport: 'fd', fd: 0 }, peer: {}, text: '' } as const;

  const cases = (['apache', 'lighttpd'] as const).flatMap((server) =>
    sites.flatMap((site) => [
      { server, site, address: inherited, options: { program } },
      { server, site, address: { ...inherited, target: targets[0] }, options: { role: 'authorizer' as const } },
      { server, site, address: { ...inherited, target: targets[1] }, options: { role: 'authorizer' as const } },
    ]),
  );

  it.each(cases)('$server takes $options on $address.target for $site', async ({ server, site, address, options }) => {
    const serverName = site.serverName?.replace('PORT', String(await freePort()));
    const text = webServerConfig(server, address, { ...site, ...options, serverName });
    expect(await says(server, configs[server]([save(text)]))).toMatch(content[server]);
  });

  it('Apache takes several of them at once', async () => {
    const texts = await Promise.all(
      cases
        .filter(({ server }) => server === 'apache')
        .map(async ({ site, address, options }) => {
          const serverName = site.serverName?.replace('PORT', String(await freePort()));
          return webServerConfig('apache', address, { ...site, ...options, serverName });
        }),
    );
    expect(await says('apache', configs.apache(texts.map(save)))).toMatch(content.apache);
  });
});

// nginx opens its ports when it checks, and Debian's own files name logs and port 80
const isRoot = process.getuid?.() === 0;
const asRoot = isRoot ? it : it.skip;
if (!isRoot)
  console.warn(
    'ERR_TEST_SETUP: the tests beside the configuration of Debian need root, and are left out: sudo npm test',
  );

describe('beside the configuration of Debian, without a name', () => {
  asRoot.each(protocols.nginx)('nginx takes it for %s', async (protocol) => {
    const file = save(await print('nginx', protocol, targets[3], { root: odd }));
    const debian = readFileSync('/etc/nginx/nginx.conf', 'utf8');
    const whole = debian
      .replace('include /etc/nginx/conf.d/*.conf;', `include ${file};`)
      .replace('include /etc/nginx/modules-enabled/*.conf;', '');
    expect(whole).toContain(file);
    expect(await says('nginx', whole)).toMatch(/^0 .*test is successful/s);
  });

  asRoot.each(protocols.apache)('Apache takes it for %s', async (protocol) => {
    const file = save(await print('apache', protocol, targets[3], { root: plain }));
    const env = Object.fromEntries(
      ['RUN_DIR', 'LOCK_DIR', 'LOG_DIR'].map((name) => [`APACHE_${name}`, folder.path] as const),
    );
    const whole = `Define APACHE_PID_FILE ${folder.path}/apache.pid
ServerName localhost
ServerRoot "/etc/apache2"
Include /etc/apache2/apache2.conf
Include ${file}
`;
    const users = { APACHE_RUN_USER: 'www-data', APACHE_RUN_GROUP: 'www-data' };
    expect(await says('apache', whole, { ...env, ...users })).toMatch(content.apache);
  });

  asRoot.each(protocols.lighttpd)('lighttpd takes it for %s', async (protocol) => {
    const file = save(await print('lighttpd', protocol, targets[3], { root: odd }));
    expect(await says('lighttpd', `include "/etc/lighttpd/lighttpd.conf"\ninclude "${file}"\n`)).toMatch(
      content.lighttpd,
    );
  });

  asRoot.each(protocols.haproxy)('HAProxy takes it for %s', async (protocol) => {
    const debian = readFileSync('/etc/haproxy/haproxy.cfg', 'utf8');
    const text = await print('haproxy', protocol, targets[3]);
    expect(await says('haproxy', `${debian}\n${text}`)).toMatch(content.haproxy);
  });

  asRoot.each(protocols.caddy)('Caddy takes it for %s', async (protocol) => {
    const debian = readFileSync('/etc/caddy/Caddyfile', 'utf8');
    const text = await print('caddy', protocol, targets[3], { serverName: 'app.example.org', root: plain });
    expect(await says('caddy', `${debian}\n${text}`)).toMatch(/^0 .*Valid configuration\n/s);
    expect(await says('caddy', text)).toMatch(content.caddy);
    // with a warning that it is plain HTTP
    const nameless = await print('caddy', protocol, targets[3], { root: plain });
    expect(await says('caddy', nameless)).toMatch(/^0 .*Valid configuration\n/s);
  });
});
