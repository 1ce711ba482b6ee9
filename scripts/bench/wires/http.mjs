/**
 * One request as nginx passes it with `proxy_http_version 1.1` and an empty Connection: kept open, in one write. Not to
 * be kept: with `Connection: close`.
 */
export function encode({ method, target, body }, headers, _port, keep) {
  const [host, ...others] = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  const close = keep ? '' : 'Connection: close\r\n';
  return Buffer.from(`${method} ${target} HTTP/1.1\r\n${host}${close}${others.join('')}\r\n${body}`);
}

/**
 * The reply in `bytes`, once as many bytes as its Content-Length are there.
 * @returns {{ status: number, body: string, size: number } | undefined} size: of the whole reply, in bytes
 * @throws Error a reply without Content-Length
 */
export function decode(bytes) {
  const text = bytes.latin1Slice(0, bytes.length);
  const blank = text.indexOf('\r\n\r\n');
  if (blank < 0) return undefined;
  const length = /\r\ncontent-length: *([0-9]+)\r\n/i.exec(text);
  if (length === null) throw new Error(`a reply without Content-Length: ${JSON.stringify(text.slice(0, blank))}`);
  const end = blank + 4 + Number(length[1]);
  if (text.length < end) return undefined;
  return { status: Number(text.slice(9, 12)), body: text.slice(blank + 4, end), size: end };
}
