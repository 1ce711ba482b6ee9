import {
  checkContentLength,
  checkMethod,
  checkProtocol,
  encodePath,
  HttpHead,
  type LimitName,
  type Limits,
  printable,
  RemoteProtocolError,
  splitCookies,
} from '@postern/core';
import { type AttributeRules, type Attributes, readAttributes, setVariable } from './attributes.ts';
import { HEADER_CODE, MAX_HEADERS, methods, STORED_METHOD } from './constants.ts';
import { coded, type Field, fieldOf } from './fields.ts';
import type { Peer } from './peer.ts';
import { NULL, PayloadReader } from './strings.ts';

export interface ForwardRequest {
  readonly head: HttpHead;
  /** The body has no stated length: it is asked for until its end comes. */
  readonly chunked: boolean;
}

export type HeadLimits = Pick<Limits, 'maxEnvCount' | 'maxNameBytes' | 'maxValueBytes'>;

function refuse(code: RemoteProtocolError['code'], message: string, status = 400, limit?: LimitName): never {
  throw new RemoteProtocolError(code, message, { scope: 'request', status, limit });
}

/**
 * The head of a request from the payload of its FORWARD_REQUEST, behind the type byte.
 *
 * @throws RemoteProtocolError (400) ERR_AJP_PACKET, ERR_AJP_BODY, ERR_ENV_METHOD, ERR_ENV_TARGET, ERR_ENV_PROTOCOL,
 * ERR_ENV_NAME, ERR_ENV_VALUE, ERR_ENV_REPEATED, ERR_ENV_LENGTH; (431) ERR_ENV_COUNT, ERR_ENV_ITEM; (501) ERR_AJP_BODY:
 * a transfer coding other than chunked; ERR_AJP_ATTRIBUTE, ERR_AJP_SECRET: see `readAttributes`
 */
export function readForwardRequest(
  bytes: Buffer,
  limits: HeadLimits,
  peer: AttributeRules & Pick<Peer, 'lighttpd' | 'apache'>,
): ForwardRequest {
  const payload = new PayloadReader(bytes);
  payload.u8();
  const methodCode = payload.u8();
  const protocol = checkProtocol(required(payload.string(), 'protocol'));
  const path = required(payload.string(), 'req_uri');
  const variables: string[] = [];
  setVariable(variables, 'REMOTE_ADDR', payload.string());
  setVariable(variables, 'REMOTE_HOST', payload.string());
  const serverName = payload.string();
  const serverPort = String(payload.u16());
  const scheme = payload.u8() === 0 ? 'http' : 'https';
  const fields = readHeaders(payload, limits, peer.apache);
  // a web server on a wildcard address may have no name, and clients of HTTP/1.0 name none
  setVariable(variables, 'SERVER_NAME', serverName || fields.host?.replace(/:[0-9]*$/, '') || 'localhost');
  setVariable(variables, 'SERVER_PORT', serverPort);
  const attributes = readAttributes(payload, peer, variables);
  const method = methodOf(methodCode, attributes);
  const target = targetOf(peer.lighttpd ? encodePath(path) : path, method, attributes.queryString);
  const { headers, contentLength, chunked } = fields;
  return { head: new HttpHead({ method, target, protocol, scheme, contentLength }, headers, variables), chunked };
}

function required(value: string | undefined, what: string): string {
  return value ?? refuse('ERR_AJP_PACKET', `${what} is null`);
}

function methodOf(code: number, { storedMethod }: Attributes): string {
  const known = code === STORED_METHOD ? storedMethod : methods[code - 1];
  if (known === undefined) refuse('ERR_AJP_PACKET', `method code ${code} without a name`);
  if (storedMethod !== undefined && storedMethod !== known)
    refuse('ERR_AJP_PACKET', `method ${known} beside a stored method`);
  return checkMethod(known);
}

const NOT_IN_TARGET = /[\x00-\x20\x7f]/;

function targetOf(path: string, method: string, query: string | undefined): string {
  const target = query === undefined || query === '' ? path : `${path}?${query}`;
  const rooted = path.startsWith('/') || (path === '*' && method === 'OPTIONS');
  if (!rooted || NOT_IN_TARGET.test(target))
    refuse('ERR_ENV_TARGET', `request target "${printable(target.slice(0, 80))}"`);
  return target;
}

interface Fields {
  /** Flat [name, value, …], names in lower case. */
  readonly headers: string[];
  readonly host: string | undefined;
  /** -1: not stated. */
  readonly contentLength: number;
  readonly chunked: boolean;
}

function readHeaders(payload: PayloadReader, limits: HeadLimits, apache: boolean): Fields {
  const most = Math.min(limits.maxEnvCount, MAX_HEADERS);
  const count = payload.u16();
  if (count > most) refuse('ERR_ENV_COUNT', `${count} header fields, at most ${most} are read`, 431, 'maxEnvCount');
  const headers: string[] = [];
  let host: string | undefined;
  let length: string | undefined;
  let coding: string | undefined;
  for (let i = 0; i < count; i++) {
    const field = readField(payload, limits);
    const { name } = field;
    const value = payload.string() ?? '';
    if (value.length > limits.maxValueBytes)
      refuse(
        'ERR_ENV_ITEM',
        `a value of ${value.length} bytes, maxValueBytes is ${limits.maxValueBytes}`,
        431,
        'maxValueBytes',
      );
    if (payload.brokeLine) refuse('ERR_ENV_VALUE', `the value of header ${name} holds CR or LF`);
    if (name === 'transfer-encoding') {
      coding = coding === undefined ? value : `${coding}, ${value}`;
      continue;
    }
    if (name === 'content-length') {
      if (length !== undefined) refuse('ERR_AJP_BODY', 'Content-Length came twice');
      if (value === '') refuse('ERR_ENV_LENGTH', 'Content-Length is empty');
      length = value;
    } else if (field.single) checkSingle(headers, name, value);
    if (name === 'host') host = value;
    if (field.leftOut || (value === '' && name === 'content-type')) continue;
    headers.push(name, apache && name === 'cookie' ? splitCookies(value) : value);
  }
  if (coding !== undefined && length !== undefined)
    refuse('ERR_AJP_BODY', 'Content-Length and Transfer-Encoding came together');
  if (coding !== undefined && coding.toLowerCase() !== 'chunked')
    refuse('ERR_AJP_BODY', `Transfer-Encoding "${printable(coding.slice(0, 40))}"`, 501);
  return { headers, host, contentLength: checkContentLength(length), chunked: coding !== undefined };
}

function readField(payload: PayloadReader, limits: HeadLimits): Field {
  const code = payload.u16();
  if ((code & 0xff00) === HEADER_CODE) {
    const field = coded[(code & 0xff) - 1];
    return field ?? refuse('ERR_AJP_PACKET', `header code 0x${code.toString(16)} is unknown`);
  }
  if (code !== NULL && code > limits.maxNameBytes)
    refuse('ERR_ENV_ITEM', `a name of ${code} bytes, maxNameBytes is ${limits.maxNameBytes}`, 431, 'maxNameBytes');
  return fieldOf(payload.stringOf(code));
}

/** Host may not even come twice with one value: the web server would have refused it. */
function checkSingle(headers: readonly string[], name: string, value: string): void {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === name && (name === 'host' || headers[i + 1] !== value))
      refuse('ERR_ENV_REPEATED', `header ${name} came twice`);
  }
}
