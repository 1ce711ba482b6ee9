import { ConfigError } from '@postern/core';

/**
 * A secret as it may be set on either side.
 * @throws ConfigError ERR_OPTION: it is empty, or cannot stand in a string of AJP; the message does not hold it
 */
export function checkSecret(secret: string | undefined): string | undefined {
  if (secret === undefined || /^[\x01-\xff]{1,4096}$/.test(secret)) return secret;
  throw new ConfigError('ERR_OPTION', 'secret: it takes 1 to 4096 characters, none of them NUL or above U+00FF');
}

/** Whether a secret is the one that is set, in a time that depends on the length of the given one alone. */
export function sameSecret(given: string, secret: string): boolean {
  let different = given.length ^ secret.length;
  for (let i = 0; i < given.length; i++) different |= given.charCodeAt(i) ^ secret.charCodeAt(i % secret.length);
  return different === 0;
}
