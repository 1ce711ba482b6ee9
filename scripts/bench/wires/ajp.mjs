/**
 * One request as Debian's Apache 2.4 sends it with mod_proxy_ajp: FORWARD_REQUEST with coded header names, its two request
 * attributes, and the body in a packet behind it, in one write. Independent of what is measured.
 */

const methods = { GET: 2, POST: 4 };

/** Names that have a code, from 0xA001. */
const coded = [
  'accept',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  'authorization',
  'connection',
  'content-type',
  'content-length',
  'cookie',
  'cookie2',
  'host',
  'pragma',
  'referer',
  'user-agent',
];

const SEND_BODY_CHUNK = 3;
const SEND_HEADERS = 4;
const END_RESPONSE = 5;
const REQ_ATTRIBUTE = 10;

function u16(value) {
  return Buffer.from([value >> 8, value & 255]);
}

function string(text) {
  return Buffer.concat([u16(text.length), Buffer.from(`${text}\0`, 'latin1')]);
}

function packet(...parts) {
  const payload = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(0x12, 0x34), u16(payload.length), payload]);
}

function headerName(name) {
  const code = coded.indexOf(name.toLowerCase());
  return code < 0 ? string(name) : u16(0xa001 + code);
}

function attribute(name, value) {
  return Buffer.concat([Buffer.of(REQ_ATTRIBUTE), string(name), string(value)]);
}

/**
 * @param headers those of the client
 * @param port AJP_REMOTE_PORT
 */
export function encode({ method, target, body }, headers, port) {
  const forward = packet(
    Buffer.of(2, methods[method]),
    string('HTTP/1.1'),
    string(target),
    string('127.0.0.1'),
    // no name of the client's address is known
    u16(0xffff),
    string('www.example.org'),
    u16(80),
    Buffer.of(0),
    u16(headers.length),
    ...headers.flatMap(([name, value]) => [headerName(name), string(value)]),
    attribute('AJP_REMOTE_PORT', String(port)),
    attribute('AJP_LOCAL_ADDR', '127.0.0.1'),
    Buffer.of(0xff),
  );
  return body === '' ? forward : Buffer.concat([forward, packet(u16(body.length), Buffer.from(body))]);
}

/**
 * The reply in `bytes`, once its END_RESPONSE is there.
 * @returns {{ status: number, body: string, size: number } | undefined} size: of the whole reply, in bytes
 * @throws Error bytes that are no packet
 */
export function decode(bytes) {
  let status = 0;
  let body = '';
  for (let at = 0; at + 5 <= bytes.length; ) {
    if (bytes[at] !== 0x41 || bytes[at + 1] !== 0x42) throw new Error(`no AJP packet at byte ${at} of a reply`);
    const payload = at + 4;
    at = payload + bytes.readUInt16BE(at + 2);
    if (at > bytes.length) return undefined;
    if (bytes[payload] === SEND_HEADERS) status = bytes.readUInt16BE(payload + 1);
    if (bytes[payload] === SEND_BODY_CHUNK)
      body += bytes.latin1Slice(payload + 3, payload + 3 + bytes.readUInt16BE(payload + 1));
    if (bytes[payload] === END_RESPONSE) return { status, body, size: at };
  }
  return undefined;
}
