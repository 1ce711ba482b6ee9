import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { ConfigError, type PeerOptions, printable } from '@postern/core';
import type { ListenTarget } from '@postern/server';
import { parseAddress } from './address.ts';
import { isListened, type ListenedName } from './protocols.ts';

/** What `net.Server.listen` takes as an object. */
export interface ListenOptions {
  port?: number | string | undefined;
  /** Without it 127.0.0.1. */
  host?: string | undefined;
  /** A unix socket, instead of a port. */
  path?: string | undefined;
  /** An inherited listening descriptor, instead of a port. */
  fd?: number | undefined;
  backlog?: number | undefined;
  readableAll?: boolean | undefined;
  writableAll?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** A call of `listen`, understood. */
export interface ListenCall {
  readonly target: ListenTarget;
  /** Where the address names it. */
  readonly protocol?: ListenedName;
  readonly peer?: PeerOptions;
  readonly signal?: AbortSignal;
  readonly callback?: () => void;
}

/**
 * Reads the overloads of `net.Server.listen`, and an address.
 * @throws RangeError ERR_SOCKET_BAD_PORT; TypeError ERR_INVALID_ARG_VALUE; ConfigError: see `parseAddress`
 */
export function readListenArguments(values: readonly unknown[]): ListenCall {
  const given = [...values];
  const last = given.findLastIndex((value) => value !== undefined);
  const callback = typeof given[last] === 'function' ? (given[last] as () => void) : undefined;
  if (callback !== undefined) given.length = last;
  const first = given[0];
  if (typeof first === 'object' && first !== null) {
    const options = first as ListenOptions;
    return { target: targetOf(options), signal: options.signal, callback };
  }
  if (typeof first === 'string' && !isNumeric(first)) {
    if (isAddress(first)) return { ...parseListened(first), callback };
    return { target: targetOf({ path: first, backlog: backlogOf(given.slice(1)) }), callback };
  }
  const host = typeof given[1] === 'string' && !isNumeric(given[1]) ? given[1] : undefined;
  const port = first as number | string | undefined;
  return { target: targetOf({ port: port ?? 0, host, backlog: backlogOf(given.slice(1)) }), callback };
}

/** @throws ConfigError */
function parseListened(text: string): { protocol: ListenedName; target: ListenTarget; peer: PeerOptions } {
  const { protocol, target, peer } = parseAddress(text, 'listen');
  if (isListened(protocol)) return { protocol, target, peer };
  throw new ConfigError(
    'ERR_OPTION',
    `protocol ${protocol} in address "${printable(text)}": this server does not serve it, that of node:${protocol} does`,
  );
}

function isNumeric(text: string): boolean {
  return text.trim() !== '' && !Number.isNaN(Number(text));
}

function isAddress(text: string): boolean {
  return /^(?:fastcgi|scgi|ajp|uwsgi|https?|auto)(?:\+[a-z]*)?:/i.test(text);
}

function backlogOf(values: readonly unknown[]): number | undefined {
  const backlog = values.find((value) => typeof value === 'number' || (typeof value === 'string' && isNumeric(value)));
  return backlog === undefined ? undefined : Number(backlog) || undefined;
}

function targetOf({ port, host, path, fd, backlog, readableAll, writableAll }: ListenOptions): ListenTarget {
  if (typeof fd === 'number' && fd >= 0) return { transport: 'fd', fd };
  if (port === undefined && typeof path === 'string' && path !== '') {
    const mode = 0o660 | (readableAll ? 0o444 : 0) | (writableAll ? 0o222 : 0);
    return { transport: 'unix', path: resolve(path), mode, backlog };
  }
  if (port === undefined && path === undefined)
    throw withCode(new TypeError('listen() needs a port, a path, a descriptor or an address'), 'ERR_INVALID_ARG_VALUE');
  return { transport: 'tcp', host: host || '127.0.0.1', port: portOf(port), backlog };
}

function portOf(port: unknown): number {
  const number = typeof port === 'string' && isNumeric(port) ? Number(port) : port;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= 65_535) return number;
  throw withCode(
    new RangeError(`a port is a whole number from 0 to 65535, not ${String(port)}`),
    'ERR_SOCKET_BAD_PORT',
  );
}

/** The address of a host name, as `net.Server` looks it up. */
export async function lookUpHost(target: ListenTarget): Promise<ListenTarget> {
  if (target.transport !== 'tcp' || isIP(target.host) !== 0) return target;
  return { ...target, host: (await lookup(target.host)).address };
}

const systemCodes: Record<string, 'EADDRINUSE' | 'EACCES' | 'EADDRNOTAVAIL'> = {
  ERR_ADDRESS_IN_USE: 'EADDRINUSE',
  ERR_ADDRESS_DENIED: 'EACCES',
  ERR_ADDRESS_UNAVAILABLE: 'EADDRNOTAVAIL',
};

/** A failure as `net.Server` has it: its code is the system's; ours is its cause. */
export function listenError(error: unknown, target: ListenTarget): unknown {
  const code = error instanceof ConfigError ? systemCodes[error.code] : undefined;
  if (code === undefined) return error;
  const where = target.transport === 'tcp' ? { address: target.host, port: target.port } : {};
  return Object.assign(
    withCode(new Error(`listen ${code}: ${(error as ConfigError).message}`, { cause: error }), code),
    { errno: -constants.errno[code], syscall: 'listen', ...where },
    target.transport === 'unix' ? { address: target.path } : {},
  );
}

export function withCode<E extends Error>(error: E, code: string): E & { code: string } {
  return Object.assign(error, { code });
}
