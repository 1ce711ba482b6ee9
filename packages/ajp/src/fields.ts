import { isToken, ownText, printable, RemoteProtocolError } from '@postern/core';
import { requestHeaders } from './constants.ts';

/** What is to be done with a header field. */
export const Use = {
  plain: 0,
  /** There may be one of it (RFC 9110 §5.3, RFC 9112 §3.2). */
  single: 1,
  host: 2,
  cookie: 3,
  contentType: 4,
  contentLength: 5,
  transferEncoding: 6,
  /** No application sees it, in neither view. */
  leftOut: 7,
} as const;

/** What is known of a header field of a request by its name. */
export interface Field {
  /** In lower case. */
  readonly name: string;
  /** Its meta-variable (RFC 3875 §4.1.18). */
  readonly variable: string;
  /** Of `Use`. */
  readonly use: number;
}

const uses = new Map<string, number>([
  ['authorization', Use.single],
  ['range', Use.single],
  ['expect', Use.single],
  ['host', Use.host],
  ['cookie', Use.cookie],
  ['content-type', Use.contentType],
  ['content-length', Use.contentLength],
  ['transfer-encoding', Use.transferEncoding],
  // httpoxy, and the fields of the connection between the client and the web server (RFC 9110 §7.6.1)
  ['proxy', Use.leftOut],
  ['connection', Use.leftOut],
  ['keep-alive', Use.leftOut],
  ['proxy-connection', Use.leftOut],
  ['te', Use.leftOut],
  ['trailer', Use.leftOut],
]);

function fieldNamed(name: string): Field {
  const variable = name.toUpperCase().replaceAll('-', '_');
  // a name with an underscore could not be told from the one with a hyphen
  const use = name.includes('_') ? Use.leftOut : (uses.get(name) ?? Use.plain);
  const ofBody = use === Use.contentType || use === Use.contentLength;
  return { name, variable: ofBody ? variable : `HTTP_${variable}`, use };
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
