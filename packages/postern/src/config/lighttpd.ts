import type { ListenTarget } from '@postern/server';
import { appLines, appOf, type LighttpdApp, type LighttpdProtocol, modules } from './lighttpd-app.ts';
import { readSite, type Site, type SiteName, type StarterOptions } from './site.ts';
import { braces, checkPath, fileOf, paragraphs, quote } from './text.ts';

/**
 * The configuration of lighttpd for an application that listens on an address: a whole file for conf-enabled.
 * @throws ConfigError ERR_OPTION: lighttpd cannot connect there, or an option cannot be written in its language;
 *   ERR_NOT_BUILT
 */
export function lighttpdConfig(protocol: string, target: ListenTarget, options: StarterOptions = {}): string {
  const app = appOf(protocol, target, options);
  const site = readSite(options);
  return fileOf([
    [
      `# lighttpd in front of ${app.title}`,
      '# Put this into a file of its own, on Debian /etc/lighttpd/conf-enabled/90-app.conf, then:',
      '# lighttpd -tt -f /etc/lighttpd/lighttpd.conf && systemctl reload lighttpd',
    ],
    ['# A module may be named again that another file names.', `server.modules += ( ${modulesFor(app, site)} )`],
    siteLines(site, app),
  ]);
}

function modulesFor({ protocol, role }: LighttpdApp, { root }: Site): string {
  const filesFirst = root !== undefined && role === 'responder';
  const names = [
    `mod_${modules[protocol]}`,
    ...(filesFirst ? ['mod_rewrite'] : []),
    ...(filesFirst || dropped[protocol].length > 0 ? ['mod_setenv'] : []),
  ];
  return names.map((name) => `"${name}"`).join(', ');
}

/** The app, for the names and the port of the site. Without a port it is there on each that lighttpd listens on. */
function siteLines({ name, port, root }: Site, app: LighttpdApp): string[] {
  const socket = port === undefined ? undefined : `$SERVER["socket"] == ":${port}"`;
  const host = name === undefined ? undefined : hostCondition(name);
  // a setting may be in a block though another file has it outside of all
  const every = socket === undefined && host === undefined ? '$HTTP["url"] =~ "^/"' : undefined;
  return braces(socket, braces(host, braces(every, paragraphs(blockLines(root, app)))));
}

/** @throws ConfigError ERR_OPTION */
function blockLines(root: string | undefined, app: LighttpdApp): string[][] {
  const headers = dropped[app.protocol];
  if (root === undefined) return [setHeaders(headers), ...appLines(app)];
  checkPath('lighttpd', root, 'root');
  if (app.role === 'responder') return files(root, headers, appLines(app));
  return [
    [
      '# The files of this folder are served to whom the authorizer lets through.',
      `server.document-root = ${quote('lighttpd', root)}`,
    ],
    ...appLines(app),
  ];
}

function hostCondition({ before, name, after }: SiteName): string {
  // == leaves the port of Host aside, =~ does not
  if (before === '' && after === '') return `$HTTP["host"] == "${name}"`;
  const start = before === '*.' ? '[^:]*\\.' : before === '.' ? '([^:]*\\.)?' : '';
  const end = after === '' ? '' : '\\.[^:]*';
  return `$HTTP["host"] =~ "^${start}${name.replaceAll('.', '\\.')}${end}(:[0-9]+)?$"`;
}

/** The header that a request gets on its first way through lighttpd, and by which it is known on the second. */
const SECOND_WAY = { name: 'X-Postern-File', value: 'none' };

function files(root: string, headers: readonly string[], app: readonly string[][]): string[][] {
  const { name, value } = SECOND_WAY;
  return [
    [
      '# What is a file in this folder is served by lighttpd, and is public; the rest goes to the app: where there is no file,',
      '# the request starts again with the same path, and has a header then that leads it to the app.',
      `server.document-root = ${quote('lighttpd', root)}`,
      `url.rewrite-if-not-file = ( "" => "\${url.path}\${qsa}" )`,
    ],
    setHeaders([...headers, `"${name}" => "${value}"`]),
    // a setting of lighttpd itself in the block makes it look at the header before mod_setenv writes it
    [
      '# server.stream-response-body must stay in this block, or each request goes to the app.',
      ...braces(`$REQUEST_HEADER["${name}"] == "${value}"`, paragraphs(app)),
    ],
  ];
}

/** What a client says of itself and must not get through. */
const dropped: Readonly<Record<LighttpdProtocol, readonly string[]>> = {
  fastcgi: [],
  scgi: [],
  ajp: ['"Proxy" => ""'],
  uwsgi: [],
  http: ['"X-Forwarded-For" => ""', '"Forwarded" => ""', '"Proxy" => ""'],
};

function setHeaders(headers: readonly string[]): string[] {
  if (headers.length === 0) return [];
  const why = headers.some((header) => header.endsWith('""'))
    ? [
        '# Headers of the client that are not for the app: what lighttpd says of it is, and see CVE-2016-5385 (httpoxy).',
      ]
    : [];
  return [...why, `setenv.set-request-header = ( ${headers.join(', ')} )`];
}
