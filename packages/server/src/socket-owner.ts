import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, readFileSync } from 'node:fs';
import { ConfigError } from '@postern/core';

const DEFAULT_MODE = 0o660;

/** Who may connect to a unix socket. */
export interface SocketOwner {
  readonly mode: number;
  /** -1: left as it is. */
  readonly uid: number;
  readonly gid: number;
}

/** @throws ConfigError ERR_SOCKET_OWNER: there is no such user or group */
export function findOwner(target: { mode?: number; owner?: string; group?: string }): SocketOwner {
  return {
    mode: target.mode ?? DEFAULT_MODE,
    uid: target.owner === undefined ? -1 : lookUp('passwd', target.owner),
    gid: target.group === undefined ? -1 : lookUp('group', target.group),
  };
}

/** @throws ConfigError ERR_SOCKET_OWNER */
export function setOwner(file: string, { mode, uid, gid }: SocketOwner, path: string): void {
  try {
    chmodSync(file, mode);
    if (uid >= 0 || gid >= 0) chownSync(file, uid, gid);
  } catch (error) {
    throw new ConfigError(
      'ERR_SOCKET_OWNER',
      `${path}: owner, group or mode cannot be set (${(error as NodeJS.ErrnoException).code}): run as a user that may, or leave them out`,
      { cause: error },
    );
  }
}

/** A user's or group's number; a number stands for itself. */
function lookUp(database: 'passwd' | 'group', name: string): number {
  if (/^\d{1,10}$/.test(name)) return Number(name);
  const number = entries(database, name)
    .split('\n')
    .map((line) => line.split(':'))
    .find(([entry]) => entry === name)?.[2];
  if (number === undefined || !/^\d+$/.test(number)) {
    const [key, kind] = database === 'passwd' ? ['owner', 'user'] : ['group', 'group'];
    throw new ConfigError('ERR_SOCKET_OWNER', `${key}=${name}: there is no such ${kind}: name one that exists`);
  }
  return Number(number);
}

/** `getent` also knows the users of directories; where it is missing the file has to do. */
function entries(database: 'passwd' | 'group', name: string): string {
  try {
    return execFileSync('getent', [database, '--', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    try {
      return readFileSync(`/etc/${database}`, 'utf8');
    } catch {
      return '';
    }
  }
}
