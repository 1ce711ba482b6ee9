import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import {
  checkItem,
  decodePath,
  HttpHead,
  type Limits,
  normalisePath,
  RemoteProtocolError,
  targetPath,
} from '@postern/core';
import { AUTHORITY, targetAuthority } from './http-message.ts';
import { software } from './software.ts';

/** Fields of one connection, not of the request (RFC 9110 §7.6.1). */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The variables of a connection: they are the same for each of its requests. */
export interface ConnectionVariables {
  readonly scheme: 'http' | 'https';
  /** Where the connection came in; undefined: a unix socket. */
  readonly address: string | undefined;
  readonly port: number | undefined;
  /** Flat CGI [name, value, …]. */
  readonly flat: readonly string[];
}

export function connectionVariables(socket: Socket): ConnectionVariables {
  const address = plainAddress(socket.localAddress);
  const client = plainAddress(socket.remoteAddress);
  const flat = ['SERVER_SOFTWARE', software];
  if (client !== undefined) flat.push('REMOTE_ADDR', client, 'REMOTE_PORT', String(socket.remotePort));
  if (address !== undefined) flat.push('SERVER_ADDR', address);
  const secure = isSecure(socket);
  if (secure) addTls(flat, socket);
  return { scheme: secure ? 'https' : 'http', address, port: socket.localPort, flat };
}

function isSecure(socket: Socket): socket is TLSSocket {
  return (socket as { encrypted?: boolean }).encrypted === true;
}

/** What is known of the encryption, by mod_ssl's names. */
function addTls(flat: string[], socket: TLSSocket): void {
  const { name } = socket.getCipher();
  flat.push('SSL_PROTOCOL', socket.getProtocol() ?? '', 'SSL_CIPHER', name);
  const sni = (socket as { servername?: unknown }).servername;
  if (typeof sni === 'string' && sni !== '') flat.push('SSL_TLS_SNI', sni);
}

/** An IPv4 peer of a dual-stack socket has its IPv4 address. */
function plainAddress(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}

/**
 * The head of a request of node:http, and whether that is all of it. node:http has checked its syntax and its framing.
 * @throws RemoteProtocolError ERR_ENV_ITEM (431), ERR_ENV_REPEATED (400): Host came twice
 */
export function httpHead(
  req: IncomingMessage,
  connection: ConnectionVariables,
  limits: Limits,
): { head: HttpHead; ended: boolean } {
  const { method = 'GET', url: target = '/', rawHeaders, httpVersion } = req;
  const { headers, host, contentLength, chunked } = readFields(rawHeaders, limits, targetAuthority(target));
  const { scheme, address, port, flat } = connection;
  const named = AUTHORITY.exec(host ?? '');
  const path = targetPath(target);
  const variables = [
    ...flat,
    'SERVER_NAME',
    named?.[1] ?? address ?? 'localhost',
    'SERVER_PORT',
    String(port ?? named?.[2] ?? (scheme === 'https' ? 443 : 80)),
    'SCRIPT_NAME',
    '',
    'PATH_INFO',
    path.startsWith('/') ? normalisePath(decodePath(path)) : '',
  ];
  const line = { method, target, protocol: `HTTP/${httpVersion}`, scheme, contentLength };
  return { head: new HttpHead(line, headers, variables), ended: contentLength <= 0 && !chunked };
}

interface Fields {
  readonly headers: string[];
  readonly host: string | undefined;
  /** -1: not stated. */
  readonly contentLength: number;
  readonly chunked: boolean;
}

/**
 * Flat [name, value, …], names in lower case, without what is of this connection alone.
 * @param authority of the target, which stands for Host
 */
function readFields(raw: readonly string[], limits: Limits, authority: string | undefined): Fields {
  const headers: string[] = [];
  let host: string | undefined;
  let contentLength = -1;
  let chunked = false;
  let named: Set<string> | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    const value = raw[i + 1];
    checkItem(raw[i].length, value.length, limits);
    const name = raw[i].toLowerCase();
    if (name === 'connection') named = addNames(named, value);
    chunked ||= name === 'transfer-encoding';
    // Proxy: httpoxy; over the other protocols no application sees it either
    if (hopByHop.has(name) || name === 'proxy') continue;
    if (name === 'content-length') contentLength = Number(value);
    else if (name === 'host') {
      if (host !== undefined)
        throw new RemoteProtocolError('ERR_ENV_REPEATED', 'header host came twice', { scope: 'request' });
      host = value;
      if (authority !== undefined) continue;
    }
    headers.push(name, value);
  }
  if (authority !== undefined) {
    host = authority;
    headers.push('host', authority);
  }
  return { headers: named === undefined ? headers : without(headers, named), host, contentLength, chunked };
}

/** Connection names further fields of its kind. */
function addNames(names: Set<string> | undefined, value: string): Set<string> | undefined {
  for (const name of value.toLowerCase().split(/[\s,]+/)) {
    if (name === '' || name === 'close' || hopByHop.has(name)) continue;
    names ??= new Set();
    names.add(name);
  }
  return names;
}

/** What frames and names the request is never a field of the connection, whatever Connection says. */
function without(headers: readonly string[], names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i];
    if (!names.has(name) || name === 'content-length' || name === 'host') kept.push(name, headers[i + 1]);
  }
  return kept;
}
