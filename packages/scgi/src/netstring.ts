import { RemoteProtocolError } from '@postern/core';
import type { ByteQueue } from '@postern/wire';
import { COLON, COMMA, DIGIT_0, DIGIT_9 } from './constants.ts';

/**
 * The length of the netstring that begins at the front, once its colon has come; both are taken out then.
 *
 * @param most the longest netstring that is accepted; a length may have as many digits as this number
 * @throws RemoteProtocolError ERR_SCGI_NETSTRING: these bytes are no netstring (scope connection), or the length has a
 * leading zero (400); ERR_ENV_BYTES: above `most` (431)
 */
export function takeLength(input: ByteQueue, most: number): number | undefined {
  const digits = String(most).length;
  let length = 0;
  for (let at = 0; ; at++) {
    const byte = input.peek(at);
    if (byte === undefined) return undefined;
    if (byte === COLON && at > 0) {
      if (length > most) tooLong(`a header block of ${length} bytes`, most);
      input.skip(at + 1);
      return length;
    }
    if (byte < DIGIT_0 || byte > DIGIT_9) {
      throw new RemoteProtocolError(
        'ERR_SCGI_NETSTRING',
        `byte ${at} of the netstring is 0x${byte.toString(16).padStart(2, '0')}: the peer does not speak SCGI`,
      );
    }
    if (at === digits) tooLong(`a header block whose length has more than ${digits} digits`, most);
    if (at === 1 && length === 0) malformed('the length of the netstring has a leading zero');
    length = length * 10 + (byte - DIGIT_0);
  }
}

/**
 * The netstring's content, once it has come with the comma behind it; both are taken out then.
 * @throws RemoteProtocolError ERR_SCGI_NETSTRING (400): no comma stands there
 */
export function takeBlock(input: ByteQueue, length: number): Buffer | undefined {
  const end = input.peek(length);
  if (end === undefined) return undefined;
  if (end !== COMMA) malformed(`no comma stands behind the ${length} bytes of the netstring`);
  const block = input.take(length);
  input.skip(1);
  return block;
}

function malformed(message: string): never {
  throw new RemoteProtocolError('ERR_SCGI_NETSTRING', message, { scope: 'request' });
}

function tooLong(what: string, most: number): never {
  throw new RemoteProtocolError('ERR_ENV_BYTES', `${what}, maxEnvBytes is ${most}`, {
    scope: 'request',
    status: 431,
    limit: 'maxEnvBytes',
  });
}
