import {
  checkContentLength,
  checkMethod,
  checkProtocol,
  encodePath,
  type LimitName,
  type Limits,
  printable,
  RemoteProtocolError,
  splitCookies,
} from '@postern/core';
import { AjpHead } from './ajp-head.ts';
import { type AttributeRules, type Attributes, readAttributes } from './attributes.ts';
import { HEADER_CODE, MAX_HEADERS, methods, STORED_METHOD } from './constants.ts';
import { coded, type Field, fieldOf, Use } from './fields.ts';
import type { Peer } from './peer.ts';
import { NULL, type PayloadReader } from './strings.ts';
import { Variables } from './variables.ts';

export interface ForwardRequest {
  readonly head: AjpHead;
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
  payload: PayloadReader,
  limits: HeadLimits,
  peer: AttributeRules & Pick<Peer, 'lighttpd' | 'apache'>,
): ForwardRequest {
  payload.u8();
  const methodCode = payload.u8();
  const protocol = checkProtocol(required(payload.string(), 'protocol'));
  const path = required(payload.string(), 'req_uri');
  const variables = new Variables();
  const { values } = variables;
  // its name may come last
  variables.add('REQUEST_METHOD', '');
  variables.add('REMOTE_ADDR', payload.string());
  variables.add('REMOTE_HOST', payload.string());
  const server = variables.place;
  variables.add('SERVER_NAME', payload.string() ?? '');
  variables.add('SERVER_PORT', String(payload.u16()));
  const scheme = payload.u8() === 0 ? 'http' : 'https';
  if (scheme === 'https') variables.add('HTTPS', 'on');
  const { host, contentLength, chunked } = readHeaders(payload, limits, peer.apache, variables);
  // a web server on a wildcard address may have no name, and clients of HTTP/1.0 name none
  if (values[server] === '') values[server] = host?.replace(/:[0-9]*$/, '') || 'localhost';
  const attributes = readAttributes(payload, peer, variables);
  const method = methodOf(methodCode, attributes);
  values[0] = method;
  const target = targetOf(peer.lighttpd ? encodePath(path) : path, method, attributes.queryString);
  const line = { method, target, protocol, scheme, contentLength } as const;
  return { head: new AjpHead(line, variables.names, values), chunked };
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
  readonly host: string | undefined;
  /** -1: not stated. */
  readonly contentLength: number;
  readonly chunked: boolean;
}

function readHeaders(payload: PayloadReader, limits: HeadLimits, apache: boolean, variables: Variables): Fields {
  const most = Math.min(limits.maxEnvCount, MAX_HEADERS);
  const count = payload.u16();
  if (count > most) refuse('ERR_ENV_COUNT', `${count} header fields, at most ${most} are read`, 431, 'maxEnvCount');
  let host: string | undefined;
  let length: string | undefined;
  let coding: string | undefined;
  let singles: Map<string, string> | undefined;
  for (let i = 0; i < count; i++) {
    const field = readField(payload, limits);
    const value = payload.string() ?? '';
    if (value.length > limits.maxValueBytes)
      refuse(
        'ERR_ENV_ITEM',
        `a value of ${value.length} bytes, maxValueBytes is ${limits.maxValueBytes}`,
        431,
        'maxValueBytes',
      );
    if (payload.brokeLine) refuse('ERR_ENV_VALUE', `the value of header ${field.name} holds CR or LF`);
    let kept = value;
    switch (field.use) {
      case Use.plain:
        break;
      case Use.leftOut:
        continue;
      case Use.cookie:
        if (apache) kept = splitCookies(value);
        break;
      case Use.host:
        if (host !== undefined) repeated(field);
        host = value;
        break;
      case Use.single:
        singles ??= new Map();
        if ((singles.get(field.name) ?? value) !== value) repeated(field);
        singles.set(field.name, value);
        break;
      case Use.contentType:
        if (value === '') continue;
        break;
      case Use.contentLength:
        if (length !== undefined) refuse('ERR_AJP_BODY', 'Content-Length came twice');
        if (value === '') refuse('ERR_ENV_LENGTH', 'Content-Length is empty');
        length = value;
        break;
      case Use.transferEncoding:
        coding = coding === undefined ? value : `${coding}, ${value}`;
        continue;
    }
    variables.add(field.variable, kept);
  }
  if (coding !== undefined && length !== undefined)
    refuse('ERR_AJP_BODY', 'Content-Length and Transfer-Encoding came together');
  if (coding !== undefined && coding.toLowerCase() !== 'chunked')
    refuse('ERR_AJP_BODY', `Transfer-Encoding "${printable(coding.slice(0, 40))}"`, 501);
  return { host, contentLength: checkContentLength(length), chunked: coding !== undefined };
}

/** Host may not even come twice with one value: the web server would have refused it. */
function repeated({ name }: Field): never {
  refuse('ERR_ENV_REPEATED', `header ${name} came twice`);
}

function readField(payload: PayloadReader, limits: HeadLimits): Field {
  const code = payload.u16();
  if ((code & 0xff00) === HEADER_CODE) {
    const field = coded[(code & 0xff) - 1];
    return field ?? refuse('ERR_AJP_PACKET', `header code 0x${code.toString(16)} is unknown`);
  }
  if (code !== NULL && code > limits.maxNameBytes)
    refuse('ERR_ENV_ITEM', `a name of ${code} bytes, maxNameBytes is ${limits.maxNameBytes}`, 431, 'maxNameBytes');
  return fieldOf(payload.nameOf(code));
}
