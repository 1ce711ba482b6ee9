import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { request, temporaryFolder } from '@postern/testkit';
import { type Served, serve } from 'postern';
import { childServer, firstLine } from '../../../packages/server/test/support/child.ts';
import { atEnd, connectTo } from './attacked.ts';

function folder(mode = 0o755): string {
  const { path, remove } = temporaryFolder();
  chmodSync(path, mode);
  atEnd(remove);
  return path;
}

async function listen(path: string, query = ''): Promise<Served> {
  const served = await serve({ fetch: () => new Response('served') }, { listen: `fastcgi+unix:${path}${query}` });
  atEnd(() => served.close(0));
  return served;
}

async function answer(path: string): Promise<string> {
  const peer = await connectTo({ path });
  atEnd(() => peer.socket.destroy());
  peer.write(request());
  return (await peer.reply()).stdout;
}

function refusal(path: string): Promise<unknown> {
  return listen(path).then(
    () => 'it listens',
    (error) => error.code,
  );
}

/** A socket on which nobody listens any more. */
function stale(path: string): number {
  const program = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', program, path], { stdio: 'ignore' });
  return lstatSync(path).ino;
}

describe('who may talk to a unix socket', () => {
  it('D14 (CVE-2014-0185): whatever the umask, a socket is for its owner and group alone', async () => {
    for (const umask of [0o000, 0o022, 0o077]) {
      const path = join(folder(), 's');
      expect(await firstLine(childServer({ target: { transport: 'unix', path }, umask }))).toMatch(/^listening/);
      expect([umask, lstatSync(path).mode & 0o777]).toEqual([umask, 0o660]);
    }
  });

  it('D14 (CVE-2014-0185): it is so from the moment that the socket is there', async () => {
    const inside = folder();
    const path = join(inside, 's');
    const modes: number[] = [];
    const watcher = watch(inside, () => {
      if (existsSync(path)) modes.push(lstatSync(path).mode & 0o777);
    });
    atEnd(() => watcher.close());
    const child = childServer({ target: { transport: 'unix', path }, umask: 0 });
    // as often as this process can look
    while (!existsSync(path)) await new Promise((resolve) => setImmediate(resolve));
    modes.push(lstatSync(path).mode & 0o777);
    expect(await firstLine(child)).toMatch(/^listening/);
    expect([...new Set(modes)]).toEqual([0o660]);
  });
});

describe('what is at the path already', () => {
  it('D15: a socket that somebody listens on is left alone', async () => {
    const path = join(folder(), 's');
    await listen(path);
    const { ino } = lstatSync(path);
    expect(await refusal(path)).toBe('ERR_ADDRESS_IN_USE');
    expect(lstatSync(path).ino).toBe(ino);
    expect(await answer(path)).toContain('served');
  });

  it('D15: a socket that nobody listens on is replaced', async () => {
    const path = join(folder(), 's');
    const ino = stale(path);
    await listen(path);
    expect(lstatSync(path).ino).not.toBe(ino);
    expect(await answer(path)).toContain('served');
  });

  it('D15: a file, a folder or a link is no stale socket, and stays', async () => {
    const inside = folder();
    const made = {
      file: (path: string) => writeFileSync(path, 'precious'),
      folder: (path: string) => mkdirSync(path),
      dangling: (path: string) => symlinkSync('/nowhere/at/all', path),
      link: (path: string) => {
        writeFileSync(`${path}.target`, 'precious');
        symlinkSync(`${path}.target`, path);
      },
      'link to a stale socket': (path: string) => {
        stale(`${path}.sock`);
        symlinkSync(`${path}.sock`, path);
      },
    };
    for (const [name, make] of Object.entries(made)) {
      const path = join(inside, name.replaceAll(' ', '-'));
      make(path);
      const before = lstatSync(path);
      expect([name, await refusal(path)]).toEqual([name, 'ERR_SOCKET_PATH']);
      expect([name, lstatSync(path).ino]).toEqual([name, before.ino]);
    }
    expect(readFileSync(join(inside, 'file'), 'utf8')).toBe('precious');
    expect(readFileSync(join(inside, 'link.target'), 'utf8')).toBe('precious');
    expect(readlinkSync(join(inside, 'dangling'))).toBe('/nowhere/at/all');
  });

  it('D15: a folder in which anybody can replace the socket is refused', async () => {
    const inside = folder(0o777);
    expect(await refusal(join(inside, 's'))).toBe('ERR_SOCKET_PATH');
    expect(readdirSync(inside)).toEqual([]);
    const sticky = folder(0o1777);
    await listen(join(sticky, 's'));
  });

  it('D15: what somebody else has put there since is not removed at the end', async () => {
    const path = join(folder(), 's');
    const served = await listen(path);
    renameSync(path, `${path}.moved`);
    const other = createServer((socket) => socket.end('somebody else'));
    await new Promise<void>((resolve) => other.listen(path, resolve));
    atEnd(() => new Promise((resolve) => other.close(resolve)));
    await served.close(0);
    expect(lstatSync(path).isSocket()).toBe(true);
    unlinkSync(`${path}.moved`);
  });

  it('D16: a path that the system would cut is refused, and no file is made', async () => {
    const inside = folder();
    const fill = (bytes: number): string => join(inside, 's'.repeat(bytes - inside.length - 1));
    expect(await refusal(fill(108))).toBe('ERR_SOCKET_PATH');
    expect(await refusal(fill(200))).toBe('ERR_SOCKET_PATH');
    expect(readdirSync(inside)).toEqual([]);
    await listen(fill(107));
    expect(lstatSync(fill(107)).isSocket()).toBe(true);
  });
});
