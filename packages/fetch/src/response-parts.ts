import { Readable } from 'node:stream';
import { LocalProtocolError, reasonOf } from '@postern/core';
import { isSrvxResponse, readable, type SrvxResponse } from './srvx-response.ts';
import { responseSource } from './undici-state.ts';

/** A reply as it goes to the exchange. */
export interface ReplyParts {
  readonly status: number;
  readonly reason: string;
  /** Flat [name, value, …]. */
  readonly headers: string[];
  readonly body: null | string | Uint8Array | ReadableStream;
}

function refuse(message: string): never {
  throw new LocalProtocolError('ERR_APP_REPLY', message);
}

function typeName(value: unknown): string {
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value;
  return value.constructor?.name ?? 'object';
}

/**
 * What a Response is made of; one of another realm or library will do if it has the parts of one.
 * @throws LocalProtocolError ERR_APP_REPLY: no Response, `Response.error()`, or its body has been used
 */
export function responseParts(value: unknown): ReplyParts {
  const response = value as Response;
  if (typeof value !== 'object' || value === null || !('body' in value) || typeof response.status !== 'number')
    refuse(`a fetch handler must answer a Response, this one answered ${typeName(value)}`);
  if (isSrvxResponse(response)) return srvxParts(response);
  if (typeof response.headers?.forEach !== 'function')
    refuse(`a fetch handler must answer a Response, this one answered ${typeName(value)} without headers`);
  const { status } = response;
  if (status === 0) refuse('the handler answered Response.error()');
  const body = responseSource(response) ?? response.body;
  if (isUsed(body)) refuse('the body of the Response has been used already');
  return {
    status,
    reason: response.statusText || reasonOf(status),
    headers: flatten(response.headers),
    body: checkBody(body),
  };
}

/** Set-Cookie stays apart: it is the one field that cannot be joined. */
function flatten(headers: Headers): string[] {
  const flat: string[] = [];
  for (const [name, value] of headers) flat.push(name, value);
  return flat;
}

function isUsed(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false;
  return (body as ReadableStream).locked === true || Readable.isDisturbed(body as Readable);
}

function checkBody(body: unknown): ReplyParts['body'] {
  if (body === null || body === undefined) return null;
  if (typeof body === 'string' || body instanceof Uint8Array) return body;
  if (typeof (body as ReadableStream).getReader === 'function') return body as ReadableStream;
  // an iterator of a Node stream that waits cannot be told to stop
  if (isNodeStream(body)) return Readable.toWeb(body as Readable) as ReadableStream;
  if (typeof body === 'object' && Symbol.asyncIterator in body)
    return ReadableStream.from(body as AsyncIterable<Uint8Array>) as ReadableStream;
  return refuse(`the body of the Response is ${typeName(body)}, not a stream`);
}

function isNodeStream(body: unknown): boolean {
  const stream = body as Partial<Readable>;
  return typeof stream.pipe === 'function' && typeof stream.on === 'function' && typeof stream.destroy === 'function';
}

function srvxParts(response: SrvxResponse): ReplyParts {
  const { status, statusText, headers, body } = response._toNodeResponse();
  if (isUsed(body)) refuse('the body of the Response has been used already');
  return { status, reason: statusText || reasonOf(status), headers, body: checkBody(readable(body)) };
}
