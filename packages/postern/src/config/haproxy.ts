import { ConfigError, printable } from '@postern/core';
import type { ListenTarget } from '@postern/server';
import { authority, type Backend, backendOf } from './backend.ts';
import { readSite, type Site, type SiteName, type SiteOptions } from './site.ts';
import { checkPath, fileOf, indent, paragraphs, quote } from './text.ts';

const haproxyProtocols = ['fastcgi', 'http'] as const;
type HaproxyProtocol = (typeof haproxyProtocols)[number];

/**
 * The configuration of HAProxy for an application that listens on an address: a whole file, alone or beside others.
 * @throws ConfigError ERR_OPTION: HAProxy does not speak the protocol or cannot connect there, or an option cannot be
 *   written in its language, or asks it to serve files; ERR_NOT_BUILT
 */
export function haproxyConfig(protocol: string, target: ListenTarget, options: SiteOptions = {}): string {
  const backend = backendOf('HAProxy', haproxyProtocols, protocol, target);
  if (options.root !== undefined)
    throw new ConfigError(
      'ERR_OPTION',
      `--root "${printable(options.root)}": HAProxy serves no files: leave it out, and let the app serve them, or take nginx, Apache, lighttpd or Caddy`,
    );
  const site = readSite(options);
  // one app may be behind several sites
  const name = ['postern', backend.address, ...(options.serverName === undefined ? [] : [options.serverName])]
    .join('_')
    .replace(/[^A-Za-z0-9]+/g, '_');
  const fastcgi = backend.protocol === 'fastcgi';
  return fileOf([
    [
      `# HAProxy in front of an app that listens on ${backend.address}`,
      '# Put this behind what /etc/haproxy/haproxy.cfg has, or into a file of its own that the service is given with another -f',
      '# (EXTRAOPTS in /etc/default/haproxy), then: haproxy -c -f FILE && systemctl reload haproxy',
    ],
    ...(fastcgi ? [section('global', [buffer]), passwordList, section(`fcgi-app ${name}`, application)] : []),
    section(`frontend ${name}`, frontend(site, backend.protocol, name)),
    section(`backend ${name}`, [
      [
        'mode http',
        'timeout connect 5s',
        '# A reply that is silent for longer is cut; the app gives up by itself before (--app-timeout, 55 s).',
        'timeout server 60s',
        ...(fastcgi ? [] : ['# The same for a connection that was upgraded (WebSocket).', 'timeout tunnel 1h']),
      ],
      kept,
      streams,
      [...(fastcgi ? [`use-fcgi-app ${name}`] : []), `server app ${address(backend)}${fastcgi ? ' proto fcgi' : ''}`],
    ]),
  ]);
}

function section(head: string, groups: readonly (readonly string[])[]): string[] {
  return [head, ...indent(paragraphs(groups))];
}

/** @throws ConfigError ERR_OPTION */
function address({ to }: Backend): string {
  if (!('socket' in to)) return authority(to.host, to.port);
  checkPath('HAProxy', to.socket, 'listen');
  const text = `unix@${to.socket}`;
  return /^[\w./:+@-]+$/.test(text) ? text : quote('HAProxy', text);
}

const buffer = [
  '# Request headers, and an upload of unknown length (chunked), must fit into this, or HAProxy answers 400; 16384 is its',
  '# own choice. Each connection has such a buffer while data is on its way.',
  'tune.bufsize 65536',
];

const passwordList = [
  '# To let HAProxy itself ask for passwords, and the app know who it is (REMOTE_USER), take this in, and the lines of',
  '# the frontend below.',
  '#userlist people',
  '#    user ada insecure-password WORD',
];

const application: readonly string[][] = [
  [
    '# HAProxy wants a folder here; the app does not look at it. The path is divided by the expression into SCRIPT_NAME,',
    '# which is empty, and PATH_INFO.',
    'docroot /var/empty',
    'path-info ^()(/.*)$',
  ],
  [
    '# Who asked, and how: HAProxy names the first with its port, and leaves the others out.',
    'set-param SERVER_NAME %[req.hdr(host),host_only]',
    'set-param SERVER_ADDR %[dst]',
    'set-param REQUEST_SCHEME %[ssl_fc,iif(https,http)]',
  ],
  [
    '# HAProxy takes REMOTE_USER from any Authorization header, checked or not. Here it is what the frontend has checked, and',
    '# absent where that checks nothing.',
    'set-param REMOTE_USER %[var(txn.postern_user)]',
    'set-param AUTH_TYPE %[var(txn.postern_auth)]',
  ],
  ['# The app gets the header Authorization: without this HAProxy keeps it for itself.', 'pass-header Authorization'],
  [
    '# What the app writes to its error log goes to the log of HAProxy, where a global section has one.',
    'log-stderr global',
  ],
  [
    '# Connections are kept, and have one request at a time. The app could take many at once on one connection, but then a',
    '# client that reads slowly holds up all the others on it.',
    'option keep-conn',
    ...['option get-values', 'option mpxs-conns', 'option max-reqs 128'].map((line) => `#${line}`),
  ],
];

function frontend({ name, port }: Site, protocol: HaproxyProtocol, backend: string): string[][] {
  return [
    [
      'mode http',
      '# A port has one frontend. Where another file has one for it, put what follows bind into that.',
      `bind :${port ?? 80}`,
      'timeout client 60s',
      'timeout http-request 10s',
    ],
    protocol === 'fastcgi' ? passwords : forwarded,
    name === undefined
      ? [`default_backend ${backend}`]
      : ['# Other names are answered with 503.', `use_backend ${backend} if ${nameCondition(name)}`],
  ];
}

function nameCondition({ before, name, after }: SiteName): string {
  const host = (match: string, text: string): string => `{ req.hdr(host),host_only -i -m ${match} ${text} }`;
  if (before === '*.') return host('end', `.${name}`);
  if (before === '.') return `${host('str', name)} || ${host('end', `.${name}`)}`;
  return after === '.*' ? host('beg', `${name}.`) : host('str', name);
}

const passwords = [
  '#http-request auth realm closed unless { http_auth(people) }',
  '#http-request set-var(txn.postern_user) http_auth_user',
  '#http-request set-var(txn.postern_auth) str(Basic)',
];

const forwarded = [
  '# Who asked, and how. What a client says of that itself does not get through.',
  'http-request set-header X-Forwarded-For %[src]',
  'http-request set-header X-Forwarded-Host %[req.hdr(host)]',
  'http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]',
  'http-request del-header Forwarded',
  '# CVE-2016-5385 (httpoxy).',
  'http-request del-header Proxy',
];

const streams = [
  '# What the app writes goes out at once (event streams). Without this each piece waits for 200 ms, for more to come.',
  'option http-no-delay',
];

const kept = [
  '# Where the app closes a kept connection just when HAProxy takes it, the request goes out once more on another, if it may',
  '# be asked twice.',
  'retry-on conn-failure empty-response',
  'http-request disable-l7-retry unless METH_GET',
];
