import { isIPv4, isIPv6 } from 'node:net';
import { type BackEndOptions, ConfigError, decodePath, type PeerOptions, printable } from '@postern/core';
import { type BoundAddress, isLoopback, type ListenTarget } from '@postern/server';
import { type AddressKeys, type AddressUse, readKeys } from './address-keys.ts';
import { environmentSecret } from './ajp-secret.ts';
import { nearest } from './suggest.ts';
import { webServerAddresses } from './web-server-addresses.ts';

/** The protocols between a web server and an application. */
export const gatewayNames = ['fastcgi', 'scgi', 'ajp', 'uwsgi'] as const;
export type GatewayName = (typeof gatewayNames)[number];
export const protocolNames = [...gatewayNames, 'http', 'https', 'auto'] as const;
export type ProtocolName = (typeof protocolNames)[number];
const choices = {
  listen: 'fastcgi, scgi, ajp, uwsgi, http, https or auto',
  connect: 'fastcgi, scgi, ajp, uwsgi, http or https',
};
/** What people call the protocols elsewhere. */
const otherNames: Readonly<Record<string, ProtocolName>> = { fcgi: 'fastcgi', ajp13: 'ajp' };
/** `sun_path` has 108 bytes, one of them NUL. */
const MAX_SOCKET_PATH = 107;

/** A parsed address. */
export interface Address {
  readonly protocol: ProtocolName;
  readonly target: ListenTarget;
  /** Of the web server that connects. */
  readonly peer: PeerOptions;
  /** Of the application that is connected to. */
  readonly backEnd: BackEndOptions;
  /** Paths of PEM files, where https is listened to. */
  readonly tls: AddressKeys['tls'];
  /** In its canonical form, without the query. */
  readonly text: string;
}

/** The parts of an address before they are looked at. */
interface Parts {
  readonly text: string;
  readonly protocol: ProtocolName;
  readonly rest: string;
}

function refuse(part: string, text: string, todo: string): never {
  throw new ConfigError('ERR_ADDRESS', `${part} in address "${printable(text)}": ${todo}`);
}

/**
 * An address `PROTOCOL[+TRANSPORT]:…`, always a valid WHATWG URL: `fastcgi://127.0.0.1:9000`,
 * `fastcgi+unix:/run/app.sock?mode=0660`, `fastcgi+fd:0`, `fastcgi+systemd:app`. A secret-file is read, and AJP_SECRET in the environment is
 * AJP's secret where none is named; FCGI_WEB_SERVER_ADDRS says who may connect to a descriptor with FastCGI.
 * @throws ConfigError ERR_ADDRESS (the part at fault, and what is allowed there), ERR_ADDRESS_KEY, ERR_ADDRESS_OPEN,
 *   ERR_SOCKET_PATH, ERR_SECRET
 */
