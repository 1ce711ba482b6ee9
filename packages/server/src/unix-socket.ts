import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs';
import { connect, type Server } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { ConfigError, describeError } from '@postern/core';
import type { ListenTarget } from './address.ts';

type UnixTarget = ListenTarget & { transport: 'unix' };

/** `sun_path` has 108 bytes, one of them NUL; a longer path would be cut without a word. */
const MAX_PATH = 107;
const DEFAULT_MODE = 0o660;
/** A leftover of a start that was killed half-way is removed when it is older than this, in milliseconds. */
const STALE_LOCK = 5000;

function refuse(message: string, cause?: unknown): never {
  throw new ConfigError('ERR_SOCKET_PATH', message, { cause });
}

/** Made by this process: who it is on the disk. */
export interface UnixSocketFile {
  readonly path: string;
  readonly dev: number;
  readonly ino: number;
}

/**
 * Binds `server` to a unix socket that never exists with another mode or owner than asked for: it is made in a private
 * folder beside the path and moved there. A stale socket is replaced atomically; the folder is also the lock that lets
 * one of two starts win.
 * @throws ConfigError ERR_SOCKET_PATH, ERR_SOCKET_OWNER, ERR_ADDRESS_IN_USE, ERR_ADDRESS_DENIED
 */
export async function bindUnixSocket(server: Server, target: UnixTarget): Promise<UnixSocketFile> {
  const { path } = target;
  if (Buffer.byteLength(path) > MAX_PATH)
    refuse(`${path}: the path has ${Buffer.byteLength(path)} bytes, a unix socket takes at most ${MAX_PATH}`);
  const uid = target.owner === undefined ? -1 : lookUp('passwd', target.owner, 'owner');
  const gid = target.group === undefined ? -1 : lookUp('group', target.group, 'group');
  checkFolder(path);
  await checkPlace(path);
  const folder = join(dirname(path), `.${basename(path)}.new`);
  takeLock(folder, path);
  // the folder's own path may be too long for a socket although the final one is not
  const short = Buffer.byteLength(join(folder, 's')) > MAX_PATH ? openSync(folder, 'r') : undefined;
  const made = short === undefined ? join(folder, 's') : `/proc/self/fd/${short}/s`;
  try {
    await checkPlace(path);
    await listening(server, made, target.backlog, path);
    try {
      chmodSync(made, target.mode ?? DEFAULT_MODE);
      if (uid >= 0 || gid >= 0) chownSync(made, uid, gid);
    } catch (error) {
      throw new ConfigError(
        'ERR_SOCKET_OWNER',
        `${path}: owner, group or mode cannot be set (${(error as NodeJS.ErrnoException).code}): run as a user that may, or leave them out`,
        { cause: error },
      );
    }
    const { dev, ino } = lstatSync(made);
    moveTo(made, path);
    return { path, dev, ino };
  } catch (error) {
    await new Promise((resolve) => server.close(resolve));
    throw error;
  } finally {
    if (short !== undefined) closeSync(short);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Removes the file if it is still the one that was made here. */
export function removeUnixSocket(file: UnixSocketFile): void {
  const found = lstat(file.path);
  if (found !== undefined && found.dev === file.dev && found.ino === file.ino) unlinkSync(file.path);
}

function lstat(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'EACCES')
      throw new ConfigError('ERR_ADDRESS_DENIED', `${path}: no permission to look at it`, { cause: error });
    return refuse(`${path}: ${describeError(error)}`, error);
  }
}

function checkFolder(path: string): void {
  const folder = dirname(path);
  let stats: Stats;
  try {
    stats = statSync(folder);
  } catch (error) {
    refuse(`${path}: its folder ${folder} does not exist: make it first`, error);
  }
  if (!stats.isDirectory()) refuse(`${path}: ${folder} is no folder`);
  if ((stats.mode & 0o002) !== 0 && (stats.mode & 0o1000) === 0) {
    refuse(
      `${path}: everybody may write to ${folder} and it is not sticky, so anybody could replace the socket: chmod o-w or +t`,
    );
  }
}

/** Nothing is at the path, or a socket on which nobody listens. */
async function checkPlace(path: string): Promise<void> {
  const found = lstat(path);
  if (found === undefined) return;
  if (!found.isSocket()) {
    const kind = found.isSymbolicLink()
      ? 'a symbolic link'
      : found.isDirectory()
        ? 'a folder'
        : found.isFile()
          ? 'a file'
          : 'no socket';
    refuse(`${path}: ${kind} is there, which is left alone: choose another path or remove it`);
  }
  const outcome = await probe(path);
  if (outcome === 'live')
    throw new ConfigError(
      'ERR_ADDRESS_IN_USE',
      `${path}: another process listens there: stop it or choose another path`,
    );
  if (outcome === 'EACCES' || outcome === 'EPERM') {
    throw new ConfigError(
      'ERR_ADDRESS_DENIED',
      `${path}: a socket is there that this user may not connect to: remove it or run as its owner`,
    );
  }
  if (outcome !== 'ECONNREFUSED' && outcome !== 'ENOENT')
    refuse(`${path}: cannot find out whether somebody listens there (${outcome})`);
}

function probe(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on('connect', () => {
      socket.destroy();
      resolve('live');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

function takeLock(folder: string, path: string): void {
  for (let attempt = 0; ; attempt++) {
    try {
      mkdirSync(folder, { mode: 0o700 });
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
        throw new ConfigError(
          'ERR_ADDRESS_DENIED',
          `${path}: no permission to make a socket in ${dirname(path)}: choose another folder or its owner`,
          { cause: error },
        );
      }
      if (code !== 'EEXIST') refuse(`${path}: ${describeError(error)}`, error);
      const found = lstat(folder);
      if (attempt > 0 || (found !== undefined && Date.now() - found.mtimeMs < STALE_LOCK)) {
        throw new ConfigError(
          'ERR_ADDRESS_IN_USE',
          `${path}: another process is starting to listen there (${folder} exists)`,
        );
      }
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

function listening(server: Server, made: string, backlog: number | undefined, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const code = error.code === 'EACCES' ? 'ERR_ADDRESS_DENIED' : 'ERR_SOCKET_PATH';
      reject(new ConfigError(code, `${path}: ${error.message}`, { cause: error }));
    });
    server.listen({ path: made, backlog: backlog ?? 511 }, resolve);
  });
}

/** `link` fails where something is; only a stale socket, which the lock protects, is replaced. */
function moveTo(made: string, path: string): void {
  if (lstat(path) === undefined) {
    linkSync(made, path);
    unlinkSync(made);
  } else renameSync(made, path);
}

/** A user's or group's number. */
function lookUp(database: 'passwd' | 'group', name: string, what: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  let entry: string | undefined;
  try {
    entry = execFileSync('getent', [database, '--', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    entry = readFileSync(`/etc/${database}`, 'utf8')
      .split('\n')
      .find((line) => line.startsWith(`${name}:`));
  }
  const number = entry?.split(':')[2];
  if (number === undefined)
    throw new ConfigError(
      'ERR_SOCKET_OWNER',
      `${what}=${name}: there is no such ${what === 'owner' ? 'user' : 'group'}`,
    );
  return Number(number);
}
