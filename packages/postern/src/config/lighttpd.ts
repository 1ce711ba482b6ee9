import type { PeerOptions } from '@postern/core';
import { isLoopback, type ListenTarget } from '@postern/server';
import { type Backend, backendOf } from './backend.ts';
import { readSite, type Site, type SiteName, type SiteOptions } from './site.ts';
import { braces, checkPath, fileOf, paragraphs, quote } from './text.ts';

/** The module of lighttpd for each protocol, without mod_; it is the prefix of the module's settings as well. */
const modules = { fastcgi: 'fastcgi', scgi: 'scgi', ajp: 'ajp13', uwsgi: 'scgi', http: 'proxy' } as const;
type LighttpdProtocol = keyof typeof modules;
const lighttpdProtocols = Object.keys(modules) as LighttpdProtocol[];

/**
 * The configuration of lighttpd for an application that listens on an address: a whole file for conf-enabled.
 * @throws ConfigError ERR_OPTION: lighttpd cannot connect there, or an option cannot be written in its language;
 *   ERR_NOT_BUILT
 */
export function lighttpdConfig(protocol: string, target: ListenTarget, options: SiteOptions = {}): string {
  const backend = backendOf('lighttpd', lighttpdProtocols, protocol, target);
  const site = readSite(options);
  return fileOf([
    [
      `# lighttpd in front of an app that listens on ${backend.address}${backend.protocol === 'ajp' ? '?peer=lighttpd' : ''}`,
      '# Put this into a file of its own, on Debian /etc/lighttpd/conf-enabled/90-app.conf, then:',
      '# lighttpd -tt -f /etc/lighttpd/lighttpd.conf && systemctl reload lighttpd',
    ],
    [
      '# A module may be named again that another file names.',
      `server.modules += ( ${modulesFor(backend.protocol, site)} )`,
    ],
    siteLines(site, backend, options.peer),
  ]);
}

function modulesFor(protocol: LighttpdProtocol, { root }: Site): string {
  const names = [
    `mod_${modules[protocol]}`,
    ...(root === undefined ? [] : ['mod_rewrite']),
    ...(root === undefined && dropped[protocol].length === 0 ? [] : ['mod_setenv']),
  ];
  return names.map((name) => `"${name}"`).join(', ');
}

/** The app, for the names and the port of the site. Without a port it is there on each that lighttpd listens on. */
function siteLines({ name, port, root }: Site, backend: Backend<LighttpdProtocol>, peer?: PeerOptions): string[] {
  const app = appLines(backend, peer);
  const socket = port === undefined ? undefined : `$SERVER["socket"] == ":${port}"`;
  const host = name === undefined ? undefined : hostCondition(name);
  // a setting may be in a block though another file has it outside of all
  const every = socket === undefined && host === undefined ? '$HTTP["url"] =~ "^/"' : undefined;
  const inner =
    root === undefined ? [setHeaders(dropped[backend.protocol]), ...app] : files(root, dropped[backend.protocol], app);
  return braces(socket, braces(host, braces(every, paragraphs(inner))));
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

/** @throws ConfigError ERR_OPTION */
function files(root: string, headers: readonly string[], app: readonly string[][]): string[][] {
  checkPath('lighttpd', root, 'root');
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

function appLines({ protocol, to }: Backend<LighttpdProtocol>, peer: PeerOptions = {}): string[][] {
  const where =
    'socket' in to ? [`"socket" => ${quoteSocket(to.socket)},`] : [`"host" => "${to.host}",`, `"port" => ${to.port},`];
  return [
    [
      '# What the app writes goes out as it comes. Without this lighttpd sends a reply when it has the whole of it (event',
      '# streams), and one that broke off looks complete.',
      'server.stream-response-body = 1',
    ],
    uploads(protocol),
    protocol === 'ajp' ? secretNote(to, peer) : [],
    [
      ...(protocol === 'ajp' ? ajpNotes : []),
      ...(protocol === 'uwsgi' ? ['scgi.protocol = "uwsgi"'] : []),
      '# check-local: or lighttpd answers 404 by itself for what is no file.',
      ...(splitsPath(protocol) ? ['# fix-root-scriptname: or a part of the path is missing in PATH_INFO.'] : []),
      `${modules[protocol]}.server = ( "${splitsPath(protocol) ? '/' : ''}" => ((`,
      ...where.map((line) => `    ${line}`),
      `    "check-local" => "disable"${splitsPath(protocol) ? ',' : ''}`,
      ...(splitsPath(protocol) ? ['    "fix-root-scriptname" => "enable"'] : []),
      ')) )',
    ],
  ];
}

/** @throws ConfigError ERR_OPTION */
function quoteSocket(path: string): string {
  checkPath('lighttpd', path, 'listen');
  return quote('lighttpd', path);
}

/** The others send the path that the client asked for, and with "/" lighttpd would cut it at its first part. */
function splitsPath(protocol: LighttpdProtocol): boolean {
  return protocol !== 'ajp' && protocol !== 'http';
}

function uploads(protocol: LighttpdProtocol): string[] {
  const whole = '# lighttpd takes the whole of an upload before the app hears of it.';
  if (protocol === 'ajp')
    return [`${whole} It must: with 1 or 2 here mod_ajp13 stalls.`, 'server.stream-request-body = 0'];
  if (protocol === 'http') return [`${whole} With 1 the app gets it as it comes.`, '#server.stream-request-body = 1'];
  return [
    `${whole} With 1 the app gets it as it comes, but then`,
    '# lighttpd answers 411 to one of unknown length (chunked).',
    '#server.stream-request-body = 1',
  ];
}

const ajpNotes = [
  '# The app must listen with ?peer=lighttpd: a body comes in packets of another shape than that of the other servers.',
  '# lighttpd sends the decoded path, and answers 400 to PATCH and to request headers above 8 KB by itself.',
];

function secretNote(to: Backend['to'], { secret }: PeerOptions): string[] {
  if (secret === undefined && ('socket' in to || isLoopback(to.host))) return [];
  return [
    '# The app asks for its secret: write it here, and let only root read this file.',
    '#setenv.set-environment = ( "AJP13_SECRET" => "WORD" )',
  ];
}
