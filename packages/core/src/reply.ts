import type { Reply, ReplyBody } from './application.ts';
import { LocalProtocolError } from './errors.ts';

function refuse(message: string): never {
  throw new LocalProtocolError('ERR_APP_REPLY', message);
}

/** What kind of value something is. */
export function describe(value: unknown): string {
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value;
  return value.constructor?.name ?? 'object';
}

/** @throws LocalProtocolError ERR_APP_REPLY: the application answered with something else */
export function checkReply(reply: unknown): Reply {
  if (reply === null || typeof reply !== 'object' || typeof (reply as Reply).status !== 'number') {
    refuse(`an environ application must answer { status, headers, body }, this one answered ${describe(reply)}`);
  }
  return reply as Reply;
}

/** The headers of a reply as flat [name, value, …]; numbers become text. @throws LocalProtocolError ERR_APP_REPLY */
export function flattenHeaders(headers: Reply['headers']): string[] {
  const flat: string[] = [];
  if (headers === undefined || headers === null) return flat;
  if (typeof headers !== 'object')
    refuse(`headers must be an object or an iterable of pairs, not ${describe(headers)}`);
  if (Symbol.iterator in headers) {
    for (const pair of headers as Iterable<readonly [string, string]>) {
      if (pair === null || typeof pair !== 'object') refuse(`headers hold ${describe(pair)} where a pair should be`);
      add(flat, pair[0], pair[1]);
    }
    return flat;
  }
  for (const name of Object.keys(headers)) {
    const value = (headers as Record<string, string | string[]>)[name];
    if (Array.isArray(value)) for (const one of value) add(flat, name, one);
    else add(flat, name, value);
  }
  return flat;
}

function add(flat: string[], name: string, value: unknown): void {
  if (typeof value === 'number') flat.push(name, String(value));
  else if (typeof value === 'string') flat.push(name, value);
  else refuse(`the value of header ${String(name)} is ${describe(value)}, not text`);
}

export type BodyKind = 'whole' | 'iterable' | 'async' | 'file';

/** How a body is to be sent. @throws LocalProtocolError ERR_APP_REPLY */
export function bodyKind(body: ReplyBody | undefined): BodyKind {
  if (body === undefined || body === null || typeof body === 'string' || body instanceof Uint8Array) return 'whole';
  if (typeof body === 'object') {
    if (Symbol.asyncIterator in body) return 'async';
    if (Symbol.iterator in body) return 'iterable';
    if ('path' in body || 'handle' in body) return 'file';
  }
  return refuse(`a body must be text, bytes, an iterable of them, a stream or a file, not ${describe(body)}`);
}
