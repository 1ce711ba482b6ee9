/**
 * One request as Debian's nginx 1.22 sends it with `include scgi_params`: the same variables in the same order, in one
 * write. Independent of what is measured.
 */
import { cgiReply, field, headerVariables } from './variables.mjs';

/**
 * @param headers those of the client
 * @param port REMOTE_PORT
 */
export function encode({ method, target, body }, headers, port) {
  const host = field(headers, 'host');
  const variables = [
    ['CONTENT_LENGTH', String(body.length)],
    ['REQUEST_METHOD', method],
    ['REQUEST_URI', target],
    ['QUERY_STRING', ''],
    ['CONTENT_TYPE', field(headers, 'content-type')],
    ['DOCUMENT_URI', target],
    ['DOCUMENT_ROOT', '/var/www/html'],
    ['SCGI', '1'],
    ['SERVER_PROTOCOL', 'HTTP/1.1'],
    ['REQUEST_SCHEME', 'http'],
    ['REMOTE_ADDR', '127.0.0.1'],
    ['REMOTE_PORT', String(port)],
    ['SERVER_PORT', '80'],
    ['SERVER_NAME', host],
    ['HTTP_HOST', host],
    ...headerVariables(headers.filter(([name]) => name !== 'Host')),
  ];
  const block = variables.map(([name, value]) => `${name}\0${value}\0`).join('');
  return Buffer.from(`${block.length}:${block},${body}`, 'latin1');
}

/**
 * The reply in `bytes`, which ends with its connection.
 * @param {boolean} closed
 * @returns {{ status: number, body: string, size: number } | undefined} size: of the whole reply, in bytes
 */
export function decode(bytes, closed) {
  return closed ? { ...cgiReply(bytes.latin1Slice(0, bytes.length)), size: bytes.length } : undefined;
}
