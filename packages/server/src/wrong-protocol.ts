const advice: Record<string, string> = {
  fastcgi: 'In nginx use fastcgi_pass (not proxy_pass), in Apache a ProxyPass to fcgi://.',
  scgi: 'In nginx use scgi_pass (not proxy_pass), in Apache a ProxyPass to scgi://.',
  uwsgi: 'In nginx use uwsgi_pass (not proxy_pass), in Apache a ProxyPass to uwsgi://.',
  ajp: 'In Apache use a ProxyPass to ajp://; nginx does not speak AJP.',
};

/** Longer request lines are not waited for. */
const MAX_LINE = 8192;

const REQUEST_LINE = /^[A-Z]{3,12} [!-~\x80-\xff]+ HTTP\/1\.[01]\r?\n/;
const BEGINNING = /^(?:[A-Z]{1,12}|[A-Z]{3,12} (?:[!-~\x80-\xff]+(?: [HTP/1.0]{0,8}\r?)?)?)$/;

/**
 * Whether the first bytes of a connection, as latin-1, are an HTTP/1 request; `more`: they may become one. However they
 * are cut, the answer is the same.
 */
export function looksLikeHttp(opening: string): 'yes' | 'no' | 'more' {
  if (REQUEST_LINE.test(opening)) return 'yes';
  return opening.length < MAX_LINE && BEGINNING.test(opening) ? 'more' : 'no';
}

/** The answer to an HTTP request on a port of another protocol: what to change, in less than 1 KiB. */
export function wrongProtocolPage(protocol: string): string {
  const body = `This port speaks ${protocol}, not HTTP: connect to it through a web server. ${advice[protocol] ?? ''}\n`;
  return `HTTP/1.1 421 Misdirected Request\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}