export function parseAddress(text: string, use: AddressUse): Address {
  if (/[\0-\x1f\x7f]|^\s|\s$/.test(text)) refuse('a control character or outer blank', text, 'leave it out');
  const match = /^([a-z][a-z0-9.-]*)(?:\+([a-z0-9.-]*))?:([^?#]*)(\?[^#]*)?(#.*)?$/i.exec(text);
  if (match === null) {
    throw new ConfigError(
      'ERR_ADDRESS',
      `"${printable(text)}" is no address: write fastcgi://127.0.0.1:9000 or fastcgi+unix:/run/app.sock`,
    );
  }
  const protocol = parseProtocol(match[1].toLowerCase(), text, use);
  const transport = parseTransport(match[2]?.toLowerCase(), text);
  if (match[5] !== undefined) refuse(`fragment "${printable(match[5])}"`, text, 'leave it out, or write # as %23');
  const parts = { text, protocol, rest: match[3] };
  const { options, tls, ...keys } = readKeys(match[4] ?? '', { protocol, transport, use }, text);
  let target: ListenTarget;
  if (transport === 'tcp') target = { ...parseTcp(parts, use), ...options };
  else if (transport === 'unix') target = { transport, path: parseSocketPath(parts), ...options };
  else if (transport === 'fd') target = { transport, fd: parseDescriptor(parts, use), ...allowed(protocol) };
  else target = { transport, name: parseSocketName(parts, use) };
  const secret = hasSecret(protocol) ? environmentSecret() : undefined;
  const [peer, backEnd] = secret === undefined ? [keys.peer, keys.backEnd] : addSecret(secret, keys, use);
  if (use === 'listen') refuseOpenAjp(protocol, target, peer.secret);
  return { protocol, target, peer, backEnd, tls, text: formatAddress(protocol, target) };
}

function allowed(protocol: ProtocolName): { allow?: string[] } {
  const allow = protocol === 'fastcgi' ? webServerAddresses() : undefined;
  return allow === undefined ? {} : { allow };
}

function addSecret(
  secret: string,
  { peer, backEnd }: Pick<AddressKeys, 'peer' | 'backEnd'>,
  use: AddressUse,
): [PeerOptions, BackEndOptions] {
  return use === 'listen' ? [{ secret, ...peer }, backEnd] : [peer, { secret, ...backEnd }];
}

/** Whether AJP is spoken there, perhaps beside others. */
export function hasSecret(protocol: string): boolean {
  return protocol === 'ajp' || protocol === 'auto';
}

function parseProtocol(name: string, text: string, use: AddressUse): ProtocolName {
  if (name === 'auto' && use === 'connect')
    refuse('protocol "auto"', text, `it can only be listened on: write what is spoken there: ${choices.connect}`);
  if (!(protocolNames as readonly string[]).includes(name)) {
    const meant = Object.hasOwn(otherNames, name) ? otherNames[name] : nearest(name, protocolNames);
    refuse(`protocol "${name}"`, text, `write ${meant ?? choices[use]}`);
  }
  return name as ProtocolName;
}

function parseTransport(name: string | undefined, text: string): ListenTarget['transport'] {
  switch (name) {
    case undefined:
      return 'tcp';
    case 'unix':
    case 'fd':
    case 'systemd':
      return name;
    default:
      return refuse(`transport "+${name}"`, text, 'write +unix, +fd, +systemd, or nothing for TCP');
  }
}

function parseTcp({ text, protocol, rest }: Parts, use: AddressUse): ListenTarget & { transport: 'tcp' } {
  if (!rest.startsWith('//')) {
    refuse(`"${printable(rest)}"`, text, `write ${protocol}://HOST:PORT, or ${protocol}+unix:/PATH for a unix socket`);
  }
  const [authority, path] = cut(rest.slice(2), '/');
  if (path !== undefined && path !== '') refuse(`path "/${printable(path)}"`, text, 'a TCP address ends with its port');
  if (authority.includes('@')) refuse('user name', text, 'a TCP address is HOST:PORT');
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::([^:]*))?$/.exec(authority);
  if (match === null) refuse(`host "${printable(authority)}"`, text, 'write an IPv6 address in brackets: [::1]:9000');
  return { transport: 'tcp', host: parseHost(match[1], text), port: parsePort(match[2], text, use) };
}

function parseHost(host: string, text: string): string {
  if (host === '') refuse('the missing host', text, 'write HOST:PORT, such as 127.0.0.1:9000');
  if (host.startsWith('[')) {
    const bare = host.slice(1, -1);
    if (!isIPv6(bare) || bare.includes('%')) refuse(`host "${printable(host)}"`, text, 'write an IPv6 address: [::1]');
    return new URL(`tcp://${host}`).hostname.slice(1, -1);
  }
  if (/^[0-9.]+$/.test(host) ? !isIPv4(host) : !/^[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_.])?$/i.test(host))
    refuse(`host "${printable(host)}"`, text, 'write a host name, an IPv4 address, or an IPv6 address in brackets');
  return host.toLowerCase();
}

