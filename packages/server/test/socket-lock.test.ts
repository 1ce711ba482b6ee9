import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { fastcgi } from '@postern/fastcgi';
import { temporaryFolder } from '@postern/testkit';
import { Server } from '../src/server.ts';
import { SocketLock } from '../src/socket-lock.ts';
import { atEnd, hello } from './support/serving.ts';

const isRoot = process.geteuid?.() === 0;

function folder(): string {
  const { path, remove } = temporaryFolder();
  atEnd(remove);
  return path;
}

function makeOld(path: string): void {
  utimesSync(path, new Date(0), new Date(0));
}

describe('a lock', () => {
  it('is a folder that nobody else may enter, gone when it is released', () => {
    const inside = folder();
    const lock = new SocketLock(join(inside, 's'), 107);
    const [name] = readdirSync(inside);
    expect(lstatSync(join(inside, name)).mode & 0o777).toBe(0o700);
    expect(lock.place.startsWith(join(inside, name))).toBe(true);
    expect(lock.held).toBe(true);
    lock.release();
    expect(readdirSync(inside)).toEqual([]);
  });

  it('lets no second start in', () => {
    const path = join(folder(), 's');
    const lock = new SocketLock(path, 107);
    expect(() => new SocketLock(path, 107)).toThrow(expect.objectContaining({ code: 'ERR_ADDRESS_IN_USE' }));
    expect(lock.held).toBe(true);
    lock.release();
    new SocketLock(path, 107).release();
  });

  it('makes the socket under a name that no other start uses', () => {
    const path = join(folder(), 's');
    const names = new Set<string>();
    for (let i = 0; i < 10; i++) {
      const lock = new SocketLock(path, 107);
      names.add(lock.place);
      lock.release();
    }
    expect(names.size).toBe(10);
  });

  it('knows that it was lost, and then leaves alone what another start made', () => {
    const inside = folder();
    const path = join(inside, 's');
    const lost = new SocketLock(path, 107);
    rmdirSync(join(inside, readdirSync(inside)[0]));
    expect(lost.held).toBe(false);
    const other = new SocketLock(path, 107);
    expect(lost.held).toBe(false);
    lost.release();
    expect(other.held).toBe(true);
    other.release();
    expect(readdirSync(inside)).toEqual([]);
  });
});

describe('a folder that a start left', () => {
  const named = (inside: string): string => join(inside, '.s.new');

  async function listen(inside: string): Promise<string> {
    const server = new Server(hello, { log() {} });
    atEnd(() => server.close(0));
    return server.listen(fastcgi, { transport: 'unix', path: join(inside, 's') }).then(
      () => 'listening',
      (error) => error.code,
    );
  }

  it('is taken over when it is old, with the socket in it', async () => {
    const inside = folder();
    mkdirSync(named(inside));
    const { createServer } = await import('node:net');
    const dead = createServer();
    const socket = join(named(inside), 's0123abcd');
    await new Promise<void>((resolve) => dead.listen(socket, resolve));
    makeOld(named(inside));
    expect(await listen(inside)).toBe('listening');
    expect(readdirSync(inside)).toEqual(['s']);
    await new Promise((resolve) => dead.close(resolve));
  });

  it('is respected while it is young', async () => {
    const inside = folder();
    mkdirSync(named(inside));
    expect(await listen(inside)).toBe('ERR_ADDRESS_IN_USE');
    expect(existsSync(named(inside))).toBe(true);
    expect(existsSync(join(inside, 's'))).toBe(false);
  });

  it('is left alone when something is in it that no start makes', async () => {
    const inside = folder();
    mkdirSync(named(inside));
    writeFileSync(join(named(inside), 'precious'), '');
    makeOld(named(inside));
    expect(await listen(inside)).toBe('ERR_ADDRESS_IN_USE');
    expect(readdirSync(named(inside))).toEqual(['precious']);
  });

  it.each(['a file', 'a symbolic link to a folder'])('is left alone when it is %s', async (kind) => {
    const inside = folder();
    const elsewhere = folder();
    writeFileSync(join(elsewhere, 's01234567'), 'precious');
    if (kind === 'a file') writeFileSync(named(inside), 'precious');
    else symlinkSync(elsewhere, named(inside));
    if (kind === 'a file') makeOld(named(inside));
    expect(await listen(inside)).toBe('ERR_ADDRESS_IN_USE');
    expect(lstatSync(named(inside)).isDirectory()).toBe(false);
    expect(readdirSync(elsewhere)).toEqual(['s01234567']);
  });

  it("is left alone when it is another user's (as another user than root this shows only that a young one is respected)", async () => {
    const inside = folder();
    mkdirSync(named(inside));
    if (isRoot) {
      chownSync(named(inside), 65534, 65534);
      makeOld(named(inside));
    }
    expect(await listen(inside)).toBe('ERR_ADDRESS_IN_USE');
    expect(existsSync(named(inside))).toBe(true);
  });
});
