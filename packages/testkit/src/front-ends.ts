import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';

/** A real web server on a port of its own, in a temporary folder. */
export interface FrontEnd {
  readonly port: number;
  readonly folder: string;
  readonly child: Child;
  stop(): Promise<void>;
}

/**
 * A port that was free a moment ago, below those that a system gives to connections and to who listens on port 0: other
 * tests take thousands of them, and one of theirs would be mistaken for the server that is waited for.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** A folder that goes away with `remove`. Everybody may enter: the workers of a web server run as another user. */
export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'postern-'));
  chmodSync(path, 0o755);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

async function started(child: Child, port: number): Promise<void> {
  let over = false;
  child.ended().then(
    () => {
      over = true;
    },
    () => {
      over = true;
    },
  );
  while (!(await accepts(port))) {
    if (over) throw new Error(`the web server ended:\n${child.output()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function frontEnd(folder: { path: string; remove(): void }, child: Child, port: number): Promise<FrontEnd> {
  try {
    await started(child, port);
  } catch (error) {
    folder.remove();
    throw error;
  }
  return {
    port,
    folder: folder.path,
    child,
    async stop() {
      await child.stop();
      folder.remove();
    },
  };
}

const root = process.getuid?.() === 0;

/** nginx in the foreground. `http` is what stands in the http block: it listens on `port`, any free one if none is given. */
export async function startNginx(http: (port: number, folder: string) => string, given?: number): Promise<FrontEnd> {
  const port = given ?? (await freePort());
  const folder = temporaryFolder();
  const { path } = folder;
  const temporary = ['client_body', 'fastcgi', 'proxy', 'scgi', 'uwsgi']
    .map((name) => `${name}_temp_path ${path}/${name};`)
    .join(' ');
  writeFileSync(
    join(path, 'nginx.conf'),
    `${root ? 'user root;' : ''} daemon off; worker_processes 1; pid ${path}/nginx.pid; error_log stderr info;
events { worker_connections 512; }
http { access_log off; client_max_body_size 0; ${temporary}
${http(port, path)}
}
`,
  );
  return frontEnd(folder, startChild('nginx', ['-p', path, '-c', join(path, 'nginx.conf')], { env: withSbin() }), port);
}

/** lighttpd in the foreground. */
export async function startLighttpd(config: (port: number, folder: string) => string): Promise<FrontEnd> {
  const port = await freePort();
  const folder = temporaryFolder();
  const { path } = folder;
  writeFileSync(
    join(path, 'lighttpd.conf'),
    `server.document-root = "${path}"
server.bind = "127.0.0.1"
server.port = ${port}
server.upload-dirs = ( "${path}" )
server.errorlog = "${path}/error.log"
${config(port, path)}
`,
  );
  return frontEnd(folder, startChild('lighttpd', ['-D', '-f', join(path, 'lighttpd.conf')], { env: withSbin() }), port);
}

/** Apache in the foreground, with the modules that are named beside those it cannot do without. */
export async function startApache(
  modules: string[],
  config: (port: number, folder: string) => string,
): Promise<FrontEnd> {
  const port = await freePort();
  const folder = temporaryFolder();
  const { path } = folder;
  const load = ['mpm_event', 'authz_core', ...modules].map(
    (name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`,
  );
  writeFileSync(
    join(path, 'apache.conf'),
    `ServerRoot "${path}"
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${path}/apache.pid
ErrorLog ${path}/error.log
DefaultRuntimeDir ${path}
DocumentRoot "${path}"
${root ? 'User www-data\nGroup www-data' : ''}
${load.join('\n')}
${config(port, path)}
`,
  );
  return frontEnd(
    folder,
    startChild('apache2', ['-DFOREGROUND', '-f', join(path, 'apache.conf')], { env: withSbin() }),
    port,
  );
}

/**
 * Caddy in the foreground: no admin port, no certificates, and its files in the folder.
 * @param config the sites of the Caddyfile: they listen on `port`, any free one if none is given
 */
export async function startCaddy(config: (port: number, folder: string) => string, given?: number): Promise<FrontEnd> {
  const port = given ?? (await freePort());
  const folder = temporaryFolder();
  const { path } = folder;
  const file = join(path, 'Caddyfile');
  writeFileSync(
    file,
    `{
    admin off
    auto_https off
    grace_period 1s
    storage file_system "${path}/storage"
}
${config(port, path)}
`,
  );
  const env = { ...process.env, HOME: path, XDG_CONFIG_HOME: path, XDG_DATA_HOME: path };
  return frontEnd(folder, startChild('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], { env }), port);
}

/**
 * HAProxy in the foreground.
 * @param config the whole file: its frontend binds `port`, any free one if none is given
 */
export async function startHaproxy(
  config: (port: number, folder: string) => string,
  given?: number,
): Promise<FrontEnd> {
  const port = given ?? (await freePort());
  const folder = temporaryFolder();
  const file = join(folder.path, 'haproxy.cfg');
  writeFileSync(file, config(port, folder.path));
  return frontEnd(folder, startChild('haproxy', ['-db', '-f', file], { env: withSbin() }), port);
}

function withSbin(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
}
