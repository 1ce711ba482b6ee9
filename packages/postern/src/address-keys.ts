import { isIP } from 'node:net';
import { type BackEndOptions, ConfigError, type PeerOptions, printable } from '@postern/core';
import type { ListenTarget } from '@postern/server';
import type { ProtocolName } from './address.ts';
import { readSecretFile } from './ajp-secret.ts';

export type AddressUse = 'listen' | 'connect';
type Transport = ListenTarget['transport'];

/** Where an address is used, as far as its keys depend on it. */
export interface KeyPlace {
  readonly protocol: ProtocolName;
  readonly transport: Transport;
  readonly use: AddressUse;
}

/** What can be said of each transport that is listened on. */
const ofTransport: Record<Transport, readonly string[]> = {
  tcp: ['allow'],
  unix: ['mode', 'owner', 'group', 'backlog'],
  fd: [],
  systemd: [],
};

const ofGateway = ['peer', 'half-close'];
const ofAjp = ['trust-remote-user', 'attributes', 'packet-size', 'secret-file'];

/** What can be said of each protocol that is listened to. */
const ofProtocol: Record<ProtocolName, readonly string[]> = {
  fastcgi: ofGateway,
  scgi: [...ofGateway, 'strict'],
  ajp: [...ofGateway, ...ofAjp],
  uwsgi: ofGateway,
  http: ofGateway,
  https: [...ofGateway, 'cert', 'key'],
  // each concerns the connections of its protocol
  auto: [...ofGateway, 'strict', ...ofAjp],
};

/** What can be said of a back-end that is connected to. */
const ofBackEnd: Partial<Record<ProtocolName, readonly string[]>> = { ajp: ['packet-size', 'secret-file'] };

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
  readonly backEnd: BackEndOptions;
  /** Paths of PEM files. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
}

/**
 * The query of an address.
 * @throws ConfigError ERR_ADDRESS_KEY: a key that is unknown, has no meaning there, comes twice or is missing;
 *   ERR_ADDRESS: a value; ERR_SECRET: a file that is named
 */
export function readKeys(query: string, place: KeyPlace, text: string): AddressKeys {
  const given = new Map<string, string>();
  // a plus is no space: none of the values has one, and a path may have a plus
  for (const [key, value] of new URLSearchParams(query.replaceAll('+', '%2B'))) {
    checkKey(key, place, text);
    if (given.has(key)) throw new ConfigError('ERR_ADDRESS_KEY', `${named(key, text)}: it comes twice: give it once`);
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
  const flag = (key: string): true | undefined => read(key, parseFlag, `write ${key} without a value`);
  const packetSize = read('packet-size', parsePacketSize, 'write a whole number of bytes from 8192 to 65536');
  const secretFile = read('secret-file', parsePath, 'name a file');
  const secret = secretFile === undefined ? undefined : readSecretFile(secretFile, text);
  return {
    options: defined({
      allow: read('allow', parseNetworks, 'write a network such as 192.0.2.0/24 or 2001:db8::/32, several with commas'),
      mode: read('mode', parseMode, 'write three octal digits, such as 0660'),
      owner: read('owner', parseName, 'write a user name or number'),
      group: read('group', parseName, 'write a group name or number'),
      backlog: read('backlog', parseBacklog, 'write a whole number from 1 to 65535'),
    }),
    peer:
      place.use === 'connect'
        ? {}
        : defined({
            peer: read('peer', parsePeer, `write one of ${peerNames.join(', ')}`),
            halfCloseServes: read('half-close', (value) => value === 'serve' || undefined, 'write half-close=serve'),
            strict: flag('strict'),
            trustRemoteUser: flag('trust-remote-user'),
            attributes: read('attributes', parseAttributes, 'write names with commas between them'),
            packetSize,
            secret,
          }),
    backEnd: place.use === 'connect' ? defined({ packetSize, secret }) : {},
    tls: readTlsPaths(
      read('cert', parsePath, 'name a PEM file'),
      read('key', parsePath, 'name a PEM file'),
      place,
      text,
    ),
  };
}

function named(key: string, text: string): string {
  return `query key "${printable(key)}" in address "${printable(text)}"`;
}

function allowedKeys({ protocol, transport, use }: KeyPlace): readonly string[] {
  return use === 'listen' ? [...ofTransport[transport], ...ofProtocol[protocol]] : (ofBackEnd[protocol] ?? []);
}

/** @throws ConfigError ERR_ADDRESS_KEY */
function checkKey(key: string, place: KeyPlace, text: string): void {
  const allowed = allowedKeys(place);
  if (allowed.includes(key)) return;
  const { protocol, transport, use } = place;
  const ofOtherTransport = Object.values(ofTransport).some((keys) => keys.includes(key));
  const ofOtherProtocol = Object.values(ofProtocol).some((keys) => keys.includes(key));
  const where = use === 'connect' ? 'to connect to' : `over ${ofOtherTransport ? transport : protocol}`;
  const why = ofOtherTransport || ofOtherProtocol ? `it has no meaning ${where}` : 'there is no such key';
  throw new ConfigError(
    'ERR_ADDRESS_KEY',
    `${named(key, text)}: ${why}: allowed here: ${allowed.join(', ') || 'none'}`,
  );
}

/** @throws ConfigError ERR_ADDRESS_KEY: one of them is missing */
function readTlsPaths(
  cert: string | undefined,
  key: string | undefined,
  { protocol, use }: KeyPlace,
  text: string,
): AddressKeys['tls'] {
  if (protocol !== 'https' || use === 'connect') return undefined;
  if (cert !== undefined && key !== undefined) return { cert, key };
  throw new ConfigError(
    'ERR_ADDRESS_KEY',
    `query key "${cert === undefined ? 'cert' : 'key'}" in address "${printable(text)}": it is missing: https needs ?cert=FILE&key=FILE`,
  );
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

function parseFlag(value: string): true | undefined {
  return value === '' || value === '1' || value === 'true' || undefined;
}

function parsePath(value: string): string | undefined {
  return value === '' || value.includes('\0') ? undefined : value;
}

function parsePacketSize(value: string): number | undefined {
  const size = Number(value);
  return /^[0-9]{4,5}$/.test(value) && size >= 8192 && size <= 65_536 ? size : undefined;
}

function parseAttributes(value: string): string[] | undefined {
  const names = value.split(',');
  return names.every((name) => /^[!-<>-~]{1,256}$/.test(name)) ? names : undefined;
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
