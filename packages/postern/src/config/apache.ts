import type { ListenTarget } from '@postern/server';
import { type ApacheProtocol, apacheModule, apacheProtocols } from './apache-module.ts';
import { appLines, modulesFor } from './apache-proxy.ts';
import { backendOf } from './backend.ts';
import { readSite, type Site, type SiteName, type SiteOptions } from './site.ts';
import { checkPath, fileOf, indent, paragraphs, quote } from './text.ts';

export interface ApacheOptions extends SiteOptions {
  /** `fcgi`, `scgi`, `ajp`, `uwsgi` or `http`, as a check: it follows from the address. */
  readonly module?: string;
}

/** <Directory> takes a path with one of these for a pattern. */
const pattern = { found: /[*?[\]]/, named: '*, ?, [ or ]' };

/**
 * The configuration of Apache for an application that listens on an address: a whole file for sites-enabled.
 * @throws ConfigError ERR_OPTION: Apache cannot connect there, the module does not fit, or an option cannot be written
 *   in its language; ERR_NOT_BUILT
 */
export function apacheConfig(protocol: string, target: ListenTarget, options: ApacheOptions = {}): string {
  const backend = backendOf('Apache', apacheProtocols, protocol, target);
  const module = apacheModule(backend.protocol, options.module, backend.address);
  const site = readSite(options);
  const port = site.port ?? 80;
  return fileOf([
    [
      `# Apache in front of an app that listens on ${backend.address}`,
      '# Put this into a file of its own, on Debian /etc/apache2/sites-available/app.conf, then:',
      '# a2ensite app && apachectl -t && systemctl reload apache2',
      ...(site.name === undefined
        ? [
            '# Without a name it answers where no other site on the port does, and Debian has one: a2dissite 000-default',
          ]
        : []),
    ],
    loadModules(backend.protocol, module, site),
    ...(port === 80 ? [] : [listen(port)]),
    [
      `<VirtualHost *:${port}>`,
      ...indent(
        paragraphs([
          site.name === undefined ? [] : serverName(site.name),
          ...appLines(backend, module, options.peer),
          site.root === undefined ? [] : files(site.root),
        ]),
      ),
      '</VirtualHost>',
    ],
  ]);
}

function loadModules(protocol: ApacheProtocol, module: string, { root }: Site): string[] {
  const names = [...modulesFor(protocol, module), ...(root === undefined ? [] : ['authz_core', 'rewrite', 'mime'])];
  return [
    '# The modules that this needs, where nothing else has loaded them. The folder is the one of Debian.',
    ...names.flatMap((name) => [
      `<IfModule !${name}_module>`,
      `    LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`,
      ...(name === 'mime' ? ['    TypesConfig /etc/mime.types'] : []),
      '</IfModule>',
    ]),
  ];
}

function listen(port: number): string[] {
  return [
    '# Once, however many of these files are for the port. Where another file has a Listen for it already, leave this out.',
    `<IfDefine !POSTERN_LISTEN_${port}>`,
    `    Define POSTERN_LISTEN_${port}`,
    `    Listen ${port}`,
    '</IfDefine>',
  ];
}

/** ServerName takes no wildcard, so a name that the wildcard covers stands there. */
function serverName({ before, name, after }: SiteName): string[] {
  if (before === '*.') return [`ServerName any.${name}`, `ServerAlias *.${name}`];
  if (before === '.') return [`ServerName ${name}`, `ServerAlias *.${name}`];
  if (after === '.*') return [`ServerName ${name}.any`, `ServerAlias ${name}.*`];
  return [`ServerName ${name}`];
}

/** @throws ConfigError ERR_OPTION */
function files(root: string): string[] {
  checkPath('Apache', root, 'root', pattern);
  const quoted = quote('Apache', root);
  return [
    '# What is a file in this folder is served by Apache, and is public; the rest goes to the app.',
    `DocumentRoot ${quoted}`,
    `<Directory ${quoted}>`,
    '    Require all granted',
    '</Directory>',
    'RewriteEngine On',
    'RewriteCond "%{DOCUMENT_ROOT}%{REQUEST_URI}" -f',
    'RewriteRule "^" "-" [E=no-proxy]',
  ];
}
