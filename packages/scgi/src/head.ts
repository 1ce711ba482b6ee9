import { CgiHead, type Limits, RemoteProtocolError, type VariableNames, variableNames } from '@postern/core';
import { VERSION } from './constants.ts';

/** The names of the latest request of the process: most requests carry the same ones. */
let latestNames: VariableNames | undefined;

function malformed(message: string): never {
  throw new RemoteProtocolError('ERR_SCGI_HEADERS', message, { scope: 'request' });
}

function tooLarge(code: 'ERR_ENV_ITEM' | 'ERR_ENV_COUNT', message: string): never {
  throw new RemoteProtocolError(code, message, { scope: 'request', status: 431 });
}

/**
 * The head of a request. CONTENT_LENGTH must be there, for it is all that tells where the body ends; web servers put
 * SCGI=1 where they like or leave it out (nginx without scgi_params), so only a wrong value is refused.
 *
 * @throws RemoteProtocolError (400) ERR_SCGI_HEADERS, and what `readBlock` and `CgiHead` throw
 */
export function readHead(block: Buffer, limits: Limits): CgiHead {
  const { names, values } = readBlock(block, latestNames, limits);
  latestNames = names;
  const head = new CgiHead(names, values);
  if (head.contentLength < 0) malformed('CONTENT_LENGTH is missing or empty');
  const at = names.names.indexOf('SCGI');
  if (at >= 0 && values[at] !== VERSION) malformed('the variable SCGI is not 1');
  return head;
}

export interface Variables {
  readonly names: VariableNames;
  /** In the order of the names; bytes as latin-1. */
  readonly values: string[];
}

/**
 * The variables of a header block: name NUL value NUL, any number of them. The block is decoded once and cut into
 * substrings; names that stand where they stood in the request before are compared, not made again.
 *
 * @param expected the names of an earlier request
 * @throws RemoteProtocolError (400) ERR_SCGI_HEADERS, ERR_ENV_NAME; (431) ERR_ENV_ITEM, ERR_ENV_COUNT
 */
export function readBlock(block: Buffer, expected: VariableNames | undefined, limits: Limits): Variables {
  const end = block.length;
  const text = block.toString('latin1', 0, end);
  const values: string[] = [];
  let names: string[] | undefined = expected === undefined ? [] : undefined;
  let at = 0;
  while (at < end) {
    const count = values.length;
    if (count === limits.maxEnvCount) tooLarge('ERR_ENV_COUNT', `more than ${limits.maxEnvCount} variables`);
    const guess = names === undefined ? (expected as VariableNames).names[count] : undefined;
    let nameEnd: number;
    if (guess !== undefined && block[at + guess.length] === 0 && text.startsWith(guess, at))
      nameEnd = at + guess.length;
    else {
      if (names === undefined) names = (expected as VariableNames).names.slice(0, count);
      nameEnd = text.indexOf('\0', at);
      if (nameEnd < 0) malformed('the last name or value does not end with NUL');
      if (nameEnd === at) malformed('a name is empty');
      // a name outlives its request, so it may be no substring that keeps all of the values
      names.push(block.toString('latin1', at, nameEnd));
    }
    if (nameEnd - at > limits.maxNameBytes)
      tooLarge('ERR_ENV_ITEM', `a name of ${nameEnd - at} bytes, maxNameBytes is ${limits.maxNameBytes}`);
    at = nameEnd + 1;
    if (at === end) malformed('the last name has no value');
    const valueEnd = text.indexOf('\0', at);
    if (valueEnd < 0) malformed('the last name or value does not end with NUL');
    if (valueEnd - at > limits.maxValueBytes)
      tooLarge('ERR_ENV_ITEM', `a value of ${valueEnd - at} bytes, maxValueBytes is ${limits.maxValueBytes}`);
    values.push(text.substring(at, valueEnd));
    at = valueEnd + 1;
  }
  if (names === undefined && values.length < (expected as VariableNames).names.length) {
    names = (expected as VariableNames).names.slice(0, values.length);
  }
  return { names: names === undefined ? (expected as VariableNames) : variableNames(names), values };
}
