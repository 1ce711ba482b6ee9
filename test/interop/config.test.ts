import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { SiteOptions } from '../../packages/postern/src/config/site.ts';
import { type WebServerName, webServerConfig } from '../../packages/postern/src/config/web-servers.ts';
import { freePort, startChild, temporaryFolder } from '../../packages/testkit/src/index.ts';

/** What each web server says of what `postern config` prints for it, not one letter changed. Nothing is started. */

const folder = temporaryFolder();
afterAll(() => folder.remove());

const root = join(folder.path, 'a "b" #c;{} 50%');
mkdirSync(root);
mkdirSync(join(folder.path, 'plain'));

const protocols: Readonly<Record<WebServerName, readonly string[]>> = {
  nginx: ['fastcgi', 'scgi', 'uwsgi', 'http'],
  apache: ['fastcgi', 'scgi', 'ajp', 'uwsgi', 'http'],
  lighttpd: ['fastcgi', 'scgi', 'ajp', 'uwsgi', 'http'],
};

const targets = [
  { transport: 'tcp', host: '127.0.0.1', port: 9000 },
  { transport: 'tcp', host: '::1', port: 9000 },
  { transport: 'tcp', host: 'localhost', port: 9000 },
  { transport: 'unix', path: '/run/app.sock' },
  { transport: 'unix', path: '/run/a b"c;{}50%\'.sock' },
] as const;

const sites: readonly SiteOptions[] = [
  { serverName: 'www.example.org:PORT' },
  { serverName: '*.example.org:PORT', root: join(folder.path, 'plain') },
  { serverName: '.example.org:PORT', root },
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
};

const checks: Readonly<Record<WebServerName, (file: string) => string[]>> = {
  nginx: (file) => ['nginx', '-t', '-p', folder.path, '-c', file],
  apache: (file) => ['apache2', '-t', '-f', file],
  lighttpd: (file) => ['lighttpd', '-tt', '-f', file],
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
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, ...env },
  });
  const { code } = await child.ended();
  return `${code} ${child.output()}`;
}

/** Nothing but what it says of a good file. */
const content: Readonly<Record<WebServerName, RegExp>> = {
  nginx: /^0 nginx: .* syntax is ok\nnginx: .* test is successful\n$/,
  apache: /^0 Syntax OK\n$/,
  lighttpd: /^0 $/,
};

async function print(
  server: WebServerName,
  protocol: string,
  target: (typeof targets)[number],
  site: SiteOptions = {},
): Promise<string> {
  const serverName = site.serverName?.replace('PORT', String(await freePort()));
  return webServerConfig(server, { protocol, target, peer: {}, text: '' }, { ...site, serverName });
}

describe.each(Object.keys(protocols) as WebServerName[])('%s takes the configuration as it is', (server) => {
  describe.each(protocols[server])('for %s', (protocol) => {
    it.each(targets.flatMap((target) => sites.map((site) => ({ target, site }))))(
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
        await print(server, protocol, targets[0], { serverName: `s${i}.example.org:${port}`, root }),
        await print(server, protocol, targets[3], { serverName: `u${i}.example.org:${port}` }),
        await print(server, protocol, targets[0], { serverName: `t${i}.example.org:PORT`, root }),
      );
    }
    expect(await says(server, configs[server](texts.map(save)))).toMatch(content[server]);
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
    const file = save(await print('nginx', protocol, targets[3], { root }));
    const debian = readFileSync('/etc/nginx/nginx.conf', 'utf8');
    const whole = debian
      .replace('include /etc/nginx/conf.d/*.conf;', `include ${file};`)
      .replace('include /etc/nginx/modules-enabled/*.conf;', '');
    expect(whole).toContain(file);
    expect(await says('nginx', whole)).toMatch(/^0 .*test is successful/s);
  });

  asRoot.each(protocols.apache)('Apache takes it for %s', async (protocol) => {
    const file = save(await print('apache', protocol, targets[3], { root: join(folder.path, 'plain') }));
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
    const file = save(await print('lighttpd', protocol, targets[3], { root }));
    expect(await says('lighttpd', `include "/etc/lighttpd/lighttpd.conf"\ninclude "${file}"\n`)).toMatch(
      content.lighttpd,
    );
  });
});
