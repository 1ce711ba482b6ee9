import { checkVariable, LocalProtocolError } from '@postern/core';

/** The variables of one request, as far as a FORWARD_REQUEST has a place for them. */
export interface CgiValues {
  /** The value of a variable that is no header; undefined: absent, or empty. */
  get(name: string): string | undefined;
  /** Flat [name, value, …], names in lower case, without what frames the body. */
  readonly fields: string[];
  /** -1: not stated. */
  readonly contentLength: number;
  readonly chunked: boolean;
}

/** What of HTTP_* is no header of its own: CONTENT_TYPE and CONTENT_LENGTH say it, or it would become HTTP_PROXY (httpoxy). */
const leftOut = new Set(['content-length', 'content-type', 'proxy', 'transfer-encoding']);

export function unsendable(name: string, why: string): never {
  throw new LocalProtocolError('ERR_ENV_VALUE', `variable ${JSON.stringify(name.slice(0, 80))} cannot be sent: ${why}`);
}

/**
 * Sorts flat CGI variables. Of a name that comes twice the last counts, headers apart: they are repeated.
 * @throws LocalProtocolError ERR_ENV_VALUE: a name or value that cannot be sent; ERR_ENV_LENGTH: CONTENT_LENGTH is no
 * whole number, or came twice with different values
 */
export function readValues(variables: readonly string[]): CgiValues {
  const values = new Map<string, string>();
  const fields: string[] = [];
  let contentLength = -1;
  let coding = '';
  for (let i = 0; i < variables.length; i += 2) {
    const name = variables[i];
    const value = variables[i + 1];
    checkVariable(name, value);
    checkLines(name, value);
    if (name === 'CONTENT_LENGTH') {
      const length = lengthOf(value);
      if (contentLength >= 0 && contentLength !== length)
        throw new LocalProtocolError('ERR_ENV_LENGTH', 'CONTENT_LENGTH came twice with different values');
      contentLength = length;
    } else if (name === 'CONTENT_TYPE') {
      if (value !== '') fields.push('content-type', value);
    } else if (!name.startsWith('HTTP_')) values.set(name, value);
    else {
      const field = fieldName(name);
      if (field === 'transfer-encoding') coding = value;
      if (!leftOut.has(field)) fields.push(field, value);
    }
  }
  const chunked = contentLength < 0 && coding !== '';
  if (chunked && coding.toLowerCase() !== 'chunked')
    unsendable('HTTP_TRANSFER_ENCODING', 'AJP carries bodies that are chunked, and no other coding');
  return { get: (name) => values.get(name) || undefined, fields, contentLength, chunked };
}

/** PEM has lines, nothing else has. */
function checkLines(name: string, value: string): void {
  if (/[\r\n]/.test(value) && name !== 'SSL_CLIENT_CERT') unsendable(name, 'its value holds CR or LF');
}

function fieldName(name: string): string {
  const field = name.slice(5).toLowerCase().replaceAll('_', '-');
  if (!/^[!#$%&'*+\-.^`|~0-9a-z]{1,4096}$/.test(field)) unsendable(name, 'this is no name of a header');
  return field;
}

function lengthOf(value: string): number {
  if (value === '') return -1;
  const length = Number(value);
  if (!/^[0-9]{1,20}$/.test(value) || !Number.isSafeInteger(length))
    throw new LocalProtocolError('ERR_ENV_LENGTH', `CONTENT_LENGTH ${JSON.stringify(value.slice(0, 40))}`);
  return length;
}
