import { printable, RemoteProtocolError } from './errors.ts';
import { isFieldValue, isToken } from './headers.ts';

/** @throws RemoteProtocolError ERR_REPLY (502) */
export function malformedReply(message: string): never {
  throw new RemoteProtocolError('ERR_REPLY', message, { status: 502 });
}

/** A field value without the blanks around it (RFC 9110 §5.5). */
export function trimBlanks(raw: string): string {
  let from = 0;
  let to = raw.length;
  // a pattern that ends with `$` tries each run of blanks inside the value from each of its places
  while (isBlank(raw.charCodeAt(from))) from++;
  while (to > from && isBlank(raw.charCodeAt(to - 1))) to--;
  return raw.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

/** The header fields of a back-end's reply, as they are read one by one, in whatever way they are framed. */
export class ReplyFields {
  /** Flat [name, value, …]. */
  readonly headers: string[] = [];
  readonly #most: number;
  #length: string | undefined;

  /** @param limits maxReplyHeaders: fields */
  constructor(limits: { maxReplyHeaders: number }) {
    this.#most = limits.maxReplyHeaders;
  }

  /**
   * A field, with or without blanks around its value.
   * @returns the value that was kept
   * @throws RemoteProtocolError ERR_REPLY (502): the name is no token, the value holds a control character, Content-Length
   * is no whole number or contradicts an earlier one, Transfer-Encoding, or more fields than the limit
   */
  add(name: string, raw: string): string {
    if (!isToken(name)) malformedReply(`a header name of the reply is "${printable(name.slice(0, 60))}"`);
    const value = trimBlanks(raw);
    if (!isFieldValue(value)) malformedReply(`the value of header ${name.slice(0, 60)} holds a control character`);
    const lower = name.toLowerCase();
    if (lower === 'transfer-encoding') {
      // the gateway frames the body; with a coding inside it there would be two truths about its end
      malformedReply('Transfer-Encoding in a reply, where the gateway protocol frames the body');
    }
    if (lower === 'content-length') {
      if (!/^[0-9]{1,15}$/.test(value) || (this.#length !== undefined && this.#length !== value))
        malformedReply(`Content-Length "${printable(value.slice(0, 60))}"`);
      if (this.#length === value) return value;
      this.#length = value;
    }
    this.headers.push(name, value);
    if (this.headers.length > this.#most * 2) malformedReply(`the reply has more than ${this.#most} header fields`);
    return value;
  }
}
