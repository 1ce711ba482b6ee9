import { Readable } from 'node:stream';
import { LocalProtocolError, reasonOf } from '@postern/core';
import { flatten } from './header-list.ts';
import { lightParts, nativeResponse, streamSource } from './light-response.ts';
import type { ReplyParts } from './reply-parts.ts';
import { isSrvxResponse, readable, type SrvxResponse } from './srvx-response.ts';
import { responseSource } from './undici-state.ts';

function refuse(message: string): never {
  throw new LocalProtocolError('ERR_APP_REPLY', message);
}

function typeName(value: unknown): string {
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value;
  return value.constructor?.name ?? 'object';
}

function notResponse(value: unknown): string {
  return `a fetch handler must answer a Response, this one answered ${typeName(value)}`;
}

/**
 * What a Response is made of; one of another realm or library will do if it has the parts of one.
 * @throws LocalProtocolError ERR_APP_REPLY: no Response, `Response.error()`, or its body has been used
 */
export function responseParts(value: unknown): ReplyParts {
  if (typeof value !== 'object' || value === null) refuse(notResponse(value));
  const light = lightParts(value);
  if (light !== undefined) return light;
  const response = nativeResponse(value as Response);
  if (!('body' in response) || typeof response.status !== 'number') refuse(notResponse(value));
  if (isSrvxResponse(response)) return srvxParts(response);
  if (typeof response.headers?.forEach !== 'function') refuse(`${notResponse(value)} without headers`);
  const { status } = response;
  if (status === 0) refuse('the handler answered Response.error()');
  const body = responseSource(response) ?? streamSource(response.body) ?? response.body;
  if (isUsed(body)) refuse('the body of the Response has been used already');
  return {
    status,
    reason: response.statusText || reasonOf(status),
    headers: flatten(response.headers),
    body: checkBody(body),
  };
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
