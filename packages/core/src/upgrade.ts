import { CgiHead } from './cgi-head.ts';
import { LocalProtocolError, printable } from './errors.ts';
import type { RequestHead } from './head.ts';
import { checkHeaders, isToken } from './headers.ts';

/**
 * Whether a request really asks for another protocol on its connection (RFC 9110 §7.8): a GET of HTTP/1.1 without a body,
 * with Upgrade, and Connection that names it. AJP has no Connection.
 */
export function upgradeAsked(head: RequestHead): boolean {
  return asked(head) !== undefined;
}

/** The value of Upgrade where it is really asked for. */
function asked(head: RequestHead): string | undefined {
  if (head instanceof CgiHead) {
    const { names, values } = head;
    // most requests are through here: the place is known from the names alone
    if (names.upgrade < 0 || names.chunked >= 0 || !mayUpgrade(head)) return undefined;
    const connection = names.names.indexOf('HTTP_CONNECTION');
    return connection >= 0 && namesUpgrade(values[connection]) ? known(values[names.upgrade]) : undefined;
  }
  if (!mayUpgrade(head)) return undefined;
  let protocol: string | undefined;
  const headers = head.headers();
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === 'upgrade') protocol = headers[i + 1];
    else if (headers[i] === 'connection' && !namesUpgrade(headers[i + 1])) return undefined;
  }
  return known(protocol);
}

function mayUpgrade({ method, protocol, contentLength }: RequestHead): boolean {
  return method === 'GET' && protocol === 'HTTP/1.1' && contentLength <= 0;
}

function namesUpgrade(connection: string): boolean {
  return /(?:^|,)[ \t]*upgrade[ \t]*(?:,|$)/i.test(connection);
}

function known(protocol: string | undefined): string | undefined {
  return protocol !== undefined && protocolOf(protocol) !== undefined ? protocol : undefined;
}

/** The first protocol of a list such as `websocket, h2c` or `TLS/1.0`; undefined: it has none. */
function protocolOf(list: string): string | undefined {
  const first = list.split(',', 1)[0].trim();
  const [name, version, ...rest] = first.split('/');
  return rest.length === 0 && isToken(name) && (version === undefined || isToken(version)) ? first : undefined;
}

/**
 * The headers of a 101: Upgrade is the application's, or the first that was asked for; a body has no length here.
 * @param headers flat [name, value, …]
 * @throws LocalProtocolError ERR_UPGRADE: the request asks for no upgrade, or Upgrade names no protocol; as `checkHeaders`
 */
export function upgradeHeaders(
  head: RequestHead,
  headers: readonly string[],
  limits: { maxReplyHeaders: number; maxReplyHeaderBytes: number },
): string[] {
  const protocol = asked(head);
  if (protocol === undefined) throw new LocalProtocolError('ERR_UPGRADE', 'the request does not ask for an upgrade');
  let answered: string | undefined;
  const rest: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = String(headers[i]).toLowerCase();
    if (name === 'upgrade') answered = headers[i + 1];
    else if (name !== 'content-length') rest.push(headers[i], headers[i + 1]);
  }
  const chosen = protocolOf(answered ?? protocol);
  if (chosen === undefined)
    throw new LocalProtocolError('ERR_UPGRADE', `Upgrade "${printable(String(answered))}" names no protocol`);
  return ['Upgrade', chosen, 'Connection', 'Upgrade', ...checkHeaders(rest, limits).headers];
}
