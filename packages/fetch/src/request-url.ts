import type { RequestHead } from '@postern/core';

/** Origins of the hosts that were asked for of late; undefined: unusable. A flood of made-up hosts only empties it. */
const origins = new Map<string, string | undefined>();
const MAX_ORIGINS = 64;
/** The one before: most requests are for one host, and need no key made for them. */
let latest: { scheme: string; host: string; origin: string } | undefined;

/** Visible ASCII without what would end the host, or begin another part of a URL. */
const HOST = /^[!-~]+$/;
const NOT_HOST = /[/?#@\\]/;

/**
 * Targets that the URL parser gives back as they are (URL Standard, "path state" and "query state" of a special URL).
 * The path is printable ASCII without `"#<>?[\]^`{|}`, the query without `"#'<>`; dot segments are looked for apart.
 */
const PLAIN = /^\/[!$%&'()*+,\-./0-9:;=@A-Z_a-z~]*(?:\?[!$%&()*+,\-./0-9:;=?@A-Z[\\\]^_`a-z{|}~]*)?$/;
const DOT_SEGMENT = /\/(?:\.|%2e)/i;

/**
 * The URL of a request, normalised as `new URL()` does it: the target itself where it is in absolute form, else the scheme,
 * the host (Host, else SERVER_NAME and SERVER_PORT) and the target. Bytes above 0x7F become percent-escapes.
 * @param headers flat [name, value, …], names in lower case
 * @returns undefined: the host or the target cannot be read as an http or https URL
 */
export function requestUrl(head: RequestHead, headers: readonly string[]): string | undefined {
  const { target } = head;
  if (target.charCodeAt(0) !== 47 /* / */ && target !== '*') return absoluteUrl(target);
  const origin = originOf(head, headers);
  if (origin === undefined) return undefined;
  // RFC 9112 §3.3: the asterisk-form has an empty path
  if (target === '*') return `${origin}/`;
  if (PLAIN.test(target) && !DOT_SEGMENT.test(target)) return origin + target;
  return new URL(origin + escapeBytes(target)).href;
}

function absoluteUrl(target: string): string | undefined {
  if (!/^https?:\/\/[^/?#]/i.test(target)) return undefined;
  const url = parse(escapeBytes(target));
  return url === undefined || url.username !== '' || url.password !== '' ? undefined : url.href;
}

function originOf(head: RequestHead, headers: readonly string[]): string | undefined {
  let host: string | undefined;
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === 'host') host = headers[i + 1];
  host ||= serverHost(head.variables());
  if (host === undefined) return undefined;
  const { scheme } = head;
  if (latest !== undefined && latest.host === host && latest.scheme === scheme) return latest.origin;
  const key = `${scheme}://${host}`;
  const origin = lookUp(key, host);
  // a piece of the key: the host itself would hold all that came with it in memory
  if (origin !== undefined) latest = { scheme, host: key.slice(scheme.length + 3), origin };
  return origin;
}

function lookUp(key: string, host: string): string | undefined {
  const known = origins.get(key);
  if (known !== undefined || origins.has(key)) return known;
  const origin = HOST.test(host) && !NOT_HOST.test(host) ? parse(key)?.origin : undefined;
  if (origins.size >= MAX_ORIGINS) origins.clear();
  origins.set(key, origin);
  return origin;
}

/** RFC 3875 §4.1.14 wants brackets about an IPv6 address; some servers leave them out. */
function serverHost(variables: readonly string[]): string | undefined {
  let name = '';
  let port = '';
  for (let i = 0; i < variables.length; i += 2) {
    if (variables[i] === 'SERVER_NAME') name = variables[i + 1];
    else if (variables[i] === 'SERVER_PORT') port = variables[i + 1];
  }
  if (name === '') return undefined;
  const host = name.includes(':') && !name.startsWith('[') ? `[${name}]` : name;
  return port === '' ? host : `${host}:${port}`;
}

function parse(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

/** The URL parser would take a latin-1 character for a code point and encode it as two bytes. */
function escapeBytes(target: string): string {
  return target.replace(/[\x80-\xff]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}
