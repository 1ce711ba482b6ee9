import { methods, requestHeaders } from '../src/constants.ts';

/** Bytes from hexadecimal digits; blanks do not count. */
export function hex(text: string): Buffer {
  return Buffer.from(text.replace(/\s/g, ''), 'hex');
}

export function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255]);
}

export function str(text: string | null): Buffer {
  return text === null ? hex('ffff') : Buffer.concat([u16(text.length), Buffer.from(`${text}\0`, 'latin1')]);
}

/** A packet towards the application. */
export function packet(...parts: Uint8Array[]): Buffer {
  const payload = Buffer.concat(parts);
  return Buffer.concat([hex('1234'), u16(payload.length), payload]);
}

/** A packet with bytes of a request body. */
export function bodyPacket(data: Uint8Array | string): Buffer {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
  return packet(u16(bytes.length), bytes);
}

/** A header whose name has a code is written with it, unless its name has an upper-case letter. */
export function header(name: string, value: string | null): Buffer {
  const code = requestHeaders.indexOf(name as never);
  return Buffer.concat([code < 0 ? str(name) : u16(0xa001 + code), str(value)]);
}

/** A request attribute (code 10). */
export function attribute(name: string | null, value: string | null): Buffer {
  return Buffer.concat([hex('0a'), str(name), str(value)]);
}

export interface Forward {
  method?: string | number;
  protocol?: string | null;
  uri?: string | null;
  address?: string | null;
  host?: string | null;
  server?: string | null;
  port?: number;
  ssl?: number;
  /** Flat [name, value, …]. */
  headers?: (string | null)[];
  /** Instead of how many there are. */
  count?: number;
  /** As they stand on the wire, without their end. */
  attributes?: Uint8Array[];
  end?: Uint8Array;
}

/** FORWARD_REQUEST. A method without a code goes into an attribute. */
export function forward(request: Forward = {}): Buffer {
  const { method = 'GET', headers = ['host', 'a'], attributes = [] } = request;
  const { protocol = 'HTTP/1.1', uri = '/', address = '127.0.0.1', host = null, server = 'a' } = request;
  const code = typeof method === 'number' ? method : methods.indexOf(method as never) + 1 || 0xff;
  const stored = typeof method === 'string' && code === 0xff ? [Buffer.concat([hex('0d'), str(method)])] : [];
  const fields: Buffer[] = [];
  for (let i = 0; i < headers.length; i += 2) fields.push(header(headers[i] as string, headers[i + 1]));
  return packet(
    Buffer.from([2, code]),
    str(protocol),
    str(uri),
    str(address),
    str(host),
    str(server),
    u16(request.port ?? 80),
    Buffer.from([request.ssl ?? 0]),
    u16(request.count ?? fields.length),
    ...fields,
    ...attributes,
    ...stored,
    request.end ?? hex('ff'),
  );
}

export const END_REUSE = 'AB\x00\x02\x05\x01';
export const END_CLOSE = 'AB\x00\x02\x05\x00';
export const CPING = hex('12 34 00 01 0a');
export const EMPTY = hex('12 34 00 00');

export type Message =
  | { type: 'headers'; status: number; reason: string; headers: string[] }
  | { type: 'body'; text: string }
  | { type: 'end'; reuse: boolean }
  | { type: 'ask'; length: number }
  | { type: 'pong' };

/** Reads packets towards the web server as strictly as httpd does. @throws Error they are malformed */
export function readMessages(text: string, packetSize = 8192): Message[] {
  const bytes = Buffer.from(text, 'latin1');
  const messages: Message[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < 5 || bytes.readUInt16BE(at) !== 0x4142) throw new Error(`no packet at ${at}`);
    const length = bytes.readUInt16BE(at + 2);
    const payload = bytes.subarray(at + 4, at + 4 + length);
    if (payload.length !== length || length > packetSize - 4) throw new Error(`a packet of ${length} bytes at ${at}`);
    messages.push(readMessage(payload));
    at += 4 + length;
  }
  return messages;
}

function readMessage(payload: Buffer): Message {
  switch (payload[0]) {
    case 3: {
      const length = payload.readUInt16BE(1);
      if (payload.length !== length + 4 || payload.at(-1) !== 0) throw new Error('a malformed SEND_BODY_CHUNK');
      return { type: 'body', text: payload.toString('latin1', 3, 3 + length) };
    }
    case 4:
      return readHead(payload);
    case 5:
      if (payload.length !== 2) throw new Error('a malformed END_RESPONSE');
      return { type: 'end', reuse: payload[1] === 1 };
    case 6:
      if (payload.length !== 3) throw new Error('a malformed GET_BODY_CHUNK');
      return { type: 'ask', length: payload.readUInt16BE(1) };
    case 9:
      if (payload.length !== 1) throw new Error('a malformed CPONG');
      return { type: 'pong' };
    default:
      throw new Error(`a packet of type ${payload[0]}`);
  }
}

const replyNames = 'Content-Type Content-Language Content-Length Date Last-Modified Location Set-Cookie Set-Cookie2 '
  .concat('Servlet-Engine Status WWW-Authenticate')
  .split(' ');

function readHead(payload: Buffer): Message {
  let at = 3;
  const string = (): string => {
    const length = payload.readUInt16BE(at);
    if (payload[at + 2 + length] !== 0) throw new Error('a string without NUL');
    at += 3 + length;
    return payload.toString('latin1', at - 1 - length, at - 1);
  };
  const reason = string();
  const count = payload.readUInt16BE(at);
  at += 2;
  const headers: string[] = [];
  for (let i = 0; i < count; i++) {
    const code = payload.readUInt16BE(at);
    if (code >> 8 === 0xa0) {
      headers.push(`${replyNames[(code & 255) - 1]}*`);
      at += 2;
    } else headers.push(string());
    headers.push(string());
  }
  if (at !== payload.length) throw new Error('bytes behind SEND_HEADERS');
  return { type: 'headers', status: payload.readUInt16BE(1), reason, headers };
}
