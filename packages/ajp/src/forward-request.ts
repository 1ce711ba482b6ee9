import { encodePath, isToken, LocalProtocolError, targetPath, targetQuery } from '@postern/core';
import { type CgiValues, readValues, unsendable } from './cgi-values.ts';
import {
  Attribute,
  HEADER_CODE,
  HEADER_LENGTH,
  MessageType,
  methods,
  requestHeaders,
  STORED_METHOD,
} from './constants.ts';
import { requestPacket, typeText } from './packets.ts';
import { NULL, stringText, u16Text } from './strings.ts';

export interface ForwardPacket {
  /** The packet, bytes as latin-1. */
  readonly text: string;
  /** Of the body, in bytes; Infinity: chunked, not stated; 0: there is none. */
  readonly bodyLength: number;
}

/** The code of a request header, as it stands on the wire, by its name in lower case. */
const codes = new Map<string, string>(requestHeaders.map((name, i) => [name, u16Text(HEADER_CODE + i + 1)]));

/** Attributes that are a string each, in httpd's order, and the variable of each. */
const stringAttributes = [
  [Attribute.REMOTE_USER, 'REMOTE_USER'],
  [Attribute.AUTH_TYPE, 'AUTH_TYPE'],
  [Attribute.JVM_ROUTE, 'AJP_ROUTE'],
  [Attribute.SSL_CERT, 'SSL_CLIENT_CERT'],
  [Attribute.SSL_CIPHER, 'SSL_CIPHER'],
  [Attribute.SSL_SESSION, 'SSL_SESSION_ID'],
] as const;

/** Request attributes that every container knows, and the variable of each. */
const requestAttributes = [
  ['AJP_SSL_PROTOCOL', 'SSL_PROTOCOL'],
  ['AJP_REMOTE_PORT', 'REMOTE_PORT'],
  ['AJP_LOCAL_ADDR', 'SERVER_ADDR'],
] as const;

const NULL_STRING = u16Text(NULL);

/**
 * FORWARD_REQUEST from flat CGI variables [name, value, …], bytes as latin-1. HTTP_*, CONTENT_TYPE and CONTENT_LENGTH
 * become headers; what a FORWARD_REQUEST has a place for goes there. Other variables are not sent: a container answers
 * 403 to a request attribute that it was not told of. Neither is HTTP_PROXY (httpoxy).
 *
 * @param packetSize in bytes, with the header of the packet
 * @throws LocalProtocolError ERR_ENV_METHOD, ERR_ENV_PROTOCOL, ERR_ENV_TARGET; ERR_ENV_BYTES: it does not fit one packet;
 * ERR_ENV_VALUE, ERR_ENV_LENGTH: see `readValues`
 */
export function writeForwardRequest(
  variables: readonly string[],
  secret: string | undefined,
  packetSize: number,
): ForwardPacket {
  const values = readValues(variables);
  const method = methodOf(values);
  const code = methods.indexOf(method as (typeof methods)[number]) + 1 || STORED_METHOD;
  const { path, query } = targetOf(values, method);
  const { count, text: headers } = headersText(values);
  let text = typeText(MessageType.FORWARD_REQUEST) + typeText(code) + stringText(protocolOf(values)) + stringText(path);
  text += connectionText(values) + u16Text(count) + headers;
  text += attributeText(Attribute.SECRET, secret);
  for (const [attribute, name] of stringAttributes) text += attributeText(attribute, values.get(name));
  text += attributeText(Attribute.QUERY_STRING, query) + keySizeText(values);
  if (code === STORED_METHOD) text += attributeText(Attribute.STORED_METHOD, method);
  for (const [attribute, name] of requestAttributes) {
    const value = values.get(name);
    if (value !== undefined) text += attributeText(Attribute.REQ_ATTRIBUTE, attribute) + stringText(value);
  }
  text += typeText(Attribute.END);
  const size = HEADER_LENGTH + text.length;
  if (size > packetSize)
    throw new LocalProtocolError('ERR_ENV_BYTES', `the request takes ${size} bytes, packetSize is ${packetSize}`);
  const bodyLength = values.chunked ? Number.POSITIVE_INFINITY : Math.max(0, values.contentLength);
  return { text: requestPacket(text), bodyLength };
}

