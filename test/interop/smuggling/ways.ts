import { parseAddress } from '../../../packages/postern/src/address.ts';
import { webServerConfig } from '../../../packages/postern/src/config/web-servers.ts';
import { type FrontEnd, startApache, startNginx } from '../../../packages/testkit/src/index.ts';
import { freePorts } from '../../../scripts/golden/free-ports.mjs';
import { type Behind, serveBehind } from './application.ts';

/** A web server, and how it speaks to the application. */
export interface Way {
  readonly server: 'nginx' | 'Apache';
  readonly name: string;
  readonly protocol: 'fastcgi' | 'scgi' | 'uwsgi' | 'ajp' | 'http';
  /** What is changed in what `postern config` prints. */
  readonly edits?: readonly (readonly [from: string, to: string])[];
  /** The web server states a length that is not that of the body: `postern config` warns of it. */
  readonly cutsBodies?: true;
}

const inLocation = (lines: string) => ['    location / {\n', `    location / {\n        ${lines}\n`] as const;

export const ways: readonly Way[] = [
  { server: 'nginx', name: 'fastcgi', protocol: 'fastcgi' },
  {
    server: 'nginx',
    name: 'fastcgi, not kept',
    protocol: 'fastcgi',
    edits: [
      ['fastcgi_keep_conn on;', ''],
      ['    keepalive 16;', ''],
    ],
  },
  {
    server: 'nginx',
    name: 'fastcgi, unbuffered',
    protocol: 'fastcgi',
    edits: [inLocation('fastcgi_request_buffering off;')],
  },
  {
    server: 'nginx',
    name: 'fastcgi, underscores',
    protocol: 'fastcgi',
    edits: [
      ['    location / {\n', '    underscores_in_headers on;\n    ignore_invalid_headers off;\n    location / {\n'],
    ],
  },
  { server: 'nginx', name: 'scgi', protocol: 'scgi' },
  {
    server: 'nginx',
    name: 'scgi, unbuffered',
    protocol: 'scgi',
    edits: [inLocation('scgi_request_buffering off;')],
    cutsBodies: true,
  },
  { server: 'nginx', name: 'uwsgi', protocol: 'uwsgi' },
  {
    server: 'nginx',
    name: 'uwsgi, unbuffered',
    protocol: 'uwsgi',
    edits: [inLocation('uwsgi_request_buffering off;')],
  },
  { server: 'nginx', name: 'http', protocol: 'http' },
  {
    server: 'nginx',
    name: 'http, not kept',
    protocol: 'http',
    edits: [
      ['proxy_http_version 1.1;', 'proxy_http_version 1.0;'],
      ['    keepalive 16;', ''],
    ],
  },
  { server: 'nginx', name: 'http, unbuffered', protocol: 'http', edits: [inLocation('proxy_request_buffering off;')] },
  { server: 'Apache', name: 'fastcgi', protocol: 'fastcgi' },
  {
    server: 'Apache',
    name: 'fastcgi, kept',
    protocol: 'fastcgi',
    edits: [['flushpackets=on', 'flushpackets=on enablereuse=on ttl=60']],
  },
  { server: 'Apache', name: 'scgi', protocol: 'scgi' },
  { server: 'Apache', name: 'uwsgi', protocol: 'uwsgi' },
  { server: 'Apache', name: 'ajp', protocol: 'ajp' },
  { server: 'Apache', name: 'http', protocol: 'http' },
];

export interface Open {
  readonly way: Way;
  readonly port: number;
  readonly behind: Behind;
}

export interface AllOpen {
  readonly open: readonly Open[];
  stop(): Promise<void>;
}

/** A body that does not come is given up soon, so that a connection always ends. */
const nginxClocks = 'client_body_timeout 1s; client_header_timeout 1s; keepalive_timeout 1s; lingering_timeout 1s;';
/** One process: its threads share the connections to an application. */
const apacheClocks = `StartServers 1
ServerLimit 1
ThreadsPerChild 25
MaxRequestWorkers 25
Timeout 2
KeepAliveTimeout 1
RequestReadTimeout header=1 body=1`;

/** Starts every web server with every way from it, each to an application of its own. */
export async function openWays(): Promise<AllOpen> {
  const ports = await freePorts(ways.length);
  const open: Open[] = [];
  for (const [i, way] of ways.entries()) open.push({ way, port: ports[i], behind: await serveBehind(way.protocol) });
  const textOf = (server: Way['server']): string =>
    open
      .filter(({ way }) => way.server === server)
      .map(printed)
      .join('\n');
  const started: FrontEnd[] = [];
  const first = open.find(({ way }) => way.server === 'nginx') as Open;
  started.push(await startNginx(() => `${nginxClocks}\n${textOf('nginx')}`, first.port));
  started.push(await startApache(['reqtimeout'], () => `${apacheClocks}\n${textOf('Apache')}`));
  return {
    open,
    async stop() {
      for (const frontEnd of started) await frontEnd.stop();
      for (const { behind } of open) await behind.stop();
    },
  };
}

function printed({ way, port, behind }: Open): string {
  const name = way.server === 'nginx' ? 'nginx' : 'apache';
  let text = webServerConfig(name, parseAddress(behind.address, 'listen'), { serverName: `127.0.0.1:${port}` });
  for (const [from, to] of way.edits ?? []) {
    if (!text.includes(from)) throw new Error(`"${from}" is not in what postern config ${name} prints`);
    text = text.replace(from, to);
  }
  return text;
}
