import { printable, RemoteProtocolError } from './errors.ts';
import { isFieldValue, isToken } from './headers.ts';
import { reasonOf } from './status.ts';

export interface CgiReplyHead {
  readonly status: number;
  readonly reason: string;
  /** Flat [name, value, …] without Status. */
  readonly headers: string[];
  /** What of the body has come behind the head. */
  readonly rest: Uint8Array;
}

function malformed(message: string): never {
  throw new RemoteProtocolError('ERR_REPLY', message, { status: 502 });
}

/**
 * Reads the head of a reply in CGI's form (RFC 3875 §6), which may come in any pieces. Lines end with LF or CRLF.
 * Without Status a Location means 302, else 200.
 */
export class CgiReplyReader {
  readonly #limits: { maxReplyHeaders: number; maxReplyHeaderBytes: number };
  #text = '';
  #scanned = 0;

  constructor(limits: { maxReplyHeaders: number; maxReplyHeaderBytes: number }) {
    this.#limits = limits;
  }

  /** No byte has come. */
  get empty(): boolean {
    return this.#text === '';
  }

  /**
   * The head, once its empty line is there.
   * @throws RemoteProtocolError ERR_REPLY (502): malformed, or above maxReplyHeaders or maxReplyHeaderBytes
   */
  push(chunk: Uint8Array): CgiReplyHead | undefined {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const before = this.#text.length;
    this.#text += bytes.toString('latin1', 0, Math.min(bytes.length, this.#limits.maxReplyHeaderBytes + 4 - before));
    const blank = /\r?\n\r?\n/g;
    blank.lastIndex = Math.max(0, this.#scanned - 3);
    const match = blank.exec(this.#text);
    this.#scanned = this.#text.length;
    if (match === null) {
      if (this.#text.length > this.#limits.maxReplyHeaderBytes)
        malformed(`the reply has more than ${this.#limits.maxReplyHeaderBytes} bytes of headers`);
      return undefined;
    }
    return { ...this.#parse(this.#text.slice(0, match.index)), rest: bytes.subarray(blank.lastIndex - before) };
  }

  #parse(text: string): { status: number; reason: string; headers: string[] } {
    const headers: string[] = [];
    let status = 0;
    let reason = '';
    let located = false;
    for (const line of text.split(/\r?\n/)) {
      const colon = line.indexOf(':');
      const name = line.slice(0, colon);
      if (colon < 0 || !isToken(name)) malformed(`a header line of the reply is "${printable(line.slice(0, 60))}"`);
      const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '');
      if (!isFieldValue(value)) malformed(`the value of header ${name} holds a control character`);
      const lower = name.toLowerCase();
      if (lower === 'status') {
        const parts = /^([1-9][0-9]{2})(?: (.*))?$/.exec(value);
        if (parts === null || status !== 0) malformed(`Status "${printable(value.slice(0, 60))}"`);
        status = Number(parts[1]);
        reason = parts[2] ?? '';
        continue;
      }
      if (lower === 'location') located = true;
      headers.push(name, value);
      if (headers.length > this.#limits.maxReplyHeaders * 2)
        malformed(`the reply has more than ${this.#limits.maxReplyHeaders} header fields`);
    }
    if (status === 0) status = located ? 302 : 200;
    return { status, reason: reason || reasonOf(status), headers };
  }
}
