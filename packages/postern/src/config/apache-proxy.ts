import { ConfigError, type PeerOptions } from '@postern/core';
import { isLoopback } from '@postern/server';
import { filesFirst } from './apache-files.ts';
import type { ApacheParts, ApacheProtocol, ProxyModule } from './apache-module.ts';
import { authority, type Backend } from './backend.ts';
import { checkPath, quote } from './text.ts';

/** Apache ends the path of a socket in ProxyPass at the first of these. */
const endsPath = { found: /[#?|]/, named: '#, ? or |' };

/** mod_proxy_…, which passes requests on. @throws ConfigError ERR_OPTION */
export function proxyParts(
  backend: Backend<ApacheProtocol>,
  module: ProxyModule,
  root: string | undefined,
  peer?: PeerOptions,
): ApacheParts {
  const { protocol } = backend;
  return {
    title: `an app that listens on ${backend.address}`,
    modules: [
      ...['proxy', `proxy_${module}`],
      ...(protocol === 'ajp' || protocol === 'http' ? ['headers'] : []),
      ...(root === undefined ? [] : ['authz_core', 'rewrite', 'mime']),
    ],
    lines: [
      ...appLines(backend, module, peer),
      // a rewrite to the app would send a decoded path
      root === undefined ? [] : filesFirst(root, 'RewriteRule "^" "-" [E=no-proxy]'),
    ],
  };
}

/** @throws ConfigError ERR_OPTION */
function appLines(backend: Backend<ApacheProtocol>, module: ProxyModule, peer: PeerOptions = {}): string[][] {
  const { protocol } = backend;
  return [
    ['# Apache answers 404 to a path with %2F by itself, unless this is on.', 'AllowEncodedSlashes On'],
    access(protocol),
    ...headers[protocol],
    uploads[protocol],
    protocol === 'ajp' ? packetSize(peer) : [],
    [
      '# A reply that is silent for longer is cut; the app gives up by itself before (--app-timeout, 55 s).',
      'ProxyTimeout 60',
    ],
    [
      ...passing[protocol],
      ...(protocol === 'ajp' ? secretNote(backend, peer) : []),
      '# flushpackets: what the app writes goes out at once (event streams).',
      `ProxyPass "/" ${backendUrl(backend, module)} flushpackets=on${flags[protocol]}`,
    ],
  ];
}

/** @throws ConfigError ERR_OPTION */
function backendUrl({ to }: Backend, scheme: string): string {
  if (!('socket' in to)) return `"${scheme}://${authority(to.host, to.port)}/"`;
  checkPath('Apache', to.socket, 'listen', endsPath);
  return quote('Apache', `unix:${to.socket}|${scheme}://localhost/`);
}

/** mod_proxy_uwsgi and AJP pass Authorization on by themselves; HTTP has no place for REMOTE_USER. */
function access(protocol: ApacheProtocol): string[] {
  if (protocol === 'http') return [];
  const passAuth = protocol === 'fastcgi' || protocol === 'scgi';
  const mark = passAuth ? '' : '#';
  return [
    ...(passAuth ? ['# The app gets the header Authorization: without this Apache keeps it for itself.'] : []),
    '# To let Apache itself ask for passwords, and the app know who it is (REMOTE_USER), take the lines in.',
    ...(protocol === 'ajp' ? ['# Over AJP the app takes REMOTE_USER only with trust-remote-user in its address.'] : []),
    `${mark}<Location "/">`,
    ...(passAuth ? ['    CGIPassAuth On'] : []),
    ...['AuthType Basic', 'AuthName "closed"', 'AuthUserFile /etc/apache2/htpasswd', 'Require valid-user'].map(
      (line) => (passAuth ? `    #${line}` : `#    ${line}`),
    ),
    `${mark}</Location>`,
  ];
}

const httpoxy = '# Not for any app: CVE-2016-5385 (httpoxy).';

const headers: Readonly<Record<ApacheProtocol, readonly string[][]>> = {
  fastcgi: [
    ['# The app is no PHP: SCRIPT_FILENAME stays free of what php-fpm wants in it.', 'ProxyFCGIBackendType GENERIC'],
  ],
  scgi: [],
  ajp: [[httpoxy, 'RequestHeader unset Proxy early']],
  uwsgi: [],
  http: [
    [
      '# Who asked, and how. Apache adds X-Forwarded-For and its like to what the client says of that itself, which must not',
      '# get through; with another proxy in front that is trusted, leave the lines with "unset X-Forwarded" out.',
      'ProxyPreserveHost On',
      ...['For', 'Host', 'Server'].map((name) => `RequestHeader unset X-Forwarded-${name} early`),
      'RequestHeader set X-Forwarded-Proto "expr=%{REQUEST_SCHEME}"',
      'RequestHeader unset Forwarded early',
    ],
    [httpoxy, 'RequestHeader unset Proxy early'],
  ],
};

function lengthNeeded(protocol: string): string[] {
  return [
    `# Apache answers 411 to an upload of unknown length (chunked), which has no form in ${protocol}, and 413 to one above a`,
    '# gigabyte. 0 leaves that to the app.',
    '#LimitRequestBody 1073741824',
  ];
}

const uploads: Readonly<Record<ApacheProtocol, string[]>> = {
  fastcgi: [
    '# An upload goes out as it comes, and one of unknown length (chunked) without CONTENT_LENGTH. To have Apache take the',
    '# whole of that first, and name its length:',
    '#SetEnv proxy-sendcl 1',
  ],
  scgi: lengthNeeded('SCGI'),
  ajp: [],
  uwsgi: lengthNeeded('uwsgi'),
  http: [],
};

/** A packet holds all headers of a request. @throws ConfigError ERR_OPTION */
function packetSize({ packetSize }: PeerOptions): string[] {
  if (packetSize !== undefined && packetSize % 1024 !== 0)
    throw new ConfigError(
      'ERR_OPTION',
      `--listen with packet-size=${packetSize}: Apache takes whole kilobytes only: choose a multiple of 1024`,
    );
  if (packetSize !== undefined)
    return [
      '# As packet-size of the app. Longer request headers are answered with 400.',
      `ProxyIOBufferSize ${packetSize}`,
    ];
  return [
    '# Request headers above 8 KB are answered with 400. For longer ones let the app listen with ?packet-size=65536, and:',
    '#ProxyIOBufferSize 65536',
  ];
}

function secretNote({ to }: Backend, { secret }: PeerOptions): string[] {
  if (secret === undefined && ('socket' in to || isLoopback(to.host))) return [];
  return [
    '# The app asks for its secret: add secret=WORD to the end of the line, and let only root and Apache read this file.',
  ];
}

const rawPath = '# nocanon: the path goes out as the client wrote it.';
const keptConnections = '# ttl: Apache gives a kept connection up before the app does (--keep-alive-timeout, 90 s).';

const passing: Readonly<Record<ApacheProtocol, readonly string[]>> = {
  fastcgi: [
    '# Each request has a connection of its own. To keep them, which costs less, add: enablereuse=on ttl=60, which is below',
    '# --keep-alive-timeout (90 s) of the app. But where the app closes one just when Apache takes it, Apache answers 503 by',
    '# itself: at a restart, and every --max-connection-requests (10000), which may be 1000000000.',
  ],
  scgi: [],
  ajp: [rawPath, keptConnections],
  uwsgi: [],
  http: [rawPath, keptConnections],
};

const flags: Readonly<Record<ApacheProtocol, string>> = {
  fastcgi: '',
  scgi: '',
  ajp: ' nocanon ttl=60',
  uwsgi: '',
  http: ' nocanon ttl=60 upgrade=websocket',
};
