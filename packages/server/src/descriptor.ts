import { fstatSync, readFileSync, type Stats } from 'node:fs';
import { ConfigError } from '@postern/core';

/** A descriptor that the process was started with. */
export interface Descriptor {
  readonly fd: number;
  /** How messages call it, and what to do where it is no listening socket. */
  readonly where: string;
  readonly todo: string;
}

/** A descriptor that an address names by its number. */
export function numberedDescriptor(fd: number): Descriptor {
  return {
    fd,
    where: `fd ${fd}`,
    todo: 'start it by what opens the socket (spawn-fcgi, mod_fcgid, lighttpd bin-path)',
  };
}

/**
 * @returns the inode of the socket
 * @throws ConfigError ERR_FD: it is not open, or no socket
 */
export function checkDescriptor(descriptor: Descriptor): number {
  let stats: Stats;
  try {
    stats = fstatSync(descriptor.fd);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw refusal(descriptor, code === 'EBADF' ? 'it is not open' : (code ?? 'it cannot be one'), error);
  }
  if (!stats.isSocket()) throw refusal(descriptor, kindOf(stats));
  return stats.ino;
}

/** Why a socket cannot be listened on. Node.js says EINVAL of all that it cannot, and may have closed it by now. */
export function descriptorError(descriptor: Descriptor, inode: number, error: NodeJS.ErrnoException): ConfigError {
  const { code = error.message } = error;
  return refusal(descriptor, code === 'EINVAL' ? kindOfSocket(inode) : code, error);
}

function refusal({ where, todo }: Descriptor, why: string, cause?: unknown): ConfigError {
  return new ConfigError('ERR_FD', `${where}: not a listening socket (${why}): ${todo}`, { cause });
}

function kindOf(stats: Stats): string {
  if (stats.isFIFO()) return 'a FIFO';
  if (stats.isFile()) return 'a file';
  if (stats.isDirectory()) return 'a folder';
  return stats.isCharacterDevice() ? 'a device' : 'no socket';
}

/** What a socket is that cannot be listened on, by the tables of proc(5). */
function kindOfSocket(inode: number): string {
  const inTable = (table: string, row: RegExp): boolean => row.test(readTable(table));
  if (inTable('udp', new RegExp(` ${inode} `)) || inTable('udp6', new RegExp(` ${inode} `))) return 'a datagram socket';
  // Num RefCount Protocol Flags Type St Inode Path
  const unix = new RegExp(`: \\S+ \\S+ \\S+ (\\S+) \\S+ +${inode}(?:\\s|$)`).exec(readTable('unix'))?.[1];
  if (unix === '0002') return 'a datagram socket';
  return unix === '0005' ? 'a packet socket' : 'it is connected';
}

function readTable(name: string): string {
  try {
    return readFileSync(`/proc/net/${name}`, 'latin1');
  } catch {
    return '';
  }
}
