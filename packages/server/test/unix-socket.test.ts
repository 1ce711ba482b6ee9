import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server as NetServer } from 'node:net';
import { basename, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { request, temporaryFolder } from '@postern/testkit';
import { Server } from '../src/server.ts';
import { bindUnixSocket, removeUnixSocket } from '../src/unix-socket.ts';
import { childServer, firstLine } from './support/child.ts';
import { connectTo } from './support/peer.ts';
import { atEnd, hello, turns } from './support/serving.ts';

const isRoot = process.geteuid?.() === 0;
/** A user without rights, by its number on any Linux. */
const NOBODY = 65534;

function folder(mode = 0o755): string {
  const { path, remove } = temporaryFolder();
  chmodSync(path, mode);
  atEnd(remove);
  return path;
}

/** A path of so many bytes. */
function pathOf(bytes: number, inside: string): string {
  return join(inside, 's'.repeat(bytes - Buffer.byteLength(inside) - 1));
}

async function served(path: string): Promise<string> {
  const peer = await connectTo({ path });
  peer.write(request());
  const { stdout } = await peer.reply();
  peer.socket.destroy();
  return stdout;
}

async function listen(target: { path: string; mode?: number; owner?: string; group?: string }): Promise<Server> {
  const server = new Server(hello, { log() {} });
  atEnd(() => server.close(0));
  await server.listen(fastcgi, { transport: 'unix', ...target });
  return server;
}

async function refusal(target: { path: string; mode?: number; owner?: string; group?: string }): Promise<ConfigError> {
  const server = new Server(hello, { log() {} });
  const error = await server.listen(fastcgi, { transport: 'unix', ...target }).then(
    () => new Error('it listens'),
    (reason: unknown) => reason,
  );
  await server.close(0);
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as ConfigError).message).not.toContain('\n');
  return error as ConfigError;
}

/** A socket on which nobody listens any more. */
function staleSocket(path: string): number {
  const program = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', program, path], { stdio: 'ignore' });
  return lstatSync(path).ino;
}

function liveServer(path: string): Promise<NetServer> {
  const server = createServer((socket) => socket.end('somebody else'));
  atEnd(() => new Promise((resolve) => server.close(resolve)));
  return new Promise((resolve) => server.listen(path, () => resolve(server)));
}

describe('a unix socket', () => {
  it('is made 0660, and nothing else is left beside it', async () => {
    const inside = folder();
    const path = join(inside, 'app.sock');
    await listen({ path });
    expect(lstatSync(path).mode & 0o7777).toBe(0o660);
    expect(readdirSync(inside)).toEqual(['app.sock']);
    expect(await served(path)).toContain('hello');
  });

  it.each([0o000, 0o077, 0o777 & ~0o700])('has the mode that was asked for under a umask of %o', async (umask) => {
    const path = join(folder(), 's');
    const child = childServer({ target: { transport: 'unix', path, mode: 0o622 }, umask });
    expect(await firstLine(child)).toMatch(/^listening/);
    expect(lstatSync(path).mode & 0o7777).toBe(0o622);
    const other = join(folder(), 's');
    expect(await firstLine(childServer({ target: { transport: 'unix', path: other }, umask }))).toMatch(/^listening/);
    expect(lstatSync(other).mode & 0o7777).toBe(0o660);
  });

  it('belongs to whom was asked for, by name or number, when root makes it; others may name themselves', async () => {
    const [, , uid, gid] =
      readFileSync('/etc/passwd', 'utf8')
        .split('\n')
        .find((line) => line.startsWith('nobody:'))
        ?.split(':') ?? [];
    const group =
      readFileSync('/etc/group', 'utf8')
        .split('\n')
        .find((line) => line.split(':')[2] === gid)
        ?.split(':')[0] ?? gid;
    const targets = isRoot
      ? [
          { owner: 'nobody', group },
          { owner: uid, group: gid },
        ]
      : [{ owner: String(process.geteuid?.()), group: String(process.getegid?.()) }];
    for (const target of targets) {
      const path = join(folder(), 's');
      await listen({ path, ...target });
      const { uid: madeFor, gid: madeForGroup, mode } = lstatSync(path);
      expect([madeFor, madeForGroup]).toEqual(
        isRoot ? [Number(uid), Number(gid)] : [process.geteuid?.(), process.getegid?.()],
      );
      expect(mode & 0o7777).toBe(0o660);
    }
  });

  it('of an owner or group that there is not is refused ERR_SOCKET_OWNER, and nothing is made', async () => {
    const inside = folder();
    const path = join(inside, 's');
    expect(await refusal({ path, owner: 'no-such-user' })).toMatchObject({
      code: 'ERR_SOCKET_OWNER',
      message: expect.stringContaining('owner=no-such-user'),
    });
    expect((await refusal({ path, group: 'no-such-group' })).code).toBe('ERR_SOCKET_OWNER');
    expect(readdirSync(inside)).toEqual([]);
  });

  it('that this user may not give away is refused ERR_SOCKET_OWNER, and nothing is left (as root: tried as nobody)', async () => {
    const inside = folder(0o777 | 0o1000);
    const path = join(inside, 's');
    const target = { transport: 'unix', path, owner: '1' } as const;
    const child = childServer(isRoot ? { target, uid: NOBODY, gid: NOBODY } : { target });
    expect(await firstLine(child)).toMatch(/^refused ERR_SOCKET_OWNER /);
    expect((await child.ended()).code).toBe(2);
    expect(readdirSync(inside)).toEqual([]);
  });

  it('can have a path of 107 bytes, which is served and removed', async () => {
    const inside = folder();
    const path = pathOf(107, inside);
    const server = await listen({ path });
    expect(await served(path)).toContain('hello');
    expect(await server.close()).toBe(true);
    expect(readdirSync(inside)).toEqual([]);
  });

  it('cannot have a path of 108 bytes: ERR_SOCKET_PATH, and nothing is made', async () => {
    const inside = folder();
    expect(await refusal({ path: pathOf(108, inside) })).toMatchObject({
      code: 'ERR_SOCKET_PATH',
      message: expect.stringContaining('108 bytes'),
    });
    expect(readdirSync(inside)).toEqual([]);
  });

  it.each(['', '/', '/tmp/', '\0abstract', '/tmp/a\0b'])('cannot have the path %j', async (path) => {
    expect((await refusal({ path })).code).toBe('ERR_SOCKET_PATH');
  });

  it('of a relative path is removed also when the process is elsewhere by then', async () => {
    const inside = folder();
    const before = process.cwd();
    const server = new Server(hello, { log() {} });
    try {
      process.chdir(inside);
      await server.listen(fastcgi, { transport: 'unix', path: 's' });
    } finally {
      process.chdir(before);
    }
    expect(await served(join(inside, 's'))).toContain('hello');
    await server.close();
    expect(readdirSync(inside)).toEqual([]);
  });
});

