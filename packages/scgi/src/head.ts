import {
  CgiHead,
  cgiReplyHead,
  type Limits,
  NameTree,
  type Notice,
  type PeerOptions,
  RemoteProtocolError,
  VariableReader,
  type Variables,
} from '@postern/core';
import type { ByteQueue, OneShotFormat, OneShotHead } from '@postern/wire';
import { VERSION } from './constants.ts';
import { takeBlock, takeLength } from './netstring.ts';

/** Shared by all connections: their requests carry the same names. */
const reader = new VariableReader(new NameTree());

function malformed(message: string): never {
  throw new RemoteProtocolError('ERR_SCGI_HEADERS', message, { scope: 'request' });
}

/**
 * The variables of a header block: name NUL value NUL, any number of them.
 * @throws RemoteProtocolError (400) ERR_SCGI_HEADERS, ERR_ENV_NAME, ERR_ENV_VALUE; (431) ERR_ENV_ITEM, ERR_ENV_COUNT
 */
export function readBlock(block: Buffer, variables: VariableReader, limits: Limits): Variables {
  const end = block.length;
  variables.begin(block, limits);
  const { text } = variables;
  if (end > 0 && block[end - 1] !== 0) malformed('the last name or value does not end with NUL');
  for (let at = 0; at < end; ) {
    const nameEnd = text.indexOf('\0', at);
    if (nameEnd === at) malformed('a name is empty');
    const valueAt = nameEnd + 1;
    const valueEnd = text.indexOf('\0', valueAt);
    if (valueEnd === -1) malformed('the last name has no value');
    variables.add(at, nameEnd - at, valueAt, valueEnd - valueAt);
    at = valueEnd + 1;
  }
  return variables.end();
}

/**
 * The head of a request. CONTENT_LENGTH must be there, for it is all that tells where the body ends; web servers put
 * SCGI=1 where they like or leave it out (nginx without scgi_params), so only a wrong value is refused.
 * @param peer with `strict` CONTENT_LENGTH must come first, and SCGI=1 must come
 * @throws RemoteProtocolError (400) ERR_SCGI_HEADERS, and what `readBlock` and `CgiHead` throw
 */
export function readHead(block: Buffer, limits: Limits, { strict = false, peer }: PeerOptions = {}): CgiHead {
  const read = readBlock(block, reader, limits);
  const head = new CgiHead(read.names, read.values, false, peer);
  // without repetitions: what the application sees is what is looked at
  const { names, values } = head;
  if (head.contentLength < 0) malformed('CONTENT_LENGTH is missing or empty');
  const at = names.names.indexOf('SCGI');
  if (at !== -1 && values[at] !== VERSION) malformed('the variable SCGI is not 1');
  if (strict && at === -1) malformed('the variable SCGI is missing (strict)');
  if (strict && names.length !== 0) malformed('CONTENT_LENGTH is not the first variable (strict)');
  return head;
}

const WITHOUT_SCGI: Notice = {
  code: 'ERR_SCGI_HEADERS',
  message: 'the variable SCGI is missing, and the request is served all the same (nginx: include scgi_params)',
};
const NOT_FIRST: Notice = {
  code: 'ERR_SCGI_HEADERS',
  message: 'CONTENT_LENGTH is not the first variable, and the request is served all the same',
};

class ScgiHead implements OneShotHead {
  readonly #limits: Limits;
  readonly #peer: PeerOptions;
  #length = 0;
  notice: Notice | undefined;

  constructor(limits: Limits, peer: PeerOptions) {
    this.#limits = limits;
    this.#peer = peer;
  }

  takeLength(input: ByteQueue): boolean {
    const length = takeLength(input, this.#limits.maxEnvBytes);
    if (length === undefined) return false;
    this.#length = length;
    return true;
  }

  takeBlock(input: ByteQueue): CgiHead | undefined {
    const block = takeBlock(input, this.#length);
    if (block === undefined) return undefined;
    const head = readHead(block, this.#limits, this.#peer);
    const { names } = head;
    if (!names.names.includes('SCGI')) this.notice = WITHOUT_SCGI;
    else if (names.length !== 0) this.notice = NOT_FIRST;
    return head;
  }
}

export const scgiFormat: OneShotFormat = {
  broken: 'ERR_SCGI_NETSTRING',
  head: (limits, peer) => new ScgiHead(limits, peer),
  replyHead: cgiReplyHead,
};
