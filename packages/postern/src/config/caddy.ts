import type { ListenTarget } from '@postern/server';
import { authority, type Backend, backendOf } from './backend.ts';
import { formatName, readSite, type Site, type SiteOptions } from './site.ts';
import { braces, checkPath, fileOf, paragraphs, quote } from './text.ts';

const caddyProtocols = ['fastcgi', 'http'] as const;
type CaddyProtocol = (typeof caddyProtocols)[number];

/** Caddy reads a socket behind this for a URL. */
const endsPath = { found: /:\/\//, named: '://' };

/**
 * The configuration of Caddy for an application that listens on an address: a site of a Caddyfile.
 * @throws ConfigError ERR_OPTION: Caddy does not speak the protocol or cannot connect there, or an option cannot be
 *   written in its language; ERR_NOT_BUILT
 */
export function caddyConfig(protocol: string, target: ListenTarget, options: SiteOptions = {}): string {
  const backend = backendOf('Caddy', caddyProtocols, protocol, target);
  const site = readSite(options);
  return tabs(
    fileOf([
      [
        `# Caddy in front of an app that listens on ${backend.address}`,
        '# Put this into /etc/caddy/Caddyfile, or into a file that it imports, then:',
        '# caddy validate --config /etc/caddy/Caddyfile && systemctl reload caddy',
        ...whereItAnswers(site),
      ],
      braces(siteAddress(site), paragraphs([...files(site), ...pathTo(site, backend)])),
    ]),
  );
}

/** As `caddy fmt` writes it: Caddy warns of another form. */
function tabs(text: string): string {
  return text.replace(/^(?: {4})+/gm, (spaces) => '\t'.repeat(spaces.length / 4)).replace(/^(\t+#) {4}/gm, '$1\t');
}

/** Caddy gets a certificate for a plain name; with http:// in front, or for a port alone, it does not. */
function siteAddress({ name, port }: Site): string {
  if (name === undefined) return `:${port ?? 80}`;
  if (port === undefined && isPlain(name)) return name.name;
  const names = name.before === '.' ? [name.name, `*.${name.name}`] : [formatName(name)];
  return names.map((one) => `http://${one}${port === undefined ? '' : `:${port}`}`).join(', ');
}

function isPlain(name: NonNullable<Site['name']>): boolean {
  return name.before === '' && name.after === '';
}

function whereItAnswers({ name, port }: Site): string[] {
  if (name === undefined)
    return [
      `# Without a name it answers where no other site does, and Debian has one: take its :80 out of the Caddyfile.`,
    ];
  return [
    ...(port === undefined && isPlain(name)
      ? [`# Caddy gets a certificate for the name, and leads http to https. For http alone: http://${name.name} {`]
      : []),
    ...(isPlain(name)
      ? []
      : ['# A * is one part of a name. A certificate for it needs a DNS plugin of Caddy, so this is http.']),
  ];
}

/** @throws ConfigError ERR_OPTION */
function files({ root }: Site): string[][] {
  if (root === undefined) return [];
  checkPath('Caddy', root, 'root');
  return [
    [
      '# What is a file in this folder is served by Caddy, and is public; the rest goes to the app.',
      `root * ${quote('Caddy', root)}`,
      ...braces('@file', ['file', 'not path */']),
      ...braces('handle @file', ['file_server']),
    ],
  ];
}

function pathTo({ root }: Site, backend: Backend<CaddyProtocol>): string[][] {
  const app = appLines(backend);
  return root === undefined ? app : [braces('handle', paragraphs(app))];
}

function appLines(backend: Backend<CaddyProtocol>): string[][] {
  const fastcgi = backend.protocol === 'fastcgi';
  return [
    ...(fastcgi ? [passwords] : []),
    [
      '# The largest upload; Caddy answers 413 to a larger one. Without this the decision is left to the app.',
      ...['request_body {', '    max_size 10MB', '}'].map((line) => `#${line}`),
    ],
    braces(`reverse_proxy ${upstream(backend)}`, paragraphs([streams, ...(fastcgi ? overFastcgi : overHttp)])),
  ];
}

/** @throws ConfigError ERR_OPTION */
function upstream({ to }: Backend): string {
  if (!('socket' in to)) return authority(to.host, to.port);
  checkPath('Caddy', to.socket, 'listen', endsPath);
  const address = `unix/${to.socket}`;
  return /^[\w./:+@-]+$/.test(address) ? address : quote('Caddy', address);
}

const passwords = [
  '# To let Caddy itself ask for passwords, and the app know who it is (REMOTE_USER): caddy hash-password makes the HASH.',
  ...['basicauth {', '    ada HASH', '}'].map((line) => `#${line}`),
];

const streams = [
  '# What the app writes goes out at once (event streams). -1 does that too, but then Caddy does not tell the app that a',
  '# client left.',
  'flush_interval 1ms',
];

const overFastcgi: readonly string[][] = [
  [
    '# A newer Caddy than 2.6 answers 411 to an upload of unknown length (chunked) above 4096 bytes, unless it may take the',
    '# whole of it into memory first:',
    '#request_buffers 10MB',
  ],
  [
    '# SCRIPT_NAME is empty and PATH_INFO the whole path, because nothing says split here. Each request has a connection of',
    '# its own. To an upload without Content-Type Caddy gives application/x-www-form-urlencoded.',
    ...braces('transport fastcgi', [
      "# What the app writes to its error log goes to Caddy's, but 2.6 drops it.",
      'capture_stderr',
      '# read_timeout would cut the whole reply after that time, an event stream too. The app gives up by itself',
      '# (--app-timeout, 55 s).',
      'dial_timeout 5s',
    ]),
  ],
];

const overHttp: readonly string[][] = [
  [
    '# What a client says of itself in X-Forwarded-For and its like is replaced by Caddy; these are not, and the second is',
    '# CVE-2016-5385 (httpoxy).',
    'header_up -Forwarded',
    'header_up -Proxy',
  ],
  braces('transport http', [
    '# Caddy gives a kept connection up before the app does (--keep-alive-timeout, 90 s).',
    'keepalive 60s',
    'dial_timeout 5s',
    '# Or Caddy adds Accept-Encoding: gzip to a request that has none.',
    'compression off',
  ]),
];
