import { linkSync, lstatSync, renameSync, type Stats, statSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { basename, dirname, resolve } from 'node:path';
import { ConfigError, describeError } from '@postern/core';
import type { ListenTarget } from './address.ts';
import { SocketLock } from './socket-lock.ts';
import { findOwner, setOwner } from './socket-owner.ts';

type UnixTarget = ListenTarget & { transport: 'unix' };

/** `sun_path` has 108 bytes, on macOS and the BSDs 104, one of them NUL; a longer path would be cut without a word. */
const MAX_PATH = process.platform === 'linux' ? 107 : 103;
const BACKLOG = 511;

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
 * folder beside the path and moved there. A stale socket is replaced atomically, whatever else is there is left alone.
 * @throws ConfigError ERR_SOCKET_PATH, ERR_SOCKET_OWNER, ERR_ADDRESS_IN_USE, ERR_ADDRESS_DENIED
 */
export async function bindUnixSocket(server: Server, target: UnixTarget): Promise<UnixSocketFile> {
  const { path } = target;
  checkPath(path);
  const owner = findOwner(target);
  checkFolder(path);
  await checkPlace(path);
  const lock = takeLock(path);
  try {
    // another start may have been quicker
    await checkPlace(path);
    await listening(server, lock.place, target.backlog ?? BACKLOG);
    setOwner(lock.place, owner, path);
    const { dev, ino } = lstatSync(lock.place);
    if (!lock.held) throw inUse(path);
    move(lock.place, path);
    return { path: resolve(path), dev, ino };
  } catch (error) {
    await new Promise((closed) => server.close(closed));
    throw explain(path, error);
  } finally {
    lock.release();
  }
}

/** Removes the file if it is still the one that was made here. */
export function removeUnixSocket({ path, dev, ino }: UnixSocketFile): void {
  try {
    const found = lstatSync(path);
    if (found.dev === dev && found.ino === ino) unlinkSync(path);
  } catch {
    // gone, or out of reach: nothing of ours can be removed
  }
}

function takeLock(path: string): SocketLock {
  try {
    return new SocketLock(path, MAX_PATH);
  } catch (error) {
    throw explain(path, error);
  }
}

function inUse(path: string): ConfigError {
  return new ConfigError(
    'ERR_ADDRESS_IN_USE',
    `${path}: another process listens there: stop it or choose another path`,
  );
}

function explain(path: string, error: unknown): ConfigError {
  if (error instanceof ConfigError) return error;
  const { code } = error as NodeJS.ErrnoException;
  // something came to the path meanwhile
  if (code === 'EEXIST') return inUse(path);
  const options = { cause: error };
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    const message = `no permission to make a socket in ${dirname(path)}: choose another folder, or run as its owner`;
    return new ConfigError('ERR_ADDRESS_DENIED', `${path}: ${message}`, options);
  }
  return new ConfigError('ERR_SOCKET_PATH', `${path}: no socket can be made there: ${describeError(error)}`, options);
}

function checkPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_PATH) refuse(`${path}: the path has ${bytes} bytes, a unix socket takes at most ${MAX_PATH}`);
  if (path.includes('\0') || path.endsWith('/') || basename(path) === '')
    refuse(`${JSON.stringify(path)}: not the path of a file: name one in a folder that exists`);
}

function checkFolder(path: string): void {
  const folder = dirname(path);
  let stats: Stats;
  try {
    stats = statSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES')
      throw new ConfigError('ERR_ADDRESS_DENIED', `${path}: no permission to enter ${folder}: choose another folder`, {
        cause: error,
      });
    refuse(`${path}: its folder ${folder} does not exist (${code}): make it first`, error);
  }
  if (!stats.isDirectory()) refuse(`${path}: ${folder} is no folder: choose another path`);
  if ((stats.mode & 0o002) !== 0 && (stats.mode & 0o1000) === 0) {
    refuse(
      `${path}: everybody may write to ${folder} and it is not sticky, so anybody could replace the socket: chmod o-w or +t`,
    );
  }
}

/** Nothing is at the path, or a socket on which nobody listens. */
async function checkPlace(path: string): Promise<void> {
  let found: Stats | undefined;
  try {
    found = lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw explain(path, error);
  }
  if (found === undefined) return;
  if (!found.isSocket())
    refuse(`${path}: ${kindOf(found)} is there and is left alone: choose another path or remove it`);
  const outcome = await probe(path);
  switch (outcome) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return;
    case 'connected':
    // its queue is full
    case 'EAGAIN':
    // a datagram socket
    case 'EPROTOTYPE':
      throw inUse(path);
    case 'EACCES':
    case 'EPERM':
      throw new ConfigError(
        'ERR_ADDRESS_DENIED',
        `${path}: a socket is there that this user may not connect to: remove it or run as its owner`,
      );
    default:
      refuse(`${path}: cannot find out whether somebody listens there (${outcome}): remove it if nobody does`);
  }
}

function kindOf(found: Stats): string {
  if (found.isSymbolicLink()) return 'a symbolic link';
  if (found.isDirectory()) return 'a folder';
  return found.isFile() ? 'a file' : 'something that is no socket';
}

/** Whether somebody listens. */
function probe(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on('connect', () => {
      socket.destroy();
      resolve('connected');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

function listening(server: Server, place: string, backlog: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path: place, backlog, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** `link` fails where something is; only a stale socket, which the lock protects, is replaced. */
function move(made: string, path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) {
    linkSync(made, path);
    unlinkSync(made);
  } else renameSync(made, path);
}
