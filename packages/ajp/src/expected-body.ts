import { RemoteProtocolError } from '@postern/core';
import { bodyOf } from './packet-reader.ts';
import { LIGHTTPD_ASKED, type Peer } from './peer.ts';

function tooMuch(length: number, left: number): RemoteProtocolError {
  return new RemoteProtocolError('ERR_AJP_PACKET', `${length} bytes of body, Content-Length leaves ${left}`);
}

/** What may still come of the body of a request, and what was asked for of it. */
export class ExpectedBody {
  readonly #lighttpd: boolean;
  /** Bytes to ask for at once, at most. */
  readonly #most: number;
  #left = 0;
  /** Bytes that lighttpd was asked for and has not sent. */
  #owed = 0;

  constructor({ lighttpd, sizes }: Pick<Peer, 'lighttpd' | 'sizes'>) {
    this.#lighttpd = lighttpd;
    this.#most = lighttpd ? LIGHTTPD_ASKED : sizes.requestPiece;
  }

  /** @param length of the body in bytes; Infinity: not stated */
  begin(length: number): void {
    this.#left = length;
    this.#owed = 0;
  }

  /** Bytes that may still come; Infinity: until the end of the body. */
  get left(): number {
    return this.#left;
  }

  /** How many bytes are to be asked for: never more than may come. */
  ask(): number {
    const length = Math.min(this.#left, this.#most);
    this.#owed = this.#lighttpd ? length : 0;
    return length;
  }

  /** What was to be asked for was not. */
  withdraw(): void {
    this.#owed = 0;
  }

  /**
   * The bytes of a packet: a view. None at all is the end of the body.
   * @throws RemoteProtocolError ERR_AJP_PACKET: more than may come, or see `bodyOf`
   */
  take(payload: Buffer): Buffer {
    const chunk = this.#lighttpd ? payload : bodyOf(payload);
    const { length } = chunk;
    if (length > this.#left) throw tooMuch(length, this.#left);
    this.#left -= length;
    this.#owed -= length;
    return chunk;
  }

  /** What the packet that was taken means for the state. */
  get progress(): 'BODY' | 'BODY_PART' | 'BODY_END' {
    if (this.#left === 0) return 'BODY_END';
    return this.#owed > 0 ? 'BODY_PART' : 'BODY';
  }
}
