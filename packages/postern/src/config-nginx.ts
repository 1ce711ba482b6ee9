import { resolve } from 'node:path';
import { ConfigError, printable } from '@postern/core';
import type { ListenTarget } from '@postern/server';
import { formatAddress, type ProtocolName } from './address.ts';

export interface NginxOptions {
  /** The host name of the site; without it nginx answers for every name. */
  readonly serverName?: string;
  /** A folder with files that nginx serves itself. */
  readonly root?: string;
}

/** nginx puts all names into buckets of 64 bytes where nothing else is said. */
const LONG_NAME = 46;

/**
 * The configuration of nginx for an application that listens on an address: what is put into its `http` block.
 * @throws ConfigError ERR_OPTION: nginx cannot connect there, or an option cannot be written in its language
 */
export function nginxConfig(protocol: ProtocolName, target: ListenTarget, options: NginxOptions = {}): string {
  const address = formatAddress(protocol, target);
  if (protocol === 'ajp')
    throw new ConfigError('ERR_OPTION', `--listen ${address}: nginx does not speak AJP: use fastcgi or scgi`);
  const server = upstreamServer(target, address);
  const name = `postern_${address.replace(/[^A-Za-z0-9]+/g, '_')}`;
  const root = options.root === undefined ? undefined : quote(resolve(options.root), 'root');
  const lines = [
    `# nginx in front of an app that listens on ${address}`,
    '# Put this into the http block, on Debian as a file in /etc/nginx/conf.d/, then: nginx -t && nginx -s reload',
    '',
    ...hostMap,
    '',
    `upstream ${name} {`,
    `    server ${server};`,
    ...(protocol === 'fastcgi' ? keepAlive : oneRequest),
    '}',
    '',
    ...serverNameBlock(options.serverName),
    'server {',
    '    listen 80;',
    `    server_name ${checkServerName(options.serverName)};`,
    ...bodySize,
    '',
    ...(root === undefined ? ['    location / {'] : files(root)),
    ...locationOf(protocol, name),
    '    }',
    '}',
  ];
  return `${lines.join('\n')}\n`;
}

function upstreamServer(target: ListenTarget, address: string): string {
  const refuse = (why: string): never => {
    throw new ConfigError('ERR_OPTION', `--listen ${address}: ${why}`);
  };
  if (target.transport === 'fd')
    return refuse('nginx cannot connect to an inherited descriptor: give the address of the socket behind it');
  if (target.transport === 'unix') return quote(`unix:${target.path}`, 'listen');
  if (target.port === 0) refuse('port 0 is any free port, which nginx cannot know: choose one');
  const everywhere: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  const host = everywhere[target.host] ?? target.host;
  return `${host.includes(':') ? `[${host}]` : host}:${target.port}`;
}

