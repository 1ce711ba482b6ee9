import { ConfigError } from '@postern/core';

/**
 * A secret as it may be set on either side.
 * @throws ConfigError ERR_OPTION: it is empty, or cannot stand in a string of AJP; the message does not hold it
 */
export function checkSecret(secret: string | undefined): string | undefined {
  if (secret === undefined || /^[\x01-\xff]{1,4096}$/.test(secret)) return secret;
  throw new ConfigError('ERR_OPTION', 'secret: it takes 1 to 4096 characters, none of them NUL or above U+00FF');
}

/** A secret that is set. Hashes are compared, in a time that tells neither how long it is nor how it begins. */
export class Secret {
  /** Not loaded where there is no secret. */
  readonly #crypto = process.getBuiltinModule('node:crypto');
  readonly #hash: Buffer;

  constructor(secret: string) {
    this.#hash = this.#hashOf(secret);
  }

  #hashOf(secret: string): Buffer {
    return this.#crypto.createHash('sha256').update(secret, 'latin1').digest();
  }

  /** @param given '': none was */
  is(given: string): boolean {
    return this.#crypto.timingSafeEqual(this.#hashOf(given), this.#hash);
  }
}
