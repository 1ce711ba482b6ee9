import type { ListenTarget } from '@postern/server';
import { authority, type Backend, backendOf } from './backend.ts';
import { locationLines, type NginxProtocol, nginxProtocols } from './nginx-location.ts';
import { formatName, readSite, type Site, type SiteName, type SiteOptions } from './site.ts';
import { braces, checkPath, fileOf, indent, paragraphs, quote } from './text.ts';

/** nginx puts all names into buckets of 64 bytes where nothing else is said. */
const LONG_NAME = 46;

/**
 * The configuration of nginx for an application that listens on an address: what is put into its `http` block.
 * @throws ConfigError ERR_OPTION: nginx does not speak the protocol or cannot connect there, or an option cannot be
 *   written in its language; ERR_NOT_BUILT
 */
export function nginxConfig(protocol: string, target: ListenTarget, options: SiteOptions = {}): string {
  const backend = backendOf('nginx', nginxProtocols, protocol, target);
  const site = readSite(options);
  // one app may be behind several sites
  const upstream = ['postern', backend.address, ...(options.serverName === undefined ? [] : [options.serverName])]
    .join('_')
    .replace(/[^A-Za-z0-9]+/g, '_');
  return fileOf([
    [
      `# nginx in front of an app that listens on ${backend.address}`,
      '# Put this into the http block, on Debian as a file in /etc/nginx/conf.d/, then: nginx -t && nginx -s reload',
      ...(site.name === undefined
        ? [
            '# Without a name it answers where no other site does, and Debian has one: rm /etc/nginx/sites-enabled/default',
          ]
        : []),
    ],
    hostMap,
    ...(backend.protocol === 'http' ? [proxyHostMap, upgradeMap] : []),
    braces(`upstream ${upstream}`, [`server ${upstreamServer(backend)};`, ...connections(backend.protocol)]),
    bucketSize(site.name),
    braces('server', serverLines(site, locationLines(backend.protocol, upstream))),
  ]);
}

function upstreamServer({ to }: Backend): string {
  if (!('socket' in to)) return authority(to.host, to.port);
  checkPath('nginx', to.socket, 'listen');
  return word(`unix:${to.socket}`);
}

/** A word of nginx's language, with quotes where it needs them. */
function word(text: string): string {
  return /^[A-Za-z0-9._/:+@-]+$/.test(text) ? text : quote('nginx', text);
}

function serverLines({ name, port, root }: Site, location: readonly string[]): string[] {
  if (root !== undefined) checkPath('nginx', root, 'root');
  return paragraphs([
    [`listen ${port ?? 80};`, `server_name ${name === undefined ? '_' : formatName(name)};`],
    bodySize,
    ...(root === undefined ? [braces('location /', location)] : files(word(root), location)),
  ]);
}

function files(root: string, location: readonly string[]): string[][] {
  return [
    [
      '# What is a file in this folder is served by nginx, and is public; the rest goes to the app.',
      `root ${root};`,
      'location / {',
      ...indent(['try_files $uri @app;']),
      '}',
    ],
    braces('location @app', location),
  ];
}

function bucketSize(name: SiteName | undefined): string[] {
  if (name === undefined || formatName(name).length <= LONG_NAME) return [];
  return [
    "# The name is too long for nginx's usual table. Where the http block says this already, leave it out here.",
    'server_names_hash_bucket_size 512;',
  ];
}

const hostMap = [
  '# The Host of the client, with its port. Where the request line has a whole URL, that names the host (RFC 9112 3.2.2).',
  'map $request $postern_host {',
  '    "~^[^ ]+ [A-Za-z][A-Za-z0-9+.-]*://(?<postern_authority>[^/? ]+)" $postern_authority;',
  '    default $http_host;',
  '}',
];

const proxyHostMap = [
  '# HTTP/1.1 must name a host; a client of HTTP/1.0 need not.',
  'map $postern_host $postern_proxy_host {',
  '    "" $host;',
  '    default $postern_host;',
  '}',
];

const upgradeMap = [
  '# WebSocket is the one upgrade that is passed on; without one the connection is kept.',
  'map $http_upgrade $postern_upgrade {',
  '    "~*^websocket$" websocket;',
  '    default "";',
  '}',
  'map $postern_upgrade $postern_connection {',
  '    "" "";',
  '    default upgrade;',
  '}',
];

const keepAlive = [
  '# How many idle connections each worker process of nginx keeps. It must stay well below maxConnections of the app',
  '# (1024), counted over all workers.',
  'keepalive 16;',
];

function connections(protocol: NginxProtocol): string[] {
  if (protocol === 'fastcgi' || protocol === 'http') return keepAlive;
  return [`# ${protocol === 'scgi' ? 'SCGI' : 'uwsgi'} has one request on a connection: there is nothing to keep.`];
}

const bodySize = [
  '# The largest upload; nginx answers 413 to a larger one by itself. 0 leaves the decision to the app.',
  '#client_max_body_size 1m;',
];
