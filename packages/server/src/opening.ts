import type { ServerProtocol } from '@postern/core';

/** Tells by the first bytes of a connection whether they are of one protocol. However they are cut, its answer is the same. */
export type Sniffer = Pick<ServerProtocol, 'name' | 'sniff'>;

/** Protocols that are told from one another by their first bytes, until one of them says yes. */
export class Opening {
  readonly #sniffers: readonly Sniffer[];
  #held: Buffer | undefined;

  constructor(sniffers: readonly Sniffer[]) {
    this.#sniffers = sniffers;
  }

  /** What came before the latest chunk; undefined: that was the first. */
  get held(): Buffer | undefined {
    return this.#held;
  }

  /**
   * @returns whose these bytes are; undefined: nobody's; `more`: that is not sure yet, and they are kept
   */
  look(chunk: Buffer): Sniffer | 'more' | undefined {
    const bytes = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    let open = false;
    for (const sniffer of this.#sniffers) {
      const answer = sniffer.sniff(bytes);
      if (answer === 'yes') return sniffer;
      if (answer === 'more') open = true;
    }
    if (!open) return undefined;
    // the memory of a chunk may be used again
    this.#held = this.#held === undefined ? Buffer.from(bytes) : bytes;
    return 'more';
  }
}
