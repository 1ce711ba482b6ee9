import { validateHeaderName, validateHeaderValue } from 'node:http';
import { isFieldValue, isToken, LocalProtocolError, printable } from '@postern/core';
import { type Outgoing, settledHeaders } from './internals.ts';
import { nodeError } from './node-error.ts';

/**
 * The headers of a response as flat [name, value, …], whichever way they were given: set one by one, or to writeHead as
 * an object, as [name, value, …] or as [[name, value], …]. An array of values gives the field several times.
 *
 * What came by setHeader has been checked by it. What came by writeHead alone is checked here, as node:http does where
 * it renders the head.
 * @throws TypeError ERR_INVALID_HTTP_TOKEN, ERR_INVALID_CHAR, ERR_HTTP_INVALID_HEADER_VALUE, ERR_INVALID_ARG_VALUE
 */
export function flattenHeaders(res: Outgoing, headers: unknown): string[] {
  const flat: string[] = [];
  if (headers === undefined || headers === null) return flat;
  if (headers === settledHeaders(res)) {
    const entries = headers as Record<string, [string, unknown]>;
    for (const key in entries) add(flat, entries[key][0], entries[key][1], false);
  } else if (!Array.isArray(headers)) {
    const record = headers as Record<string, unknown>;
    for (const name of Object.keys(record)) add(flat, name, record[name], true);
  } else if (Array.isArray(headers[0])) {
    for (const pair of headers) add(flat, pair[0], pair[1], true);
  } else {
    if (headers.length % 2 !== 0) {
      throw nodeError(new TypeError('The flat array of headers holds a name without a value'), 'ERR_INVALID_ARG_VALUE');
    }
    for (let i = 0; i < headers.length; i += 2) add(flat, headers[i], headers[i + 1], true);
  }
  return flat;
}

function add(flat: string[], name: string, value: unknown, check: boolean): void {
  if (check) checkName(name);
  if (!Array.isArray(value)) {
    flat.push(name, check ? checkValue(name, value) : text(value));
    return;
  }
  for (const one of value) flat.push(name, check ? checkValue(name, one) : text(one));
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : `${value}`;
}

function checkName(name: string): void {
  if (typeof name === 'string' && isToken(name)) return;
  validateHeaderName(name);
  throw new LocalProtocolError('ERR_HEADER_NAME', `header name "${printable(String(name))}"`);
}

function checkValue(name: string, value: unknown): string {
  if (value === undefined) validateHeaderValue(name, value as unknown as string);
  const string = text(value);
  if (isFieldValue(string)) return string;
  validateHeaderValue(name, string);
  throw new LocalProtocolError('ERR_HEADER_VALUE', `the value of header "${name}" holds what may not be sent`);
}

/** Content-Length in flat headers; undefined where there is none. */
export function statedLength(flat: readonly string[]): string | undefined {
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i];
    if (name.length === 14 && (name === 'Content-Length' || name.toLowerCase() === 'content-length'))
      return flat[i + 1];
  }
  return undefined;
}
