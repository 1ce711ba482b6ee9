import { type ErrorCode, type Limits, RemoteProtocolError } from '@postern/core';
import type { ClientRequest } from './client-request.ts';
import { ProtocolStatus, RecordType } from './constants.ts';
import type { RecordReader } from './record-reader.ts';

/** Framing is lost, or the back-end cannot be dealt with: the connection ends, with all its requests. */
export function broken(message: string): never {
  throw new RemoteProtocolError('ERR_REPLY', message);
}

/** One reply is no reply; the connection is sound. */
export function refused(id: number, code: ErrorCode, message: string): RemoteProtocolError {
  return new RemoteProtocolError(code, message, { scope: 'request', status: 502, id });
}

/** A record that no application sends, or not in this size (FastCGI 1.0 §4, §5). @throws RemoteProtocolError ERR_REPLY */
export function checkHeader({ type, id, left }: RecordReader): void {
  switch (type) {
    case RecordType.STDOUT:
    case RecordType.STDERR:
      if (id === 0) broken(`a record of type ${type} with id 0`);
      break;
    case RecordType.END_REQUEST:
      if (id === 0 || left !== 8) broken(`END_REQUEST with id ${id} and ${left} bytes`);
      break;
    case RecordType.GET_VALUES_RESULT:
      if (id !== 0) broken(`GET_VALUES_RESULT with id ${id}`);
      break;
    case RecordType.UNKNOWN_TYPE:
      if (id !== 0 || left !== 8) broken(`UNKNOWN_TYPE with id ${id} and ${left} bytes`);
      break;
    default:
      broken(`a record of type ${type}`);
  }
}

/** Where the streams of a running request are. @throws RemoteProtocolError ERR_REPLY */
export function checkStream({ type, left }: RecordReader, request: ClientRequest, limits: Limits): void {
  if (type === RecordType.STDOUT && !request.aborted) {
    if (request.stdoutEnded) broken('STDOUT behind its end');
    if (left === 0) request.stdoutEnded = true;
  } else if (left === 0 && ++request.junk > limits.maxJunkRecords) {
    broken(`more than ${limits.maxJunkRecords} empty STDERR records`);
  }
}

/** What an application says when it ends a request without having served it (FastCGI 1.0 §5.5). */
const refusals: Partial<Record<number, readonly [code: ErrorCode, status: number, message: string]>> = {
  [ProtocolStatus.CANT_MPX_CONN]: [
    'ERR_BACKEND_MULTIPLEX',
    502,
    'the back-end takes one request at a time on a connection',
  ],
  [ProtocolStatus.OVERLOADED]: ['ERR_BACKEND_BUSY', 503, 'the back-end has too many requests'],
  [ProtocolStatus.UNKNOWN_ROLE]: ['ERR_BACKEND_ROLE', 500, 'the back-end does not serve this role'],
};

export function errorOfEnd(id: number, protocolStatus: number): RemoteProtocolError {
  const [code, status, message] = refusals[protocolStatus] ?? [
    'ERR_REPLY',
    502,
    `END_REQUEST with protocolStatus ${protocolStatus}`,
  ];
  return new RemoteProtocolError(code, message, { scope: 'request', status, id });
}
