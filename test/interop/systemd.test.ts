import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type Child,
  fiveProtocols,
  freePort,
  type OneOfFive,
  replyInFive,
  repository,
  requestInFive,
  startChild,
  startPostern,
  temporaryFolder,
  until,
} from '../../packages/testkit/src/index.ts';

const postern = join(repository, 'packages/postern/bin/postern.js');
const plain = join(repository, 'test/fixtures/plain.mjs');

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function folder(): string {
  const { path, remove } = temporaryFolder();
  cleanUps.push(remove);
  return path;
}

function started(child: Child): Child {
  cleanUps.push(() => child.stop('SIGKILL'));
  return child;
}

async function open(where: number | string): Promise<Socket> {
  const socket = typeof where === 'number' ? connect(where, '127.0.0.1') : connect(where);
  cleanUps.push(() => socket.destroy());
  await new Promise((resolve, reject) => {
    socket.on('connect', resolve);
    socket.on('error', reject);
  });
  return socket;
}

async function replyOn(socket: Socket, protocol: OneOfFive): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let ended = false;
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('end', () => {
    ended = true;
  });
  const reply = await until(
    () => replyInFive(protocol, Buffer.concat(chunks), ended),
    (answer) => answer !== undefined,
  );
  return reply?.body;
}

async function ask(where: number | string, protocol: OneOfFive, path = '/'): Promise<string> {
  const socket = await open(where);
  socket.write(requestInFive(protocol, path));
  return (await replyOn(socket, protocol)) ?? '';
}

/** Runs postern with real listening sockets on the descriptors from 3 on, as systemd does. */
function activate(names: string, servers: Server[], args: string[]): Child {
  const fds = servers.map((server) => (server as unknown as { _handle: { fd: number } })._handle.fd);
  const set = `LISTEN_PID=$$ LISTEN_FDS=${servers.length} LISTEN_FDNAMES=${names}`;
  return started(
    startChild('/bin/sh', ['-c', `${set} exec "$0" "$@"`, process.execPath, postern, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', ...fds],
    }),
  );
}

async function listener(where: number | string): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    if (typeof where === 'number') server.listen(where, '127.0.0.1', resolve);
    else server.listen(where, resolve);
  });
  cleanUps.push(() => server.close());
  return server;
}

describe('systemd-socket-activate', () => {
  it('starts an app at the first connection, with a socket for each protocol and one for all', async () => {
    const names = [...fiveProtocols, 'auto'];
    const ports: number[] = [];
    while (ports.length < names.length) {
      const port = await freePort();
      if (!ports.includes(port)) ports.push(port);
    }
    const child = started(
      startChild('systemd-socket-activate', [
        ...ports.map((port) => `--listen=127.0.0.1:${port}`),
        `--fdname=${names.join(':')}`,
        process.execPath,
        postern,
        'serve',
        plain,
        ...names.flatMap((name) => ['--listen', `${name}+systemd:${name}`]),
      ]),
    );
    await child.said(new RegExp(`Listening on 127.0.0.1:${ports.at(-1)}`));
    expect(child.output()).not.toContain('listening');
    for (const [i, protocol] of fiveProtocols.entries()) {
      expect(JSON.parse(await ask(ports[i], protocol, '/own'))).toMatchObject({ url: '/own' });
      expect(JSON.parse(await ask(ports[5], protocol, '/all'))).toMatchObject({ url: '/all' });
    }
    expect([...child.output().matchAll(/^listening (\S+)$/gm)].map((match) => match[1])).toEqual(
      names.map((name) => `${name}+systemd:${name}`),
    );
    expect((await child.stop()).code).toBe(0);
  });

  it('passes one unix socket without a name, which stays when the app ends', async () => {
    const path = join(folder(), 'app.sock');
    const child = started(
      startChild('systemd-socket-activate', [
        `--listen=${path}`,
        process.execPath,
        postern,
        'serve',
        plain,
        '--listen',
        'scgi+systemd:',
      ]),
    );
    // the file is there a moment before anybody listens on it
    await child.said(/Listening on/);
    expect(JSON.parse(await ask(path, 'scgi', '/x'))).toMatchObject({ url: '/x' });
    expect((await child.stop()).code).toBe(0);
    // who opened it removes it
    expect(existsSync(path)).toBe(true);
  });
});

