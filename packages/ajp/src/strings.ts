import { ownText, RemoteProtocolError } from '@postern/core';

/** The length of a string that is not there. */
export const NULL = 0xffff;

function malformed(message: string): never {
  throw new RemoteProtocolError('ERR_AJP_PACKET', message, { scope: 'request' });
}

/** Names that came, each at the place that follows from some of its bytes, until another takes it over. */
const kept: string[] = new Array(512).fill('');
/** Longer ones are not kept. */
const MOST_KEPT = 64;

/** They differ in these bytes, whatever web server or client sends them: Sec-Fetch-Site, Sec-Fetch-Mode … */
function placeOf(bytes: Buffer, at: number, length: number): number {
  const last = at + length - 1;
  return (
    (length + bytes[at] * 3 + bytes[at + (length >> 1)] * 5 + bytes[last - (length >> 2)] * 11 + bytes[last] * 7) & 511
  );
}

/**
 * Reads integers and strings out of one payload, and never past its end. The payload is decoded once; strings are
 * substrings of it, bytes as latin-1. All methods throw RemoteProtocolError ERR_AJP_PACKET (400).
 */
export class PayloadReader {
  readonly #bytes: Buffer;
  /** Where the payload begins in the bytes. */
  readonly #from: number;
  readonly #text: string;
  #at = 0;
  /** Where the next CR and LF stand, as far as that was looked for. */
  #cr = -1;
  #lf = -1;
  #latest = 0;

  /** @param from where the payload begins in the bytes, and its length */
  constructor(bytes: Buffer, from = 0, length = bytes.length) {
    this.#bytes = bytes;
    this.#from = from;
    this.#text = bytes.toString('latin1', from, from + length);
  }

  /** Bytes that were not read. */
  get left(): number {
    return this.#text.length - this.#at;
  }

  u8(): number {
    if (this.left < 1) malformed('the payload ends before a byte');
    return this.#bytes[this.#from + this.#at++];
  }

  u16(): number {
    if (this.left < 2) malformed('the payload ends before an integer');
    const at = this.#from + this.#at;
    this.#at += 2;
    return (this.#bytes[at] << 8) | this.#bytes[at + 1];
  }

  /** Length, bytes, NUL; undefined: null, which is a length of 0xFFFF and nothing behind it. */
  string(): string | undefined {
    const length = this.u16();
    return length === NULL ? undefined : this.stringOf(length);
  }

  /** A string whose length was read already. */
  stringOf(length: number): string {
    const from = this.#at;
    const end = from + length;
    if (this.#text.indexOf('\0', from) !== end)
      malformed(`a string of ${length} bytes has NUL at another place than its end (${this.left} bytes are left)`);
    this.#latest = from;
    this.#at = end + 1;
    return this.#text.substring(from, end);
  }

  /** As `string`, for a name: see `nameOf`. */
  name(): string | undefined {
    const length = this.u16();
    return length === NULL ? undefined : this.nameOf(length);
  }

  /** As `stringOf`, for what comes again and again: one that is kept costs neither a copy nor a hash. */
  nameOf(length: number): string {
    const end = this.#at + length;
    if (length === 0 || length > MOST_KEPT || end >= this.#text.length) return this.stringOf(length);
    const place = placeOf(this.#bytes, this.#from + this.#at, length);
    const name = kept[place];
    if (name.length === length && this.#bytes[this.#from + end] === 0 && this.#text.startsWith(name, this.#at)) {
      this.#at = end + 1;
      return name;
    }
    kept[place] = ownText(this.stringOf(length));
    return kept[place];
  }

  /** Whether CR or LF stand in the latest string: what is found is mostly a length further on. */
  get brokeLine(): boolean {
    const from = this.#latest;
    if (this.#cr < from) this.#cr = this.#seek('\r');
    if (this.#lf < from) this.#lf = this.#seek('\n');
    return this.#cr < this.#at || this.#lf < this.#at;
  }

  #seek(character: string): number {
    const at = this.#text.indexOf(character, this.#latest);
    return at < 0 ? this.#text.length : at;
  }

  /**
   * The attribute ssl_key_size: an integer; lighttpd sends digits as a string. The two cannot be mistaken: no attribute
   * begins with a digit.
   */
  keySize(): number | undefined {
    const value = this.u16();
    if (value === NULL) return undefined;
    const digits = this.#text.slice(this.#at, this.#at + value + 1);
    return /^[0-9]{1,5}\0$/.test(digits) ? Number(this.stringOf(value)) : value;
  }
}

/** A 16-bit integer as latin-1 text. */
export function u16Text(value: number): string {
  return String.fromCharCode(value >> 8, value & 255);
}

/** A string as it stands on the wire, as latin-1 text. Code units above U+00FF must not occur. */
export function stringText(text: string): string {
  return `${u16Text(text.length)}${text}\0`;
}
