import { CgiHead } from './cgi-head.ts';
import type { RequestHead } from './head.ts';

/**
 * Web servers that pass an interim reply on which comes in a gateway protocol in front of the reply, as seen: lighttpd
 * 1.4.69 over FastCGI, SCGI, uwsgi, AJP and CGI. Every other one takes it for the reply itself.
 */
const carriers: readonly (readonly [peer: string, software: string])[] = [['lighttpd', 'lighttpd/']];

/** 102 and 103; 100 is what the web server says by itself. */
const carried = new Set([102, 103]);

/**
 * Whether a 1xx reply reaches the client through a gateway protocol.
 * @param peer the web server, where the address names it; without it SERVER_SOFTWARE tells
 */
export function carriesInterim(status: number, head: RequestHead, peer: string | undefined): boolean {
  // RFC 9110 §15.2: a client of HTTP/1.0 knows no 1xx
  if (!carried.has(status) || head.protocol === 'HTTP/1.0') return false;
  if (peer !== undefined) return carriers.some(([name]) => name === peer);
  const software = head instanceof CgiHead ? head.software : '';
  return carriers.some(([, begins]) => software.startsWith(begins));
}
