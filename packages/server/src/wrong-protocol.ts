const advice: Record<string, string> = {
  fastcgi: 'In nginx use fastcgi_pass (not proxy_pass), in Apache a ProxyPass to fcgi://.',
  scgi: 'In nginx use scgi_pass (not proxy_pass), in Apache a ProxyPass to scgi://.',
  ajp: 'In Apache use a ProxyPass to ajp://; nginx does not speak AJP.',
};

/**
 * The answer to an HTTP request on a port of another protocol: what to change, in less than 1 KiB. Undefined: these
 * first bytes are not HTTP.
 */
export function wrongProtocolPage(first: Uint8Array, protocol: string): string | undefined {
  const text = Buffer.from(first.buffer, first.byteOffset, Math.min(first.byteLength, 2048)).toString('latin1');
  if (!/^[A-Z]{3,12} [^ ]+(?: HTTP\/1|$)/.test(text)) return undefined;
  const body = `This port speaks ${protocol}, not HTTP: connect to it through a web server. ${advice[protocol] ?? ''}\n`;
  return `HTTP/1.1 421 Misdirected Request\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}
