import { checkItem, type Limits, RemoteProtocolError, type VariableReader, type Variables } from '@postern/core';
import type { ByteWriter } from '@postern/wire';

function malformed(message: string): never {
  throw new RemoteProtocolError('ERR_ENV_PAIR', message, { scope: 'request' });
}

/**
 * The name-value pairs of a whole stream (FastCGI 1.0 §3.4), which lies in these bytes.
 * @throws RemoteProtocolError (400) ERR_ENV_PAIR, ERR_ENV_NAME, ERR_ENV_VALUE; (431) ERR_ENV_ITEM, ERR_ENV_COUNT
 */
export function readParams(
  bytes: Buffer,
  reader: VariableReader,
  limits: Limits,
  from = 0,
  end = bytes.length,
): Variables {
  reader.begin(bytes, limits, from, end);
  let at = from;
  while (at < end) {
    const nameLength = readLength(bytes, at, end);
    at += lengthSize(bytes[at]);
    const valueLength = readLength(bytes, at, end);
    at += lengthSize(bytes[at]);
    const valueAt = at + nameLength;
    if (valueLength > end - valueAt) {
      checkItem(nameLength, valueLength, limits);
      malformed(`a pair of ${nameLength} and ${valueLength} bytes, ${end - at} are left`);
    }
    reader.add(at, nameLength, valueAt, valueLength);
    at = valueAt + valueLength;
  }
  return reader.end();
}

/**
 * Looks at the lengths in the part of a stream that has come: what is too long is not waited for.
 * @returns where the first pair begins that has not all come
 * @throws RemoteProtocolError ERR_ENV_ITEM (431)
 */
export function checkLengths(bytes: Buffer, from: number, limits: Limits): number {
  for (let at = from; ; ) {
    // a byte that has not come is none below 128: four more are waited for
    const valueAt = at + lengthSize(bytes[at]);
    const pairAt = valueAt + lengthSize(bytes[valueAt]);
    if (pairAt > bytes.length) return at;
    const nameLength = readLength(bytes, at, pairAt);
    const valueLength = readLength(bytes, valueAt, pairAt);
    checkItem(nameLength, valueLength, limits);
    const end = pairAt + nameLength + valueLength;
    if (end > bytes.length) return at;
    at = end;
  }
}

/** Bytes of a length by its first byte: one, or four where the top bit is set (§3.4). */
function lengthSize(first: number): 1 | 4 {
  return first < 128 ? 1 : 4;
}

function readLength(bytes: Buffer, at: number, end: number): number {
  const first = bytes[at];
  if (first < 128 && at < end) return first;
  if (at + 4 > end) malformed('a length is cut off');
  return bytes.readUInt32BE(at) & 0x7fffffff;
}

/** Calls `take` for each pair of a small stream. @throws RemoteProtocolError ERR_ENV_PAIR (400) */
export function readPairs(bytes: Buffer, take: (name: string, value: string) => void): void {
  let at = 0;
  while (at < bytes.length) {
    const nameLength = readLength(bytes, at, bytes.length);
    at += lengthSize(bytes[at]);
    const valueLength = readLength(bytes, at, bytes.length);
    at += lengthSize(bytes[at]);
    if (nameLength + valueLength > bytes.length - at) malformed('a pair is cut off');
    take(
      bytes.toString('latin1', at, at + nameLength),
      bytes.toString('latin1', at + nameLength, at + nameLength + valueLength),
    );
    at += nameLength + valueLength;
  }
}

/** Appends one pair. Code units above U+00FF must not occur. */
export function writePair(writer: ByteWriter, name: string, value: string): void {
  for (const length of [name.length, value.length]) {
    if (length < 128) writer.u8(length);
    else writer.u32be(length + 0x80000000);
  }
  writer.latin1(name).latin1(value);
}
