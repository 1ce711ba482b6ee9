import { checkVariable } from '@postern/core';
import { VERSION } from './constants.ts';

/**
 * The netstring of a request: CONTENT_LENGTH first, SCGI second, as the specification has it.
 * @param contentLength of the body, in bytes
 * @param variables flat [name, value, …], bytes as latin-1
 * @throws LocalProtocolError ERR_ENV_VALUE
 */
export function encodeRequest(variables: readonly string[], contentLength: number): Buffer {
  let block = `CONTENT_LENGTH\0${contentLength}\0SCGI\0${VERSION}\0`;
  for (let i = 0; i < variables.length; i += 2) {
    const name = variables[i];
    const value = variables[i + 1];
    checkVariable(name, value);
    if (name !== 'CONTENT_LENGTH' && name !== 'SCGI') block += `${name}\0${value}\0`;
  }
  return Buffer.from(`${block.length}:${block},`, 'latin1');
}
