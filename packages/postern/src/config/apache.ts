import type { ListenTarget } from '@postern/server';
import { authorizerParts } from './apache-authorizer.ts';
import { programParts } from './apache-fcgid.ts';
import { type ApacheParts, apacheModule, apacheProtocols, type ProxyModule } from './apache-module.ts';
import { proxyParts } from './apache-proxy.ts';
import { backendOf, programOf, refuseProgram } from './backend.ts';
import { readSite, type Site, type SiteName, type StarterOptions } from './site.ts';
import { fileOf, indent, paragraphs } from './text.ts';

export interface ApacheOptions extends StarterOptions {
  /** `fcgi`, `scgi`, `ajp`, `uwsgi`, `http`, `fcgid` or `authnz_fcgi`, as a check: it follows from the rest. */
  readonly module?: string;
}

/**
 * The configuration of Apache for an application that listens on an address: a whole file for sites-enabled.
 * @throws ConfigError ERR_OPTION: Apache cannot connect there, the module does not fit, or an option cannot be written
 *   in its language; ERR_NOT_BUILT
 */
export function apacheConfig(protocol: string, target: ListenTarget, options: ApacheOptions = {}): string {
  const site = readSite(options);
  const { title, modules, before = [], lines } = partsOf(protocol, target, options, site);
  const port = site.port ?? 80;
  return fileOf([
    [
      `# Apache in front of ${title}`,
      '# Put this into a file of its own, on Debian /etc/apache2/sites-available/app.conf, then:',
      '# a2ensite app && apachectl -t && systemctl reload apache2',
      ...(site.name === undefined
        ? [
            '# Without a name it answers where no other site on the port does, and Debian has one: a2dissite 000-default',
          ]
        : []),
    ],
    loadModules(modules),
    before,
    ...(port === 80 ? [] : [listen(port)]),
    [
      `<VirtualHost *:${port}>`,
      ...indent(paragraphs([site.name === undefined ? [] : serverName(site.name), ...lines])),
      '</VirtualHost>',
    ],
  ]);
}

/** @throws ConfigError ERR_OPTION, ERR_NOT_BUILT */
function partsOf(protocol: string, target: ListenTarget, options: ApacheOptions, { root }: Site): ApacheParts {
  const { role, program, peer } = options;
  const module = apacheModule({ protocol, target, role, asked: options.module });
  if (module === 'fcgid' && target.transport === 'fd')
    return programParts(programOf('Apache', protocol, target, program), root);
  const backend = backendOf('Apache', apacheProtocols, protocol, target);
  refuseProgram('Apache', backend.address, program);
  return module === 'authnz_fcgi'
    ? authorizerParts(backend, root)
    : proxyParts(backend, module as ProxyModule, root, peer);
}

function loadModules(names: readonly string[]): string[] {
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