/** A word of nginx's language. @throws ConfigError ERR_OPTION */
function quote(text: string, flag: string): string {
  if (/[\0-\x1f\x7f$]/.test(text)) {
    throw new ConfigError(
      'ERR_OPTION',
      `--${flag} "${printable(text)}": nginx has no way to write $ or a control character: choose another path`,
    );
  }
  return /^[A-Za-z0-9._/:+@-]+$/.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function checkServerName(name: string | undefined): string {
  if (name === undefined) return '_';
  if (name.length > 253 || !/^(?:\*\.|\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*(?:\.\*)?$/.test(name)) {
    throw new ConfigError(
      'ERR_OPTION',
      `--server-name "${printable(name)}": write a host name in ASCII, such as www.example.org or *.example.org`,
    );
  }
  return name;
}

function serverNameBlock(name: string | undefined): string[] {
  if (name === undefined || name.length <= LONG_NAME) return [];
  return [
    "# The name is too long for nginx's usual table. Where the http block says this already, leave it out here.",
    'server_names_hash_bucket_size 512;',
    '',
  ];
}

const hostMap = [
  '# The Host of the client, with its port. Where the request line has a whole URL, that names the host (RFC 9112 3.2.2).',
  'map $request $postern_host {',
  '    "~^[^ ]+ [A-Za-z][A-Za-z0-9+.-]*://(?<postern_authority>[^/? ]+)" $postern_authority;',
  '    default $http_host;',
  '}',
];

const keepAlive = [
  '    # How many idle connections each worker process of nginx keeps. It must stay well below maxConnections of the app',
  '    # (1024), counted over all workers.',
  '    keepalive 16;',
];

const oneRequest = ['    # SCGI has one request on a connection: there is nothing to keep.'];

const bodySize = [
  '',
  '    # The largest upload; nginx answers 413 to a larger one by itself. 0 leaves the decision to the app.',
  '    #client_max_body_size 1m;',
];

function files(root: string): string[] {
  return [
    '    # What is a file in this folder is served by nginx, and is public; the rest goes to the app.',
    `    root ${root};`,
    '    location / {',
    '        try_files $uri @app;',
    '    }',
    '',
    '    location @app {',
  ];
}

/** The variables that an application gets, and what each is for. nginx adds HTTP_* for the headers by itself. */
const common: readonly (string | readonly [string, string])[] = [
  '# The request. $uri is decoded and normalised; REQUEST_URI stays as the client sent it.',
  ['REQUEST_METHOD', '$request_method'],
  ['REQUEST_URI', '$request_uri'],
  ['SCRIPT_NAME', '""'],
  ['PATH_INFO', '$uri'],
  ['QUERY_STRING', '$query_string'],
  ['SERVER_PROTOCOL', '$server_protocol'],
  ['CONTENT_TYPE', '$content_type'],
];

const connection: readonly (string | readonly [string, string])[] = [
  '# The connection, as nginx sees it.',
  ['REQUEST_SCHEME', '$scheme'],
  ['HTTPS', '$https if_not_empty'],
  ['SERVER_NAME', '$server_name'],
  ['SERVER_ADDR', '$server_addr'],
  ['SERVER_PORT', '$server_port'],
  ['REMOTE_ADDR', '$remote_addr'],
  ['REMOTE_PORT', '$remote_port'],
  ['GATEWAY_INTERFACE', 'CGI/1.1'],
  ['SERVER_SOFTWARE', 'nginx/$nginx_version'],
  '# Two headers that do not go through as they come: see the map above, and CVE-2016-5385 (httpoxy).',
  ['HTTP_HOST', '$postern_host if_not_empty'],
  ['HTTP_PROXY', '""'],
];

function locationOf(protocol: 'fastcgi' | 'scgi', upstream: string): string[] {
  const param = (row: string | readonly [string, string]): string =>
    typeof row === 'string' ? row : `${protocol}_param ${row[0].padEnd(17)} ${row[1]};`;
  const length =
    protocol === 'fastcgi'
      ? [['CONTENT_LENGTH', '$content_length'] as const]
      : ['# CONTENT_LENGTH is sent by nginx itself, as the first of all.', ['SCGI', '1'] as const];
  const rows = [
    `${protocol}_pass ${upstream};`,
    ...(protocol === 'fastcgi' ? ['fastcgi_keep_conn on;'] : []),
    '',
    ...[...common, ...length].map(param),
    '',
    ...connection.map(param),
    '',
    '# Who logged in. nginx takes $remote_user from any Authorization header, checked or not: send it only together with',
    '# auth_basic.',
    '#auth_basic "closed";',
    '#auth_basic_user_file /etc/nginx/htpasswd;',
    `#${protocol}_param REMOTE_USER $remote_user;`,
    `#${protocol}_param AUTH_TYPE   Basic;`,
    '',
    '# The headers of a reply must fit into the first buffer, or nginx answers 502 (large cookies).',
    `${protocol}_buffer_size 32k;`,
    `${protocol}_buffers 8 32k;`,
    `${protocol}_busy_buffers_size 64k;`,
    '',
    ...(protocol === 'fastcgi' ? streamedUploads : []),
    '# Event streams: the app answers with the header X-Accel-Buffering: no, or nothing is buffered here at all. A reply',
    '# that is silent for longer than the timeout is cut: send a comment line now and then.',
    `#${protocol}_buffering off;`,
    `#${protocol}_read_timeout 60s;`,
  ];
  return rows.map((row) => (row === '' ? '' : `        ${row}`));
}

const streamedUploads = [
  '# nginx takes the whole of an upload before the app hears of it. Off, the app gets it as it comes.',
  '#fastcgi_request_buffering off;',
  '',
];
