import { printable } from './errors.ts';
import { isFieldValue } from './headers.ts';
import { malformedReply, ReplyFields, trimBlanks } from './reply-fields.ts';
import { reasonOf } from './status.ts';

export interface CgiReplyHead {
  readonly status: number;
  readonly reason: string;
  /** Flat [name, value, …] without Status. */
  readonly headers: string[];
  /** What of the body has come behind the head. */
  readonly rest: Uint8Array;
}

/** Heads with a status of 1xx that may stand before the final one. */
const MAX_INTERIM = 8;

/** RFC 9112 §4. */
const STATUS_LINE = /^HTTP\/1\.[01] ([1-9][0-9]{2})(?: (.*))?$/;

/** What the line that is being read holds: nothing yet, a CR alone, or more. */
const Line = { empty: 0, cr: 1, text: 2 } as const;

/**
 * Reads the head of a reply in CGI's form (RFC 3875 §6), which may come in any pieces. Lines end with LF or CRLF, and none
 * is folded. Without Status a Location means 302, else 200. That is so for a local path too (§6.2.2): nginx and lighttpd do
 * not serve it in the place of the reply either, and a client that wants to can see it by its leading slash. Interim heads
 * (1xx) are passed over. Fields of the back-end's own connection (Connection, Keep-Alive) are given as they came;
 * Transfer-Encoding is refused, see `ReplyFields`.
 */
export class CgiReplyReader {
  readonly #limits: { maxReplyHeaders: number; maxReplyHeaderBytes: number };
  readonly #statusLine: boolean;
  #text = '';
  #line: number = Line.empty;
  #interim = 0;

  /** @param statusLine a head may begin with a status line of HTTP in the place of Status, as uwsgi's and NPH scripts' do */
  constructor(limits: { maxReplyHeaders: number; maxReplyHeaderBytes: number }, statusLine = false) {
    this.#limits = limits;
    this.#statusLine = statusLine;
  }

  /**
   * The head, once its empty line is there.
   * @throws RemoteProtocolError ERR_REPLY (502): malformed, or above maxReplyHeaders or maxReplyHeaderBytes
   */
  push(chunk: Uint8Array): CgiReplyHead | undefined {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const room = this.#limits.maxReplyHeaderBytes - this.#text.length;
    const end = this.#findEnd(bytes, Math.min(bytes.length, room));
    if (end < 0 && bytes.length > room)
      malformedReply(`the head of the reply has more than ${this.#limits.maxReplyHeaderBytes} bytes`);
    this.#text += bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
    if (end < 0) return undefined;
    const head = this.#parse(this.#text);
    const rest = bytes.subarray(end);
    if (head.status >= 200) return { ...head, rest };
    if (head.status === 101 || ++this.#interim > MAX_INTERIM) malformedReply(`a reply with status ${head.status}`);
    this.#text = '';
    return this.push(rest);
  }

  /** Where the empty line ends; -1: not in these bytes. Each byte is looked at once, however the head is cut. */
  #findEnd(bytes: Buffer, most: number): number {
    for (let i = 0; i < most; i++) {
      const byte = bytes[i];
      if (byte !== 10) this.#line = byte === 13 && this.#line === Line.empty ? Line.cr : Line.text;
      else {
        const blank = this.#line !== Line.text;
        this.#line = Line.empty;
        if (blank) return i + 1;
      }
    }
    return -1;
  }

  #parse(text: string): { status: number; reason: string; headers: string[] } {
    const fields = new ReplyFields(this.#limits);
    const lines = text.split(/\r?\n/).slice(0, -2);
    if (lines.length === 0) malformedReply('the reply begins with an empty line');
    let status = 0;
    let reason = '';
    let located = false;
    const first = this.#statusLine ? STATUS_LINE.exec(lines[0]) : null;
    if (first !== null) {
      lines.shift();
      status = Number(first[1]);
      reason = first[2] ?? '';
      if (!isFieldValue(reason)) malformedReply('the reason holds a control character');
    }
    for (const line of lines) {
      const colon = line.indexOf(':');
      if (colon < 0) malformedReply(`a header line of the reply is "${printable(line.slice(0, 60))}"`);
      const name = line.slice(0, colon);
      const lower = name.toLowerCase();
      if (lower === 'status') {
        const value = trimBlanks(line.slice(colon + 1));
        const parts = /^([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?$/.exec(value);
        if (parts === null || status !== 0) malformedReply(`Status "${printable(value.slice(0, 60))}"`);
        status = Number(parts[1]);
        reason = parts[2] ?? '';
        continue;
      }
      const value = fields.add(name, line.slice(colon + 1));
      // an empty one leads nowhere
      if (lower === 'location' && value !== '') located = true;
    }
    if (status === 0) status = located ? 302 : 200;
    return { status, reason: reason || reasonOf(status), headers: fields.headers };
  }
}