function parsePort(port: string | undefined, text: string, use: AddressUse): number {
  const least = use === 'listen' ? 0 : 1;
  if (port === undefined || port === '')
    refuse('the missing port', text, `write HOST:PORT with a port from ${least} to 65535`);
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) > 65_535 || Number(port) < least)
    refuse(`port "${printable(port)}"`, text, `write a whole number from ${least} to 65535`);
  return Number(port);
}

function parseSocketPath({ text, protocol, rest }: Parts): string {
  const example = `${protocol}+unix:/run/app.sock`;
  if (/^\/\/[^/]/.test(rest)) refuse(`host "${printable(cut(rest.slice(2), '/')[0])}"`, text, `write ${example}`);
  if (!rest.startsWith('/'))
    refuse(`path "${printable(rest)}"`, text, `write the whole path from the root, such as ${example}`);
  const { pathname } = new URL(`unix:${rest}`);
  let path: string;
  try {
    path = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(decodePath(pathname), 'latin1'));
  } catch {
    refuse(`path "${printable(rest)}"`, text, 'its escapes are no UTF-8');
  }
  if (path.includes('\0')) refuse('NUL (%00) in the path', text, 'leave it out');
  if (path.endsWith('/')) refuse(`path "${printable(path)}"`, text, 'name the socket in the folder');
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_SOCKET_PATH) {
    throw new ConfigError(
      'ERR_SOCKET_PATH',
      `path of ${bytes} bytes in address "${printable(text)}": a unix socket takes at most ${MAX_SOCKET_PATH}, choose a shorter one`,
    );
  }
  return path;
}

function parseDescriptor({ text, protocol, rest }: Parts, use: AddressUse): number {
  if (use === 'connect') refuse('transport "+fd"', text, 'a descriptor can only be listened on');
  if (!/^[0-9]{1,9}$/.test(rest))
    refuse(`descriptor "${printable(rest)}"`, text, `write its number, such as ${protocol}+fd:0`);
  return Number(rest);
}

/** The name of a socket that systemd passes: FileDescriptorName=. */
function parseSocketName({ text, protocol, rest }: Parts, use: AddressUse): string {
  if (use === 'connect') refuse('transport "+systemd"', text, 'a socket of systemd can only be listened on');
  const name = decodePath(rest);
  if (!/^[!-9;-~]{0,255}$/.test(name) || name.includes('/'))
    refuse(
      `socket name "${printable(rest)}"`,
      text,
      `write FileDescriptorName= of its unit, such as ${protocol}+systemd:app`,
    );
  return name;
}

function cut(text: string, at: string): [string, string | undefined] {
  const i = text.indexOf(at);
  return i < 0 ? [text, undefined] : [text.slice(0, i), text.slice(i + 1)];
}

/**
 * Whoever reaches an AJP port says who is logged in, so off loopback it takes a secret. One with `auto` is an AJP port
 * too.
 * @throws ConfigError ERR_ADDRESS_OPEN
 */
export function refuseOpenAjp(protocol: ProtocolName, target: ListenTarget, secret: string | undefined): void {
  if (!hasSecret(protocol) || secret !== undefined || target.transport !== 'tcp' || isLoopback(target.host)) return;
  throw new ConfigError(
    'ERR_ADDRESS_OPEN',
    `AJP${protocol === 'auto' ? ' (of auto)' : ''} off loopback without a secret, ${formatAddress(protocol, target)}: whoever connects says who is logged in: add ?secret-file=FILE or set AJP_SECRET, or listen on 127.0.0.1, [::1] or a unix socket`,
  );
}

/** The address of what was bound, as `parseAddress` reads it. */
export function formatAddress(protocol: string, bound: BoundAddress): string {
  switch (bound.transport) {
    case 'tcp':
      return `${protocol}://${bound.host.includes(':') ? `[${bound.host}]` : bound.host}:${bound.port}`;
    case 'unix':
      return `${protocol}+unix:${new URL(`unix:${bound.path.replace(/[%?#\\]/g, encodeURIComponent)}`).pathname}`;
    case 'systemd':
      return `${protocol}+systemd:${encodeURIComponent(bound.name)}`;
    default:
      return `${protocol}+fd:${bound.fd}`;
  }
}
