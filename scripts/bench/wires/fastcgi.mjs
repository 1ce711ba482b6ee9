/**
 * One request as Debian's nginx 1.22 sends it with `include fastcgi_params`: the same variables in the same order, all
 * PARAMS in one record, then the two empty records, in one write. Independent of what is measured.
 */
import { cgiReply, field, headerVariables } from './variables.mjs';

const BEGIN_REQUEST = 1;
const END_REQUEST = 3;
const PARAMS = 4;
const STDIN = 5;
const STDOUT = 6;

function record(type, content) {
  const padding = -content.length & 7;
  const header = Buffer.from([1, type, 0, 1, content.length >> 8, content.length & 255, padding, 0]);
  return Buffer.concat([header, content, Buffer.alloc(padding)]);
}

function pair(name, value) {
  const lengths = [name.length, value.length].flatMap((length) =>
    length < 128 ? [length] : [(length >> 24) | 0x80, (length >> 16) & 255, (length >> 8) & 255, length & 255],
  );
  return Buffer.concat([Buffer.from(lengths), Buffer.from(name + value, 'latin1')]);
}

function variables(method, target, headers, port) {
  const host = field(headers, 'host');
  return [
    ['QUERY_STRING', ''],
    ['REQUEST_METHOD', method],
    ['CONTENT_TYPE', field(headers, 'content-type')],
    ['CONTENT_LENGTH', field(headers, 'content-length')],
    ['SCRIPT_NAME', target],
    ['REQUEST_URI', target],
    ['DOCUMENT_URI', target],
    ['DOCUMENT_ROOT', '/var/www/html'],
    ['SERVER_PROTOCOL', 'HTTP/1.1'],
    ['REQUEST_SCHEME', 'http'],
    ['GATEWAY_INTERFACE', 'CGI/1.1'],
    ['SERVER_SOFTWARE', 'nginx/1.22.1'],
    ['REMOTE_ADDR', '127.0.0.1'],
    ['REMOTE_PORT', String(port)],
    ['REMOTE_USER', ''],
    ['SERVER_ADDR', '127.0.0.1'],
    ['SERVER_PORT', '80'],
    ['SERVER_NAME', host],
    ['REDIRECT_STATUS', '200'],
    ['HTTP_HOST', host],
    ...headerVariables(headers.filter(([name]) => name !== 'Host')),
  ];
}

/**
 * @param request `variables`: further ones, as a line `fastcgi_param` adds them
 * @param headers those of the client
 * @param port REMOTE_PORT
 * @param keep FCGI_KEEP_CONN
 */
export function encode({ method, target, body, variables: further = [] }, headers, port, keep) {
  const params = [...variables(method, target, headers, port), ...further].map(([name, value]) => pair(name, value));
  const records = [
    record(BEGIN_REQUEST, Buffer.from([0, 1, keep ? 1 : 0, 0, 0, 0, 0, 0])),
    record(PARAMS, Buffer.concat(params)),
    record(PARAMS, Buffer.alloc(0)),
  ];
  if (body !== '') records.push(record(STDIN, Buffer.from(body)));
  records.push(record(STDIN, Buffer.alloc(0)));
  return Buffer.concat(records);
}

/**
 * The reply in `bytes`, once its END_REQUEST is there.
 * @returns {{ status: number, body: string, size: number } | undefined} size: of the whole reply, in bytes
 * @throws Error END_REQUEST with a protocolStatus other than 0
 */
export function decode(bytes) {
  let stdout = '';
  for (let at = 0; at + 8 <= bytes.length; ) {
    const type = bytes[at + 1];
    const length = (bytes[at + 4] << 8) | bytes[at + 5];
    const content = at + 8;
    at = content + length + bytes[at + 6];
    if (at > bytes.length) return undefined;
    if (type === STDOUT) stdout += bytes.latin1Slice(content, content + length);
    if (type !== END_REQUEST) continue;
    if (bytes[content + 4] !== 0) throw new Error(`END_REQUEST with protocolStatus ${bytes[content + 4]}`);
    return { ...cgiReply(stdout), size: at };
  }
  return undefined;
}