function methodOf(values: CgiValues): string {
  const method = values.get('REQUEST_METHOD') ?? '';
  if (method.length <= 32 && isToken(method)) return method;
  throw new LocalProtocolError('ERR_ENV_METHOD', `REQUEST_METHOD ${JSON.stringify(method.slice(0, 40))} is no token`);
}

function protocolOf(values: CgiValues): string {
  const protocol = values.get('SERVER_PROTOCOL') ?? 'HTTP/1.1';
  if (/^HTTP\/[0-9](?:\.[0-9])?$/.test(protocol)) return protocol;
  throw new LocalProtocolError('ERR_ENV_PROTOCOL', `SERVER_PROTOCOL ${JSON.stringify(protocol.slice(0, 40))}`);
}

/** REQUEST_URI, or what its decoded parts give (RFC 3875 §3.3). */
function targetOf(values: CgiValues, method: string): { path: string; query: string } {
  const uri = values.get('REQUEST_URI');
  const path =
    uri === undefined
      ? encodePath((values.get('SCRIPT_NAME') ?? '') + (values.get('PATH_INFO') ?? ''))
      : targetPath(uri);
  const query = uri === undefined ? (values.get('QUERY_STRING') ?? '') : targetQuery(uri);
  const rooted = path === '' || path.startsWith('/') || (path === '*' && method === 'OPTIONS');
  if (!rooted || /[\x00-\x20#\x7f]/.test(path + query))
    throw new LocalProtocolError('ERR_ENV_TARGET', `request target ${JSON.stringify((uri ?? path).slice(0, 80))}`);
  return { path: path || '/', query };
}

/** What the web server knows of the connection: remote_addr, remote_host, server_name, server_port, is_ssl. */
function connectionText(values: CgiValues): string {
  const https = /^(?:on|1|https)$/i.test(values.get('HTTPS') ?? '') || values.get('REQUEST_SCHEME') === 'https';
  const port = values.get('SERVER_PORT') ?? (https ? '443' : '80');
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) > 65_535) unsendable('SERVER_PORT', 'this is no port');
  return (
    nullableText(values.get('REMOTE_ADDR')) +
    nullableText(values.get('REMOTE_HOST')) +
    nullableText(values.get('SERVER_NAME')) +
    u16Text(Number(port)) +
    (https ? '\x01' : '\0')
  );
}

function headersText({ fields, contentLength, chunked }: CgiValues): { count: number; text: string } {
  let count = fields.length / 2;
  let text = '';
  for (let i = 0; i < fields.length; i += 2) text += fieldText(fields[i], fields[i + 1]);
  if (contentLength >= 0) text += fieldText('content-length', String(contentLength));
  else if (chunked) text += fieldText('transfer-encoding', 'chunked');
  if (contentLength >= 0 || chunked) count++;
  return { count, text };
}

function fieldText(name: string, value: string): string {
  return (codes.get(name) ?? stringText(name)) + stringText(value);
}

/** '' where there is no value. */
function attributeText(code: number, value: string | undefined): string {
  return value ? typeText(code) + stringText(value) : '';
}

/** The one attribute that is an integer. */
function keySizeText(values: CgiValues): string {
  const size = values.get('SSL_CIPHER_USEKEYSIZE');
  if (size === undefined) return '';
  if (!/^[0-9]{1,5}$/.test(size) || Number(size) >= NULL) unsendable('SSL_CIPHER_USEKEYSIZE', 'this is no key size');
  return typeText(Attribute.SSL_KEY_SIZE) + u16Text(Number(size));
}

function nullableText(value: string | undefined): string {
  return value === undefined ? NULL_STRING : stringText(value);
}
