import type { PeerLog } from './log.ts';
import type { Outlet } from './outlet.ts';

/** What a protocol is called in a sentence. */
const titles: Readonly<Record<string, string>> = { fastcgi: 'FastCGI', scgi: 'SCGI', ajp: 'AJP', http: 'HTTP' };

/** What of a front-end leads to a port of each protocol. */
const frontEndLines: Readonly<Record<string, string>> = {
  fastcgi: 'in nginx use fastcgi_pass, in Apache a ProxyPass to fcgi://',
  scgi: 'in nginx use scgi_pass, in Apache a ProxyPass to scgi://',
  uwsgi: 'in nginx use uwsgi_pass, in Apache a ProxyPass to uwsgi://',
  ajp: 'in Apache use a ProxyPass to ajp:// (nginx does not speak AJP)',
  http: 'in nginx use proxy_pass, in Apache a ProxyPass to http://',
};

/** What to do about protocols that are spoken nowhere here, by the names of `foreignProtocols`. */
const foreignAdvice: Readonly<Record<string, string>> = {
  TLS: 'let the peer connect without TLS',
  'PROXY protocol': 'turn it off towards this port (HAProxy: send-proxy, nginx: proxy_protocol)',
  SSH: 'what connects is no web server',
};

/**
 * HTTP is answered. Anything else might take an answer for a request, and answer it.
 * @param found what the peer speaks
 * @param served what it should speak
 * @returns false: nothing was written
 */
export function answerWrongProtocol(found: string, served: string, outlet: Outlet, log: PeerLog): boolean {
  log.write('warn', 'protocol_error', 'ERR_WRONG_PROTOCOL', wrongProtocolMessage(found, served));
  if (found !== 'http') return false;
  outlet.write(wrongProtocolPage(served));
  return true;
}

/** The answer to an HTTP request on a port of another protocol: what to change, in less than 1 KiB. */
export function wrongProtocolPage(served: string): string {
  const body = `This port speaks ${served}, not HTTP. Connect to it through a web server: ${frontEndLines[served]}.\n`;
  return `HTTP/1.1 421 Misdirected Request\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}

/**
 * What the log says of a peer, in one line.
 * @param found what it speaks
 * @param served what is served where it connected
 */
export function wrongProtocolMessage(found: string, served: string): string {
  const where = served === 'auto' ? `that tells ${allTold} apart` : `that speaks ${served}`;
  return `${titles[found] ?? found} on a port ${where}: ${advice(found, served)}`;
}

/** What is told apart on an address with `auto`. */
export const allTold = 'FastCGI, SCGI, AJP, uwsgi and HTTP';

function advice(found: string, served: string): string {
  const known = foreignAdvice[found];
  if (found === 'TLS' && served === 'http') return `${known}, or let the app listen on https://`;
  if (known !== undefined) return known;
  const line = frontEndLines[served];
  if (line === undefined || (found === 'HTTP/2' && served === 'http')) return 'let the peer speak HTTP/1.1';
  return Object.hasOwn(frontEndLines, found) && found !== 'http'
    ? `${line}, or let the app listen on ${found}://`
    : line;
}
