import { checkVariable, LocalProtocolError, type Role } from '@postern/core';
import { ByteWriter } from '@postern/wire';
import { RecordType } from './constants.ts';
import { writePair } from './params.ts';
import { headerBytes, paddingFor, STREAM_PIECE } from './records.ts';

/** What an authorizer is not told (FastCGI 1.0 §6.3). */
const hiddenFromAuthorizer = new Set(['CONTENT_LENGTH', 'PATH_INFO', 'PATH_TRANSLATED', 'SCRIPT_NAME']);

/**
 * The PARAMS records of a request, its end included. No record holds a part of a pair: PHP and others read each record by
 * itself (§3.4).
 * @throws LocalProtocolError ERR_ENV_VALUE: a variable that cannot be sent; ERR_ENV_ITEM: one that fits no record
 */
export function encodeParams(id: number, role: Role, variables: readonly string[]): Buffer[] {
  const records: Buffer[] = [];
  let writer = new ByteWriter(2048);
  for (let i = 0; i < variables.length; i += 2) {
    const name = variables[i];
    const value = variables[i + 1];
    checkVariable(name, value);
    if (role === 'authorizer' && hiddenFromAuthorizer.has(name)) continue;
    const size = name.length + value.length + 8;
    if (size > STREAM_PIECE)
      throw new LocalProtocolError(
        'ERR_ENV_ITEM',
        `variable ${name} has ${value.length} bytes, more than fit into one record`,
      );
    if (writer.length + size > STREAM_PIECE) {
      pushRecord(records, id, writer);
      writer = new ByteWriter(2048);
    }
    writePair(writer, name, value);
  }
  if (writer.length > 0) pushRecord(records, id, writer);
  records.push(headerBytes(RecordType.PARAMS, id, 0));
  return records;
}

/** Bytes of the body, as an application is told of it; Infinity: until the end of STDIN. */
export function bodyLength(variables: readonly string[]): number {
  let length = 0;
  for (let i = 0; i < variables.length; i += 2) {
    if (variables[i] === 'CONTENT_LENGTH') length = Number(variables[i + 1]);
    else if (variables[i] === 'HTTP_TRANSFER_ENCODING' && variables[i + 1] !== '') return Number.POSITIVE_INFINITY;
  }
  return length;
}

function pushRecord(records: Buffer[], id: number, writer: ByteWriter): void {
  const { length } = writer;
  records.push(headerBytes(RecordType.PARAMS, id, length), writer.zeros(paddingFor(length)).view());
}