describe('sockets from descriptor 3 on', () => {
  it('are served over TCP and unix, each by its name, in any order', async () => {
    const path = join(folder(), 'a.sock');
    const [tcp, unix] = [await listener(0), await listener(path)];
    const child = activate(
      'web:local',
      [tcp, unix],
      [...['serve', plain, '--listen', 'auto+systemd:local', '--listen', 'fastcgi+systemd:web']],
    );
    await child.said(/listening fastcgi\+systemd:web/);
    const kept = `${path}.kept`;
    linkSync(path, kept);
    const { port } = tcp.address() as { port: number };
    tcp.close();
    unix.close();
    expect(await ask(port, 'fastcgi')).toContain(`"pid":${child.process.pid}`);
    for (const protocol of fiveProtocols) expect(await ask(kept, protocol)).toContain(`"pid":${child.process.pid}`);
    expect(statSync(kept).isSocket()).toBe(true);
  });

  it('let nobody wait in vain while the app is started again', async () => {
    const server = await listener(0);
    const { port } = server.address() as { port: number };
    // as systemd: it holds the socket, and starts the app again, here when it is told to
    const again = `while read -r go; do sh -c 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"' "$0" "$@"; echo ended; done`;
    const args = [process.execPath, postern, 'serve', plain, '--listen', 'http+systemd:'];
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
    const holder = started(startChild('/bin/sh', ['-c', again, ...args], { stdio: ['pipe', 'pipe', 'pipe', fd] }));
    server.close();
    holder.process.stdin?.write('go\n');
    await holder.said(/^listening/m);
    const first = JSON.parse(await ask(port, 'http')).pid;
    process.kill(first, 'SIGTERM');
    await holder.said(/^ended/m);
    const waiting = await open(port);
    waiting.write(requestInFive('http', '/waited'));
    holder.process.stdin?.write('go\n');
    const { url, pid } = JSON.parse((await replyOn(waiting, 'http')) ?? '');
    expect(url).toBe('/waited');
    expect(pid).not.toBe(first);
    process.kill(pid, 'SIGTERM');
    holder.process.stdin?.end();
    expect((await holder.ended()).code).toBe(0);
  });

  it('are not told of to what the app starts', async () => {
    const app = join(folder(), 'app.mjs');
    writeFileSync(
      app,
      `import { execFileSync } from 'node:child_process';
export default (_environ) => ({ status: 200, headers: {}, body: execFileSync('env', { encoding: 'utf8' }) });
`,
    );
    const server = await listener(0);
    const child = activate('app', [server], ['serve', app, '--listen', 'http+systemd:app']);
    await child.said(/^listening/m);
    const { port } = server.address() as { port: number };
    server.close();
    const environment = await ask(port, 'http');
    expect(environment).toContain('PATH=');
    expect(environment).not.toContain('LISTEN_');
  });

  it.each([
    ['other', 'app', ['fastcgi+systemd:other'], 'ERR_SYSTEMD: systemd socket "other": systemd passed app'],
    [
      'the same twice',
      'app',
      ['fastcgi+systemd:app', 'scgi+systemd:app'],
      'ERR_SYSTEMD: systemd socket "app" (descriptor 3): it is listened on already',
    ],
    ['none of two', 'a:b', ['auto+systemd:'], 'ERR_SYSTEMD: systemd passed 2 sockets (a, b): name one of them'],
    ['one name of two', 'a:a', ['auto+systemd:a'], 'ERR_SYSTEMD: systemd socket "a": 2 sockets have this name'],
  ])('are refused with exit code 2 by name: %s', async (_, names, listen, message) => {
    const servers = await Promise.all(names.split(':').map(() => listener(0)));
    const child = activate(names, servers, ['serve', plain, ...listen.flatMap((address) => ['--listen', address])]);
    expect((await child.ended()).code).toBe(2);
    expect(child.output()).toContain(message);
    expect(child.output().trim().split('\n')).toHaveLength(1);
  });

  it('are refused when a shell stands between', async () => {
    const server = await listener(0);
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
    const child = started(
      startChild(
        '/bin/sh',
        [
          '-c',
          'LISTEN_PID=$$ LISTEN_FDS=1 "$0" "$@"; exit $?',
          process.execPath,
          postern,
          'serve',
          plain,
          '--listen',
          'http+systemd:',
        ],
        {
          stdio: ['ignore', 'pipe', 'pipe', fd],
        },
      ),
    );
    expect((await child.ended()).code).toBe(2);
    expect(child.output()).toMatch(
      /^ERR_SYSTEMD: LISTEN_PID is "\d+", and this is process \d+: [^\n]*no shell and no npm\n$/,
    );
  });
});

describe('the units that postern config prints', () => {
  const file = (name: string, path: string): string => {
    writeFileSync(path, `${name}\n`);
    return path;
  };

  it.each<[string, (path: string) => string]>([
    ['app', () => 'fastcgi+unix:/run/app.sock?mode=0660&group=www-data&backlog=100'],
    ['my.app', () => 'auto+unix:/run/some%20folder/my.app.sock?peer=nginx'],
    ['app', () => 'scgi://127.0.0.1:9000?strict'],
    ['app', () => 'uwsgi://0.0.0.0:9000?allow=192.0.2.0/24,2001:db8::/32'],
    ['app', () => 'http://[::1]:9000'],
    ['app', (path) => `ajp://0.0.0.0:8009?secret-file=${file('secret', join(path, 'a b.secret'))}&packet-size=16384`],
  ])('are accepted by systemd without a word: %s.socket', async (name, address) => {
    const path = folder();
    const app = join(path, 'app 100% $HOME.mjs');
    const listen = address(path).replaceAll(' ', '%20');
    const printed = startPostern(['config', 'systemd', '--listen', listen, '--program', app]);
    expect((await printed.ended()).code).toBe(0);
    // as docs/how-to/systemd.md divides it
    const units = new Map<string, string>();
    let unit = '';
    for (const line of printed.output().split('\n')) {
      unit = /^# \/etc\/systemd\/system\/(\S+)$/.exec(line)?.[1] ?? unit;
      if (unit !== '') units.set(unit, `${units.get(unit) ?? ''}${line}\n`);
    }
    expect([...units.keys()]).toEqual([`${name}.socket`, `${name}.service`]);
    for (const [file, text] of units) writeFileSync(join(path, file), text);
    const verified = startChild('systemd-analyze', ['verify', ...[...units.keys()].map((file) => join(path, file))]);
    expect([(await verified.ended()).code, verified.output()]).toEqual([0, '']);
  });

  it('would not be, were a line of them wrong', () => {
    const path = join(folder(), 'bad.service');
    writeFileSync(path, '[Service]\nExecStart=/bin/true\nNoSuchKey=yes\n');
    expect(execFileSync('/bin/sh', ['-c', `systemd-analyze verify "${path}" 2>&1`], { encoding: 'utf8' })).toContain(
      'NoSuchKey',
    );
  });
});
