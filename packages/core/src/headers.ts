import { type ErrorCode, LocalProtocolError, printable } from './errors.ts';
import type { LimitName } from './limits.ts';
import { ownText } from './own-text.ts';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 9110 §5.5: HTAB, SP, visible ASCII, and bytes above as latin-1. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Fields that frame or route a connection: the web server owns them, an application's are left out (RFC 9110 §7.6.1). */
const owned = new Set([
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'te',
  'trailer',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'status',
]);

/** What becomes of a header by its name. */
const Use = { sent: 0, owned: 1, length: 2 } as const;
/** Names that were looked at, as applications write them. They write the same ones again and again. */
const uses = new Map<string, number>();
const MOST_USES = 1024;

/** @throws LocalProtocolError ERR_HEADER_NAME */
function useOf(name: string): number {
  if (typeof name !== 'string' || !TOKEN.test(name))
    refuse('ERR_HEADER_NAME', `header name "${printable(String(name))}"`);
  const lower = name.toLowerCase();
  const use = lower === 'content-length' ? Use.length : owned.has(lower) ? Use.owned : Use.sent;
  if (uses.size < MOST_USES) uses.set(ownText(name), use);
  return use;
}

function refuse(code: ErrorCode, message: string, limit?: LimitName): never {
  throw new LocalProtocolError(code, message, { limit });
}

export function isToken(name: string): boolean {
  return uses.has(name) || TOKEN.test(name);
}

/** Whether a value may stand in a header field, both ways. */
export function isFieldValue(value: string): boolean {
  return VALUE.test(value);
}

export interface CheckedHeaders {
  /** Flat [name, value, …], as they are to be sent. */
  headers: string[];
  /** Content-Length; -1: not given. */
  contentLength: number;
  /** Of all fields, as lines. */
  bytes: number;
}

/**
 * The headers of a reply as they may go on the wire: what the web server owns left out, everything else checked.
 * The array is used as it is when nothing has to be left out.
 * @throws LocalProtocolError ERR_HEADER_NAME, ERR_HEADER_VALUE, ERR_HEADER_BLOCK, ERR_CONTENT_LENGTH
 */
export function checkHeaders(
  headers: string[],
  limits: { maxReplyHeaders: number; maxReplyHeaderBytes: number },
): CheckedHeaders {
  if (headers.length > limits.maxReplyHeaders * 2)
    refuse(
      'ERR_HEADER_BLOCK',
      `the reply has ${headers.length / 2} header fields, maxReplyHeaders is ${limits.maxReplyHeaders}`,
      'maxReplyHeaders',
    );
  let kept = headers;
  let contentLength = -1;
  let bytes = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i];
    const value = headers[i + 1];
    const use = uses.get(name) ?? useOf(name);
    if (typeof value !== 'string' || !VALUE.test(value))
      refuse('ERR_HEADER_VALUE', `the value of header "${name}" (${typeof value}) holds what may not be sent`);
    bytes += name.length + value.length + 4;
    let drop = use === Use.owned;
    if (use === Use.length) {
      if (!/^[0-9]{1,15}$/.test(value) || (contentLength >= 0 && contentLength !== Number(value)))
        refuse('ERR_CONTENT_LENGTH', `Content-Length "${printable(value)}"`);
      drop = contentLength >= 0;
      contentLength = Number(value);
    }
    if (drop && kept === headers) kept = headers.slice(0, i);
    else if (!drop && kept !== headers) kept.push(name, value);
  }
  if (bytes > limits.maxReplyHeaderBytes)
    refuse(
      'ERR_HEADER_BLOCK',
      `the reply has ${bytes} bytes of headers, maxReplyHeaderBytes is ${limits.maxReplyHeaderBytes}`,
      'maxReplyHeaderBytes',
    );
  return { headers: kept, contentLength, bytes };
}

/** @throws LocalProtocolError ERR_STATUS, ERR_HEADER_VALUE (the reason) */
export function checkStatus(status: number, reason: string): void {
  if (!Number.isInteger(status) || status < 200 || status > 999) refuse('ERR_STATUS', `status ${String(status)}`);
  if (typeof reason !== 'string' || !VALUE.test(reason))
    refuse('ERR_HEADER_VALUE', 'the reason phrase holds what may not be sent');
}

/** Replies that never have a body: to HEAD, 204, 205, 304 (RFC 9110 §6.4.1). */
export function isBodyless(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 205 || status === 304;
}
