import { type Limits, RemoteProtocolError, type VariableNames, variableNames } from '@postern/core';
import type { ByteWriter } from '@postern/wire';

export interface Params {
  readonly names: VariableNames;
  /** In the order of the names; bytes as latin-1. */
  readonly values: string[];
}

function malformed(message: string): never {
  throw new RemoteProtocolError('ERR_ENV_PAIR', message, { scope: 'request' });
}

function tooLarge(code: 'ERR_ENV_ITEM' | 'ERR_ENV_COUNT', message: string): never {
  throw new RemoteProtocolError(code, message, { scope: 'request', status: 431 });
}

/**
 * The name-value pairs of a whole stream (FastCGI 1.0 §3.4). The stream is decoded once and cut into substrings; names
 * that stand where they stood in the request before are compared, not made again.
 *
 * @param expected the names of an earlier request
 * @throws RemoteProtocolError (400) ERR_ENV_PAIR, ERR_ENV_NAME; (431) ERR_ENV_ITEM, ERR_ENV_COUNT
 */
export function readParams(bytes: Buffer, expected: VariableNames | undefined, limits: Limits): Params {
  const end = bytes.length;
  const text = bytes.toString('latin1', 0, end);
  const values: string[] = [];
  let names: string[] | undefined = expected === undefined ? [] : undefined;
  let at = 0;
  while (at < end) {
    const nameLength = readLength(bytes, at);
    at += lengthSize(bytes[at]);
    const valueLength = readLength(bytes, at);
    at += lengthSize(bytes[at]);
    checkItem(nameLength, valueLength, limits);
    if (nameLength + valueLength > end - at)
      malformed(`a pair of ${nameLength} and ${valueLength} bytes, ${end - at} are left`);
    const count = values.length;
    if (count === limits.maxEnvCount) tooLarge('ERR_ENV_COUNT', `more than ${limits.maxEnvCount} variables`);
    if (names === undefined) {
      const guess = (expected as VariableNames).names[count];
      if (guess === undefined || guess.length !== nameLength || !text.startsWith(guess, at)) {
        names = (expected as VariableNames).names.slice(0, count);
      }
    }
    // a name outlives its request, so it may be no substring that keeps all of the values
    if (names !== undefined) names.push(bytes.toString('latin1', at, at + nameLength));
    at += nameLength;
    values.push(text.substring(at, at + valueLength));
    at += valueLength;
  }
  if (names === undefined && values.length < (expected as VariableNames).names.length) {
    names = (expected as VariableNames).names.slice(0, values.length);
  }
  return { names: names === undefined ? (expected as VariableNames) : variableNames(names), values };
}

function checkItem(nameLength: number, valueLength: number, limits: Limits): void {
  if (nameLength > limits.maxNameBytes)
    tooLarge('ERR_ENV_ITEM', `a name of ${nameLength} bytes, maxNameBytes is ${limits.maxNameBytes}`);
  if (valueLength > limits.maxValueBytes)
    tooLarge('ERR_ENV_ITEM', `a value of ${valueLength} bytes, maxValueBytes is ${limits.maxValueBytes}`);
}

/**
 * Looks at the lengths in the part of a stream that has come: what is too long is not waited for.
 * @returns where the first pair begins that has not all come
 * @throws RemoteProtocolError ERR_ENV_ITEM (431)
 */
export function checkLengths(bytes: Buffer, from: number, limits: Limits): number {
  for (let at = from; ; ) {
    if (at >= bytes.length) return at;
    const valueAt = at + lengthSize(bytes[at]);
    if (valueAt >= bytes.length) return at;
    const pairAt = valueAt + lengthSize(bytes[valueAt]);
    if (pairAt > bytes.length) return at;
    const nameLength = readLength(bytes, at);
    const valueLength = readLength(bytes, valueAt);
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

function readLength(bytes: Buffer, at: number): number {
  if (at >= bytes.length) malformed('a length is missing');
  const first = bytes[at];
  if (first < 128) return first;
  if (at + 4 > bytes.length) malformed('a length is cut off');
  return bytes.readUInt32BE(at) & 0x7fffffff;
}

/** Calls `take` for each pair of a small stream. @throws RemoteProtocolError ERR_ENV_PAIR (400) */
export function readPairs(bytes: Buffer, take: (name: string, value: string) => void): void {
  let at = 0;
  while (at < bytes.length) {
    const nameLength = readLength(bytes, at);
    at += lengthSize(bytes[at]);
    const valueLength = readLength(bytes, at);
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
