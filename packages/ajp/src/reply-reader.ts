import { isFieldValue, RemoteProtocolError, ReplyFields, reasonOf } from '@postern/core';
import { HEADER_CODE, replyHeaders } from './constants.ts';
import { PayloadReader } from './strings.ts';

export interface ReplyHead {
  readonly status: number;
  readonly reason: string;
  /** Flat [name, value, …] without Status. */
  readonly headers: string[];
}

/** The back-end broke a rule: its answer cannot be used. */
export function broken(message: string): never {
  throw new RemoteProtocolError('ERR_REPLY', message, { status: 502 });
}

/**
 * The head of a reply from the payload of its SEND_HEADERS.
 * @param maxHeaders header fields, at most
 * @throws RemoteProtocolError ERR_REPLY (502): malformed, or too many header fields; ERR_AJP_PACKET: a string runs past
 * the payload or holds NUL
 */
export function readReplyHead(bytes: Buffer, maxHeaders: number): ReplyHead {
  const payload = new PayloadReader(bytes);
  payload.u8();
  const status = payload.u16();
  if (status < 200 || status > 999) broken(`a reply with status ${status}`);
  const reason = payload.string() ?? '';
  if (!isFieldValue(reason)) broken('the reason of the reply holds a control character');
  const headers = readHeaders(payload, maxHeaders);
  if (payload.left > 0) broken(`${payload.left} bytes behind the head of the reply`);
  // Tomcat sends the number in place of a phrase, for it must send something
  return { status, reason: reason === '' || reason === String(status) ? reasonOf(status) : reason, headers };
}

function readHeaders(payload: PayloadReader, most: number): string[] {
  const count = payload.u16();
  if (count > most) broken(`the reply has ${count} header fields, at most ${most} are read`);
  const fields = new ReplyFields({ maxReplyHeaders: most });
  for (let i = 0; i < count; i++) {
    const name = readName(payload);
    const value = payload.string() ?? '';
    // what stands in SEND_HEADERS itself is the status
    if (name.toLowerCase() !== 'status') fields.add(name, value);
  }
  return fields.headers;
}

function readName(payload: PayloadReader): string {
  const code = payload.u16();
  if ((code & 0xff00) === HEADER_CODE)
    return replyHeaders[(code & 0xff) - 1] ?? broken(`header code 0x${code.toString(16)} is unknown`);
  return payload.stringOf(code);
}

/**
 * The body bytes of a SEND_BODY_CHUNK: a view. A byte stands behind them, which Tomcat sends as NUL, and some containers
 * leave out.
 * @throws RemoteProtocolError ERR_REPLY (502): its two lengths contradict each other
 */
export function readChunk(payload: Buffer): Buffer {
  const length = (payload[1] << 8) | payload[2];
  if (payload.length !== length + 4 && payload.length !== length + 3)
    broken(`a SEND_BODY_CHUNK of ${payload.length} bytes gives ${length} as its length`);
  return payload.subarray(3, 3 + length);
}
