import { isIP } from 'node:net';
import { ConfigError, type PeerOptions, printable } from '@postern/core';

export type AddressUse = 'listen' | 'connect';
type Transport = 'tcp' | 'unix' | 'fd';

/** What the query of an address may say when it is listened on. */
const listenKeys: Record<Transport, readonly string[]> = {
  tcp: ['allow', 'peer', 'half-close'],
  unix: ['mode', 'owner', 'group', 'backlog', 'peer', 'half-close'],
  fd: ['peer', 'half-close'],
};

/** Of the grammar, but without effect in this version. */
const keysToCome = ['trust-remote-user', 'attributes', 'packet-size', 'secret-file', 'strict', 'cert', 'key'];

/** The web servers that an address can name. */
const peerNames = ['nginx', 'apache', 'lighttpd', 'caddy', 'haproxy', 'none'];

export interface AddressKeys {
  readonly options: {
    readonly allow?: readonly string[];
    readonly mode?: number;
    readonly owner?: string;
    readonly group?: string;
    readonly backlog?: number;
  };
  readonly peer: PeerOptions;
}

/**
 * The query of an address.
 * @throws ConfigError ERR_ADDRESS_KEY: a key that is unknown, has no meaning there or comes twice; ERR_ADDRESS: a value;
 *   ERR_NOT_BUILT
 */
export function readKeys(query: string, transport: Transport, use: AddressUse, text: string): AddressKeys {
  const allowed = use === 'listen' ? listenKeys[transport] : [];
  const given = new Map<string, string>();
  for (const [key, value] of new URLSearchParams(query)) {
    const where = `query key "${printable(key)}" in address "${printable(text)}"`;
    if (keysToCome.includes(key))
      throw new ConfigError('ERR_NOT_BUILT', `${where}: this version does not have it yet: leave it out`);
    if (!allowed.includes(key)) {
      const known = Object.values(listenKeys).some((keys) => keys.includes(key));
      const place = use === 'connect' ? 'to connect to' : `over ${transport}`;
      throw new ConfigError(
        'ERR_ADDRESS_KEY',
        `${where}: ${known ? `it has no meaning ${place}` : 'there is no such key'}: allowed here: ${allowed.join(', ') || 'none'}`,
      );
    }
    if (given.has(key)) throw new ConfigError('ERR_ADDRESS_KEY', `${where}: it comes twice: give it once`);
    given.set(key, value);
  }
  const read = <T>(key: string, parse: (value: string) => T | undefined, hint: string): T | undefined => {
    const value = given.get(key);
    if (value === undefined) return undefined;
    const parsed = parse(value);
    if (parsed === undefined)
      throw new ConfigError('ERR_ADDRESS', `${key}="${printable(value)}" in address "${printable(text)}": ${hint}`);
    return parsed;
  };
  return {
    options: defined({
      allow: read('allow', parseNetworks, 'write a network such as 192.0.2.0/24 or 2001:db8::/32, several with commas'),
      mode: read('mode', parseMode, 'write three octal digits, such as 0660'),
      owner: read('owner', parseName, 'write a user name or number'),
      group: read('group', parseName, 'write a group name or number'),
      backlog: read('backlog', parseBacklog, 'write a whole number from 1 to 65535'),
    }),
    peer: defined({
      peer: read('peer', parsePeer, `write one of ${peerNames.join(', ')}`),
      halfCloseServes: read('half-close', (value) => value === 'serve' || undefined, 'write half-close=serve'),
    }),
  };
}

/** The web server in front, where it is named. @throws ConfigError ERR_OPTION */
export function checkPeer(peer: string | undefined): void {
  if (peer !== undefined && parsePeer(peer) === undefined)
    throw new ConfigError(
      'ERR_OPTION',
      `option peer: "${printable(String(peer))}" is not known: write one of ${peerNames.join(', ')}`,
    );
}

function defined<T extends object>(given: T): T {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as T;
}

function parseNetworks(value: string): string[] | undefined {
  const networks = value.split(',');
  return networks.every(isNetwork) ? networks : undefined;
}

function isNetwork(network: string): boolean {
  const [address, prefix, more] = network.split('/');
  const family = isIP(address);
  if (family === 0 || address.includes('%') || more !== undefined) return false;
  return prefix === undefined || (/^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}

function parseMode(value: string): number | undefined {
  return /^0?[0-7]{3}$/.test(value) ? Number.parseInt(value, 8) : undefined;
}

function parseName(value: string): string | undefined {
  return /^(?:[0-9]{1,10}|[a-z_][a-z0-9_.-]{0,63}\$?)$/i.test(value) ? value : undefined;
}

function parseBacklog(value: string): number | undefined {
  const backlog = Number(value);
  return /^[0-9]{1,5}$/.test(value) && backlog >= 1 && backlog <= 65_535 ? backlog : undefined;
}

function parsePeer(value: string): string | undefined {
  return peerNames.includes(value) ? value : undefined;
}
