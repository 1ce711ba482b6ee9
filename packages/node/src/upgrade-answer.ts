import { isToken, LocalProtocolError, ReplyFields } from '@postern/core';

/** So many bytes may a raw answer to an upgrade have: its head, and where it is a refusal its body. */
const MOST = 65_536;

/** What an application writes to the raw socket in the place of a reply: its head, and what stands behind it. */
export interface RawAnswer {
  readonly status: number;
  readonly reason: string;
  /** Flat [name, value, …]. */
  readonly headers: string[];
  /** Content-Length; Infinity: up to the end of the socket. */
  readonly length: number;
}

function refuse(message: string): never {
  throw new LocalProtocolError('ERR_UPGRADE', `the answer to an upgrade must be one of HTTP/1.1: ${message}`);
}

/** Reads the raw answer of an application to a request for an upgrade: `HTTP/1.1 101 …`, or a refusal with its body. */
export class UpgradeAnswer {
  #head: RawAnswer | undefined;
  #chunks: Buffer[] = [];
  #length = 0;

  get head(): RawAnswer | undefined {
    return this.#head;
  }

  /** Nothing has been written. */
  get empty(): boolean {
    return this.#head === undefined && this.#length === 0;
  }

  /** All of a refusal is there. */
  get whole(): boolean {
    return this.#head !== undefined && this.#length >= this.#head.length;
  }

  /** @throws LocalProtocolError ERR_UPGRADE: this is no answer, or too long */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#head === undefined) this.#readHead();
    if (this.#head?.status !== 101 && this.#length > MOST) refuse(`it has more than ${MOST} bytes`);
  }

  #readHead(): void {
    const bytes = Buffer.concat(this.#chunks);
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0 && bytes.length <= MOST && 'HTTP/1.'.startsWith(bytes.toString('latin1', 0, 7))) return;
    if (end < 0 || end > MOST) refuse(end < 0 ? 'it begins otherwise, or has no end' : 'its head is too long');
    this.#head = readHead(bytes.toString('latin1', 0, end));
    this.#chunks = [bytes.subarray(end + 4)];
    this.#length = bytes.length - end - 4;
  }

  /** What stands behind the head: of a refusal its body. */
  get rest(): Buffer {
    const bytes = Buffer.concat(this.#chunks);
    const { length = 0 } = this.#head ?? {};
    return this.#head?.status !== 101 && bytes.length > length ? bytes.subarray(0, length) : bytes;
  }
}

function readHead(text: string): RawAnswer {
  const [line, ...fields] = text.split('\r\n');
  const [, code, reason = ''] = /^HTTP\/1\.[01] ([0-9]{3})(?: ([\t\x20-\x7e\x80-\xff]*))?$/.exec(line) ?? [];
  if (code === undefined) refuse('its first line is no status line');
  const status = Number(code);
  if (status < 200 && status !== 101) refuse(`its status is ${status}`);
  const { headers, length } = readFields(fields);
  return { status, reason, headers, length };
}

function readFields(fields: readonly string[]): { headers: string[]; length: number } {
  const read = new ReplyFields({ maxReplyHeaders: 256 });
  for (const field of fields) {
    const at = field.indexOf(':');
    const name = field.slice(0, Math.max(0, at));
    if (!isToken(name)) refuse('a line of its head is no field');
    try {
      read.add(name, field.slice(at + 1));
    } catch (error) {
      refuse((error as Error).message);
    }
  }
  const { headers } = read;
  const at = headers.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'content-length');
  return { headers, length: at < 0 ? Number.POSITIVE_INFINITY : Number(headers[at + 1]) };
}
