import { isToken, ownText, printable, RemoteProtocolError } from '@postern/core';
import { requestHeaders } from './constants.ts';

/** What is known of a header field of a request by its name. */
export interface Field {
  /** In lower case. */
  readonly name: string;
  /** There may be one of it (RFC 9110 §5.3, RFC 9112 §3.2). */
  readonly single: boolean;
  /** No application sees it, in neither view. */
  readonly leftOut: boolean;
}

const singles = new Set(['host', 'authorization', 'range', 'expect']);
/** Proxy (httpoxy), and the fields of the connection between the client and the web server (RFC 9110 §7.6.1). */
const connections = new Set(['proxy', 'connection', 'keep-alive', 'proxy-connection', 'te', 'trailer']);

function fieldNamed(name: string): Field {
  // a name with an underscore could not be told from the one with a hyphen
  return { name, single: singles.has(name), leftOut: connections.has(name) || name.includes('_') };
}

/** By their codes, from 1. */
export const coded: readonly Field[] = requestHeaders.map(fieldNamed);

/** Names that were looked at, as clients write them. They send the same ones again and again. */
const fields = new Map<string, Field>();
const MOST_FIELDS = 1024;

/** @throws RemoteProtocolError ERR_ENV_NAME (400): the name is no token */
export function fieldOf(sent: string): Field {
  const known = fields.get(sent);
  if (known !== undefined) return known;
  if (!isToken(sent)) {
    throw new RemoteProtocolError('ERR_ENV_NAME', `header name "${printable(sent.slice(0, 80))}"`, {
      scope: 'request',
    });
  }
  const name = ownText(sent);
  const field = fieldNamed(name.toLowerCase());
  if (fields.size < MOST_FIELDS) fields.set(name, field);
  return field;
}
