/**
 * One request as Debian's nginx 1.22 sends it with `include uwsgi_params`: the same variables in the same order, in one
 * write. Independent of what is measured.
 */
import { field, headerVariables } from './variables.mjs';

export { decode } from './scgi.mjs';

function u16le(value) {
  return Buffer.from([value & 255, value >> 8]);
}

/**
 * @param headers those of the client
 * @param port REMOTE_PORT
 */
export function encode({ method, target, body }, headers, port) {
  const host = field(headers, 'host');
  const variables = [
    ['QUERY_STRING', ''],
    ['REQUEST_METHOD', method],
    ['CONTENT_TYPE', field(headers, 'content-type')],
    ['CONTENT_LENGTH', field(headers, 'content-length')],
    ['REQUEST_URI', target],
    ['PATH_INFO', target],
    ['DOCUMENT_ROOT', '/var/www/html'],
    ['SERVER_PROTOCOL', 'HTTP/1.1'],
    ['REQUEST_SCHEME', 'http'],
    ['REMOTE_ADDR', '127.0.0.1'],
    ['REMOTE_PORT', String(port)],
    ['SERVER_PORT', '80'],
    ['SERVER_NAME', host],
    ['HTTP_HOST', host],
    ...headerVariables(headers.filter(([name]) => name !== 'Host')),
  ];
  const strings = variables.flat().flatMap((text) => [u16le(text.length), Buffer.from(text, 'latin1')]);
  const block = Buffer.concat(strings);
  return Buffer.concat([Buffer.of(0), u16le(block.length), Buffer.of(0), block, Buffer.from(body)]);
}
