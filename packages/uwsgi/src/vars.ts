import {
  checkVariable,
  type Limits,
  LocalProtocolError,
  RemoteProtocolError,
  type VariableReader,
  type Variables,
} from '@postern/core';
import { ByteWriter } from '@postern/wire';
import { MAX_BLOCK } from './constants.ts';

function malformed(message: string): never {
  throw new RemoteProtocolError('ERR_UWSGI_BLOCK', message, { scope: 'request' });
}

/**
 * The variables of a block: { size of the name, name, size of the value, value }, sizes little-endian.
 * @throws RemoteProtocolError (400) ERR_UWSGI_BLOCK, ERR_ENV_NAME, ERR_ENV_VALUE; (431) ERR_ENV_ITEM, ERR_ENV_COUNT
 */
export function readVars(block: Buffer, variables: VariableReader, limits: Limits): Variables {
  variables.begin(block, limits);
  for (let at = 0; at < block.length; ) {
    const nameAt = at + 2;
    const nameLength = sizeAt(block, at);
    if (nameLength === 0) malformed('a name is empty');
    const valueAt = nameAt + nameLength + 2;
    const valueLength = sizeAt(block, nameAt + nameLength);
    at = valueAt + valueLength;
    if (at > block.length) malformed(`a value of ${valueLength} bytes, ${block.length - valueAt} are left`);
    variables.add(nameAt, nameLength, valueAt, valueLength);
  }
  return variables.end();
}

function sizeAt(block: Buffer, at: number): number {
  if (at + 2 > block.length) malformed('the block ends where a size should be');
  return block[at] | (block[at + 1] << 8);
}

/**
 * The block of a request.
 * @param variables flat [name, value, …], bytes as latin-1
 * @throws LocalProtocolError ERR_ENV_VALUE; ERR_ENV_BYTES: more than 65,535 bytes
 */
export function writeVars(variables: readonly string[]): Buffer {
  const writer = new ByteWriter(2048);
  for (let i = 0; i < variables.length; i += 2) {
    const name = variables[i];
    const value = variables[i + 1];
    checkVariable(name, value);
    if (writer.length + name.length + value.length + 4 > MAX_BLOCK)
      throw new LocalProtocolError(
        'ERR_ENV_BYTES',
        `the variables have more than the ${MAX_BLOCK} bytes of a uwsgi block`,
      );
    writer.u16le(name.length).latin1(name).u16le(value.length).latin1(value);
  }
  return writer.view();
}
