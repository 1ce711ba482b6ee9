import { RemoteProtocolError } from '@postern/core';
import { RecordType } from './constants.ts';
import type { RecordReader } from './record-reader.ts';
import type { RequestState } from './request-state.ts';
import { type FilterInput, type FilterState, filterTable, receiveTable } from './state.ts';

/** Framing is lost, or the peer cannot be dealt with: the connection ends. */
export function broken(code: 'ERR_FCGI_RECORD' | 'ERR_FCGI_STATE', message: string): never {
  throw new RemoteProtocolError(code, message);
}

/**
 * What is wrong with a record already by its header is refused before its content is waited for (FastCGI 1.0 §3.3, §5).
 * @param state the request of its id, if there is one
 * @throws RemoteProtocolError ERR_FCGI_RECORD, ERR_FCGI_STATE
 */
export function checkHeader({ type, id, left }: RecordReader, state: RequestState | undefined): void {
  switch (type) {
    case RecordType.BEGIN_REQUEST:
      if (id === 0 || left !== 8) broken('ERR_FCGI_RECORD', `BEGIN_REQUEST with id ${id} and ${left} bytes`);
      if (state !== undefined && !state.answered) {
        broken('ERR_FCGI_STATE', `BEGIN_REQUEST for id ${id}, which is active`);
      }
      break;
    case RecordType.ABORT_REQUEST:
    case RecordType.PARAMS:
    case RecordType.STDIN:
    case RecordType.DATA:
      if (id === 0) broken('ERR_FCGI_RECORD', `a record of type ${type} with id 0`);
      break;
    case RecordType.END_REQUEST:
    case RecordType.STDOUT:
    case RecordType.STDERR:
    case RecordType.GET_VALUES_RESULT:
    case RecordType.UNKNOWN_TYPE:
      broken('ERR_FCGI_RECORD', `a record of type ${type}, which only an application sends`);
  }
}

/** @throws RemoteProtocolError ERR_FCGI_STATE: the record must not come now */
export function move(state: RequestState, input: FilterInput): void {
  const table: Record<string, Partial<Record<string, FilterState>>> = state.role === 'filter'
    ? filterTable
    : receiveTable;
  const next = table[state.receive][input];
  if (next === undefined) broken('ERR_FCGI_STATE', `${input} for id ${state.id}, whose request is ${state.receive}`);
  state.receive = next;
}