describe('a stale socket', () => {
  it('is replaced by another inode', async () => {
    const inside = folder();
    const path = join(inside, 's');
    const before = staleSocket(path);
    // as long as it has another name its inode is not used again
    linkSync(path, join(inside, 'kept'));
    await listen({ path });
    expect(lstatSync(path).ino).not.toBe(before);
    expect(await served(path)).toContain('hello');
  });

  it('is replaced without a moment at which nothing is there', async () => {
    const path = join(folder(), 's');
    staleSocket(path);
    const watcher = watch(path);
    for (let i = 0; i < 10; i++) {
      const child = childServer({ target: { transport: 'unix', path } });
      expect(await firstLine(child)).toMatch(/^listening/);
      await child.stop('SIGKILL');
    }
    expect(await watcher()).toEqual({ missing: 0, looked: true });
  });
});

/** A process that looks at a path again and again. */
function watch(path: string): () => Promise<{ missing: number; looked: boolean }> {
  const program = `
    const { lstatSync } = require('fs');
    let missing = 0, looked = 0, on = true;
    process.on('SIGTERM', () => { on = false; });
    (function look() {
      for (let i = 0; i < 1000; i++) {
        looked++;
        if (lstatSync(process.argv[1], { throwIfNoEntry: false }) === undefined) missing++;
      }
      if (on) setImmediate(look); else process.stdout.write(JSON.stringify({ missing, looked: looked > 1000 }));
    })();`;
  const child = spawn(process.execPath, ['-e', program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  atEnd(() => child.kill('SIGKILL'));
  return async () => {
    child.kill('SIGTERM');
    await ended;
    return JSON.parse(text);
  };
}

describe('what is at the path already', () => {
  it('a live socket is refused ERR_ADDRESS_IN_USE, and its server goes on', async () => {
    const path = join(folder(), 's');
    await listen({ path });
    const { ino } = lstatSync(path);
    expect(await refusal({ path })).toMatchObject({
      code: 'ERR_ADDRESS_IN_USE',
      message: expect.stringContaining(path),
    });
    expect(lstatSync(path).ino).toBe(ino);
    expect(await served(path)).toContain('hello');
  });

  it('a live socket of a process that is too busy to accept is refused as well', async () => {
    const path = join(folder(), 's');
    const program = `require('net').createServer().listen({ path: process.argv[1], backlog: 1 }, () => { console.log('up'); setTimeout(() => {}, 60000); process.kill(process.pid, 'SIGSTOP'); })`;
    const child = spawn(process.execPath, ['-e', program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    atEnd(() => child.kill('SIGKILL'));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const waiting = [];
    for (let i = 0; i < 6; i++) {
      const peer = await connectTo({ path }).catch(() => undefined);
      if (peer === undefined) break;
      waiting.push(peer);
    }
    expect((await refusal({ path })).code).toBe('ERR_ADDRESS_IN_USE');
    for (const peer of waiting) peer.socket.destroy();
    expect(lstatSync(path).isSocket()).toBe(true);
  });

  it('a file is refused ERR_SOCKET_PATH and left as it is', async () => {
    const inside = folder();
    const path = join(inside, 's');
    writeFileSync(path, 'precious');
    expect(await refusal({ path })).toMatchObject({
      code: 'ERR_SOCKET_PATH',
      message: expect.stringContaining('a file'),
    });
    expect(readFileSync(path, 'utf8')).toBe('precious');
    expect(readdirSync(inside)).toEqual(['s']);
  });

  it('a folder is refused ERR_SOCKET_PATH and left as it is', async () => {
    const path = join(folder(), 's');
    mkdirSync(path);
    writeFileSync(join(path, 'inside'), 'precious');
    expect(await refusal({ path })).toMatchObject({
      code: 'ERR_SOCKET_PATH',
      message: expect.stringContaining('a folder'),
    });
    expect(readFileSync(join(path, 'inside'), 'utf8')).toBe('precious');
  });

  it('a FIFO is refused ERR_SOCKET_PATH and left as it is', async () => {
    const path = join(folder(), 's');
    execFileSync('mkfifo', [path]);
    expect((await refusal({ path })).code).toBe('ERR_SOCKET_PATH');
    expect(lstatSync(path).isFIFO()).toBe(true);
  });

  it.each(['to a file', 'to a live socket', 'to a stale socket', 'to nothing'])(
    'a symbolic link %s is refused ERR_SOCKET_PATH, and both ends are left as they are',
    async (where) => {
      const inside = folder();
      const end = join(inside, 'end');
      const path = join(inside, 's');
      if (where === 'to a file') writeFileSync(end, 'precious');
      if (where === 'to a live socket') await listen({ path: end });
      if (where === 'to a stale socket') staleSocket(end);
      const before = lstatSync(end, { throwIfNoEntry: false })?.ino;
      symlinkSync(end, path);
      expect(await refusal({ path })).toMatchObject({
        code: 'ERR_SOCKET_PATH',
        message: expect.stringContaining('a symbolic link'),
      });
      expect(lstatSync(path).isSymbolicLink()).toBe(true);
      expect(lstatSync(end, { throwIfNoEntry: false })?.ino).toBe(before);
      if (where === 'to a live socket') expect(await served(end)).toContain('hello');
    },
  );
});

describe('the folder of the path', () => {
  it('that does not exist is refused ERR_SOCKET_PATH and not made', async () => {
    const inside = join(folder(), 'missing');
    expect(await refusal({ path: join(inside, 's') })).toMatchObject({
      code: 'ERR_SOCKET_PATH',
      message: expect.stringContaining('does not exist'),
    });
    expect(existsSync(inside)).toBe(false);
  });

  it('that is a file is refused ERR_SOCKET_PATH', async () => {
    const path = join(folder(), 'file');
    writeFileSync(path, '');
    expect((await refusal({ path: join(path, 's') })).code).toBe('ERR_SOCKET_PATH');
  });

  it('to which everybody may write, without the sticky bit, is refused ERR_SOCKET_PATH', async () => {
    const inside = folder(0o777);
    expect(await refusal({ path: join(inside, 's') })).toMatchObject({
      code: 'ERR_SOCKET_PATH',
      message: expect.stringContaining('sticky'),
    });
    expect(readdirSync(inside)).toEqual([]);
    chmodSync(inside, 0o1777);
    await listen({ path: join(inside, 's') });
  });

  it('to which this user may not write is refused ERR_ADDRESS_DENIED (as root: tried as nobody)', async () => {
    const inside = folder(0o555);
    const target = { transport: 'unix', path: join(inside, 's') } as const;
    const child = childServer(isRoot ? { target, uid: NOBODY, gid: NOBODY } : { target });
    expect(await firstLine(child)).toMatch(/^refused ERR_ADDRESS_DENIED .*no permission to make a socket/);
    expect((await child.ended()).code).toBe(2);
    expect(readdirSync(inside)).toEqual([]);
  });

  it('that this user may not enter is refused ERR_ADDRESS_DENIED (as root: tried as nobody)', async () => {
    const closed = folder(0o700);
    const inside = join(closed, 'inside');
    mkdirSync(inside);
    if (!isRoot) chmodSync(closed, 0o000);
    atEnd(() => chmodSync(closed, 0o700));
    const target = { transport: 'unix', path: join(inside, 's') } as const;
    const child = childServer(isRoot ? { target, uid: NOBODY, gid: NOBODY } : { target });
    expect(await firstLine(child)).toMatch(/^refused ERR_ADDRESS_DENIED /);
  });

  it("holds somebody else's socket that this user may not connect to: ERR_ADDRESS_DENIED (as root: tried as nobody)", async () => {
    const inside = folder(0o1777);
    const path = join(inside, 's');
    await listen({ path, mode: 0o600 });
    if (!isRoot) chmodSync(path, 0o000);
    const target = { transport: 'unix', path } as const;
    const child = childServer(isRoot ? { target, uid: NOBODY, gid: NOBODY } : { target });
    expect(await firstLine(child)).toMatch(/^refused ERR_ADDRESS_DENIED /);
    expect(lstatSync(path).isSocket()).toBe(true);
  });
});

describe('two starts at once', () => {
  it.each(['on nothing', 'on a stale socket'])(
    '%s: exactly one serves, at the path, and the others are refused',
    async (where) => {
      const inside = folder();
      const path = join(inside, 's');
      if (where === 'on a stale socket') staleSocket(path);
      const children = Array.from({ length: 4 }, () => childServer({ target: { transport: 'unix', path } }));
      const lines = await Promise.all(children.map(firstLine));
      const winners = children.filter((_, i) => lines[i].startsWith('listening'));
      expect(winners).toHaveLength(1);
      expect(lines.filter((line) => line.startsWith('refused ERR_ADDRESS_IN_USE'))).toHaveLength(3);
      expect(await served(path)).toContain(`served by ${winners[0].process.pid}`);
      expect(readdirSync(inside)).toEqual(['s']);
    },
  );

  it('of one process: exactly one serves', async () => {
    for (let i = 0; i < 20; i++) {
      const inside = folder();
      const path = join(inside, 's');
      const servers = Array.from({ length: 3 }, () => new Server(hello, { log() {} }));
      const outcomes = await Promise.allSettled(
        servers.map((server) => server.listen(fastcgi, { transport: 'unix', path })),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await served(path)).toContain('hello');
      for (const server of servers) await server.close(0);
      expect(readdirSync(inside)).toEqual([]);
    }
  });
});

describe('the end of listening', () => {
  it('removes the socket', async () => {
    const inside = folder();
    const server = await listen({ path: join(inside, 's') });
    expect(await server.close()).toBe(true);
    expect(readdirSync(inside)).toEqual([]);
  });

  it('leaves a socket alone that took its place', async () => {
    const path = join(folder(), 's');
    const server = await listen({ path });
    unlinkSync(path);
    await liveServer(path);
    const { ino } = lstatSync(path);
    await server.close();
    expect(lstatSync(path).ino).toBe(ino);
    const peer = await connectTo({ path });
    await peer.gone();
    expect(peer.text).toBe('somebody else');
    peer.socket.destroy();
  });

  it('leaves a file alone that took its place', async () => {
    const path = join(folder(), 's');
    const server = await listen({ path });
    unlinkSync(path);
    writeFileSync(path, 'precious');
    await server.close();
    expect(readFileSync(path, 'utf8')).toBe('precious');
  });

  it('does not mind that the socket or its folder is gone', async () => {
    const inside = folder();
    const path = join(inside, 'sub', 's');
    mkdirSync(join(inside, 'sub'));
    const server = await listen({ path });
    rmSync(join(inside, 'sub'), { recursive: true });
    expect(await server.close()).toBe(true);
  });

  it('does not touch the socket of a start that is under way at the same path', async () => {
    const inside = folder();
    const path = join(inside, 's');
    const old = await listen({ path });
    // somebody moved the old one away: it still serves, but has no name
    renameSync(path, join(inside, 'old'));
    const young = new Server(hello, { log() {} });
    atEnd(() => young.close(0));
    const opening = young.listen(fastcgi, { transport: 'unix', path });
    await old.close();
    await opening;
    await turns();
    expect(await served(path)).toContain('hello');
  });
});

describe('bindUnixSocket', () => {
  it('leaves a server that cannot be bound closed', async () => {
    const path = join(folder(), 's');
    writeFileSync(path, '');
    const server = createServer();
    await expect(bindUnixSocket(server, { transport: 'unix', path })).rejects.toMatchObject({
      code: 'ERR_SOCKET_PATH',
    });
    expect(server.listening).toBe(false);
  });
});

describe('removeUnixSocket', () => {
  it('removes the file that it was told of, by device and inode', () => {
    const path = join(folder(), 's');
    writeFileSync(path, '');
    const { dev, ino } = lstatSync(path);
    removeUnixSocket({ path, dev, ino: ino + 1 });
    expect(existsSync(path)).toBe(true);
    removeUnixSocket({ path, dev, ino });
    expect(existsSync(path)).toBe(false);
    expect(basename(path)).toBe('s');
  });
});
