import { looksLikeHttp } from './wrong-protocol.ts';

/** The first bytes of a connection, until they made sense in its protocol. */
export class Opening {
  #first: Uint8Array | undefined;
  #sensible = false;
  /** As latin-1, once they are known to be of another protocol. */
  #text: string | undefined;

  /** A request began: whatever comes, it is no other protocol's opening. */
  made(): void {
    this.#sensible = true;
    this.#first = undefined;
  }

  receive(chunk: Uint8Array): void {
    if (!this.#sensible) this.#first ??= chunk;
  }

  /** The memory of the first bytes is about to be used again. */
  retain(): void {
    if (this.#first !== undefined) this.#first = Uint8Array.from(this.#first);
  }

  /** They are not this protocol's and may become HTTP: more of them is waited for. */
  get undecided(): boolean {
    return this.#text !== undefined;
  }

  /** The protocol refused the first bytes. */
  refused(): 'yes' | 'no' | 'more' {
    const first = this.#first;
    if (first === undefined) return 'no';
    return this.more(Buffer.from(first.buffer, first.byteOffset, first.byteLength));
  }

  /** Whether all that came is HTTP. */
  more(chunk: Buffer): 'yes' | 'no' | 'more' {
    const text = (this.#text ?? '') + chunk.toString('latin1');
    const http = looksLikeHttp(text);
    this.#text = http === 'more' ? text : undefined;
    this.made();
    return http;
  }
}
