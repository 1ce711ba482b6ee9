/**
 * One small request, and what was answered, in each of the five protocols, made and read by hand: it shares nothing with
 * the codecs.
 */
import { request as fastcgiRequest, readReplies, type Variables } from './fastcgi-bytes.ts';

export const fiveProtocols = ['fastcgi', 'scgi', 'ajp', 'uwsgi', 'http'] as const;
export type OneOfFive = (typeof fiveProtocols)[number];

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function u16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 255);
}

function u16le(value: number): Buffer {
  return Buffer.of(value & 255, value >> 8);
}

function variablesOf(path: string, length: number): Record<string, string> {
  return {
    CONTENT_LENGTH: String(length),
    SCGI: '1',
    REQUEST_METHOD: length === 0 ? 'GET' : 'POST',
    REQUEST_URI: path,
    SCRIPT_NAME: '',
    PATH_INFO: path,
    QUERY_STRING: '',
    SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_NAME: 'app.test',
    SERVER_PORT: '80',
    HTTP_HOST: 'app.test',
  };
}

/** 0x1234, a length, and what they frame. */
function packet(...parts: Uint8Array[]): Buffer {
  const payload = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(0x12, 0x34), u16(payload.length), payload]);
}

function ajpString(text: string): Buffer {
  return Buffer.concat([u16(text.length), latin1(`${text}\0`)]);
}

function ajpRequest(path: string, body: string, length: number): Buffer {
  const headers = [u16(0xa00b), ajpString('app.test'), u16(0xa008), ajpString(String(length))];
  const forward = packet(
    Buffer.of(2, length === 0 ? 2 : 4),
    ...['HTTP/1.1', path, '127.0.0.1', 'localhost', 'app.test'].map(ajpString),
    u16(80),
    Buffer.of(0),
    u16(2),
    ...headers,
    Buffer.of(0xff),
  );
  return body === '' ? forward : Buffer.concat([forward, packet(u16(body.length), latin1(body))]);
}

/**
 * GET, or POST where there is a body; the last request on its connection where the protocol can say that.
 * @param length what the head says of the body, where less of it is sent
 */
export function requestInFive(protocol: OneOfFive, path: string, body = '', length = body.length): Buffer {
  const variables = variablesOf(path, length);
  switch (protocol) {
    case 'fastcgi':
      return fastcgiRequest(variables as Variables, { body });
    case 'scgi': {
      const block = Object.entries(variables)
        .map(([name, value]) => `${name}\0${value}\0`)
        .join('');
      return latin1(`${block.length}:${block},${body}`);
    }
    case 'uwsgi': {
      const items = Object.entries(variables).flatMap(([name, value]) => [
        u16le(name.length),
        latin1(name),
        u16le(value.length),
        latin1(value),
      ]);
      const block = Buffer.concat(items);
      return Buffer.concat([Buffer.of(0), u16le(block.length), Buffer.of(0), block, latin1(body)]);
    }
    case 'ajp':
      return ajpRequest(path, body, length);
    case 'http': {
      const head = `${variables.REQUEST_METHOD} ${path} HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`;
      return latin1(head + body);
    }
  }
}

export interface FiveReply {
  readonly status: number;
  readonly body: string;
}

/**
 * The reply in what has come; undefined: it is not complete.
 * @param ended the connection has ended
 */
export function replyInFive(protocol: OneOfFive, bytes: Buffer, ended: boolean): FiveReply | undefined {
  switch (protocol) {
    case 'fastcgi': {
      // a record of END_REQUEST is all that ends a reply
      if (bytes.length < 16 || bytes[bytes.length - 15] !== 3) return undefined;
      const [reply] = readReplies(bytes).replies;
      return reply?.end === undefined ? undefined : textReply(reply.stdout);
    }
    case 'ajp':
      return ajpReply(bytes);
    default:
      return ended ? textReply(bytes.toString('latin1')) : undefined;
  }
}

function textReply(text: string): FiveReply {
  const status = /^(?:Status: |HTTP\/1\.1 )(\d{3})/.exec(text)?.[1];
  if (status === undefined) throw new Error(`no reply: ${text.slice(0, 300)}`);
  return { status: Number(status), body: text.slice(text.indexOf('\r\n\r\n') + 4) };
}

function ajpReply(bytes: Buffer): FiveReply | undefined {
  let status = 0;
  let body = '';
  for (let at = 0; at + 5 <= bytes.length; ) {
    const end = at + 4 + bytes.readUInt16BE(at + 2);
    if (bytes.toString('latin1', at, at + 2) !== 'AB') throw new Error(`no packet at ${at}`);
    if (end > bytes.length) return undefined;
    const type = bytes[at + 4];
    if (type === 4) status = bytes.readUInt16BE(at + 5);
    if (type === 3) body += bytes.toString('latin1', at + 7, at + 7 + bytes.readUInt16BE(at + 5));
    if (type === 5) return { status, body };
    at = end;
  }
  return undefined;
}
