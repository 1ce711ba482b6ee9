import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseAddress } from '../../packages/postern/src/address.ts';
import { type WebServerName, webServerConfig } from '../../packages/postern/src/config/web-servers.ts';
import {
  type FrontEnd,
  type Served,
  servePostern,
  startApache,
  startCaddy,
  startHaproxy,
  startLighttpd,
  startNginx,
  temporaryFolder,
  writeProgram,
} from '../../packages/testkit/src/index.ts';
import { freePorts } from '../../scripts/golden/free-ports.mjs';

/** A web server, and the way from it to an app. */
export interface Way {
  readonly server: WebServerName;
  readonly name: string;
  /** What the app listens on, with its query. */
  readonly listen?: string;
  /** The web server starts the app itself. */
  readonly program?: 'fcgid' | 'cgi';
  /** What is changed in what `postern config` prints. */
  readonly change?: (printed: string) => string;
}

function over(server: WebServerName, protocol: string, more: Partial<Way> = {}): Way {
  return { server, name: `${server} over ${protocol}`, listen: `${protocol}://127.0.0.1:0`, ...more };
}

function multiplexed(printed: string): string {
  return printed.replace(/#(option (?:get-values|mpxs-conns|max-reqs))/g, '$1');
}

export const ways: readonly Way[] = [
  over('nginx', 'fastcgi'),
  over('nginx', 'scgi'),
  over('nginx', 'uwsgi'),
  over('nginx', 'http', { listen: 'http://127.0.0.1:0?peer=nginx' }),
  over('apache', 'fastcgi'),
  over('apache', 'ajp'),
  over('apache', 'scgi'),
  over('apache', 'uwsgi'),
  over('apache', 'http'),
  { server: 'apache', name: 'apache with mod_fcgid', program: 'fcgid' },
  { server: 'apache', name: 'apache with mod_cgid', program: 'cgi' },
  over('lighttpd', 'fastcgi'),
  over('lighttpd', 'scgi'),
  over('lighttpd', 'uwsgi'),
  over('lighttpd', 'ajp', { listen: 'ajp://127.0.0.1:0?peer=lighttpd' }),
  over('lighttpd', 'http'),
  { server: 'lighttpd', name: 'lighttpd with mod_cgi', program: 'cgi' },
  over('caddy', 'fastcgi'),
  over('caddy', 'http'),
  over('haproxy', 'fastcgi'),
  over('haproxy', 'fastcgi', { name: 'haproxy over fastcgi, multiplexed', change: multiplexed }),
  over('haproxy', 'http'),
];

export interface Sites {
  /** The ports of the ways, in their order. */
  readonly ports: readonly number[];
  stop(): Promise<void>;
}

/** Starts an app behind web servers, each with what `postern config` prints for all the ways from it. */
export async function startSites(app: string, chosen: readonly Way[] = ways): Promise<Sites> {
  const listen = chosen.flatMap((way) => way.listen ?? []);
  const served: Served = await servePostern(app, listen);
  const ports = await freePorts(chosen.length);
  const { path: folder, remove } = temporaryFolder();
  const program = writeProgram(join(folder, 'app.cgi'), app);
  const addresses = [...served.addresses];
  const texts = new Map<WebServerName, string[]>();
  const first = new Map<WebServerName, number>();
  for (const [i, way] of chosen.entries()) {
    const query = /\?.*/.exec(way.listen ?? '')?.[0] ?? '';
    const address = way.listen === undefined ? undefined : `${addresses.shift()}${query}`;
    const text =
      way.program === 'cgi' ? cgiSite(way.server, ports[i], program) : print(way, ports[i], address, program);
    texts.set(way.server, [...(texts.get(way.server) ?? []), way.change === undefined ? text : way.change(text)]);
    if (!first.has(way.server)) first.set(way.server, ports[i]);
  }
  const started: FrontEnd[] = [];
  for (const [server, all] of texts) started.push(await start(server, all.join('\n'), first.get(server) as number));
  return {
    ports,
    async stop() {
      for (const frontEnd of started) await frontEnd.stop();
      await served.child.stop();
      remove();
    },
  };
}

function print({ server, program }: Way, port: number, address: string | undefined, path: string): string {
  const options = { serverName: `127.0.0.1:${port}`, ...(program === undefined ? {} : { program: path }) };
  return webServerConfig(server, parseAddress(address ?? 'fastcgi+fd:0', 'listen'), options);
}

/** CGI programs have no preset: what docs/how-to/cgi.md has, for every path. */
function cgiSite(server: WebServerName, port: number, program: string): string {
  if (server === 'lighttpd')
    return `server.modules += ( "mod_cgi", "mod_alias" )
$SERVER["socket"] == ":${port}" {
    server.stream-response-body = 1
    cgi.assign = ( ".cgi" => "" )
    alias.url = ( "" => "${program}" )
}`;
  return `Listen ${port}
<VirtualHost *:${port}>
    ScriptAlias "/" "${program}/"
    <Directory "${join(program, '..')}">
        Require all granted
    </Directory>
</VirtualHost>`;
}

function start(server: WebServerName, text: string, port: number): Promise<FrontEnd> {
  switch (server) {
    case 'nginx':
      return startNginx(() => text, port);
    case 'apache':
      return startApache(['fcgid', 'cgid', 'alias'], (_, folder) => {
        // Apache's workers make the sockets of the processes of mod_fcgid
        const sockets = join(folder, 'fcgid');
        mkdirSync(sockets);
        chmodSync(sockets, 0o777);
        return `FcgidIPCDir ${sockets}\nFcgidProcessTableFile ${folder}/table\nScriptSock ${folder}/cgid.sock\n${text}`;
      });
    case 'lighttpd':
      return startLighttpd(() => text);
    case 'caddy':
      return startCaddy(() => text, port);
    case 'haproxy':
      return startHaproxy(() => text, port);
  }
}
