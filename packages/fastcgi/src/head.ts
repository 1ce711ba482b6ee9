import { CgiHead, checkContentLength, type Limits, NameTree, RemoteProtocolError, VariableReader } from '@postern/core';
import { RecordType } from './constants.ts';
import { checkLengths, readParams } from './params.ts';
import type { RecordReader } from './record-reader.ts';
import { MORE, type Step } from './request-events.ts';
import { FilterFile, type RequestState } from './request-state.ts';
import type { Requests } from './requests.ts';

/** Shared by all connections: their requests carry the same names. */
const reader = new VariableReader(new NameTree());

/**
 * A record of PARAMS that is not empty: kept until the last of them. What is too long is not waited for.
 * @throws RemoteProtocolError ERR_ENV_BYTES, ERR_ENV_ITEM (431), of this request
 */
export function takeParams(record: RecordReader, state: RequestState, requests: Requests, limits: Limits): Step {
  const { maxEnvBytes, maxParamsRecords } = limits;
  if (state.paramsBytes + record.left > maxEnvBytes)
    throw requests.refusal(
      state,
      'ERR_ENV_BYTES',
      `PARAMS have more than ${maxEnvBytes} bytes (maxEnvBytes)`,
      431,
      'maxEnvBytes',
    );
  const piece = record.some();
  if (piece === undefined) return undefined;
  state.addParams(piece);
  if (record.left < 0 && ++state.paramsRecords > maxParamsRecords) {
    const message = `more than ${maxParamsRecords} PARAMS records (maxParamsRecords)`;
    throw requests.refusal(state, 'ERR_ENV_BYTES', message, 431, 'maxParamsRecords');
  }
  if (record.left > 0 || !record.emptyFollows(RecordType.PARAMS, state.id)) {
    try {
      state.paramsChecked = checkLengths(state.params, state.paramsChecked, limits);
    } catch (error) {
      throw refusalOf(state, requests, error);
    }
  }
  return MORE;
}

/**
 * PARAMS are complete. An authorizer has no body whatever they say, and a filter a file.
 * @throws RemoteProtocolError as `readParams` and `CgiHead`; ERR_ENV_LENGTH: FCGI_DATA_LENGTH; of this request
 */
export function readHead(state: RequestState, requests: Requests, limits: Limits, peer: string | undefined): CgiHead {
  try {
    const { paramsFrom, paramsTo } = state;
    const { names, values } = readParams(state.takeParams(), reader, limits, paramsFrom, paramsTo);
    const head = new CgiHead(names, values, state.role === 'authorizer', peer);
    if (state.role === 'filter') state.file = new FilterFile(dataLength(head));
    return head;
  } catch (error) {
    throw refusalOf(state, requests, error);
  }
}

function dataLength({ names, values }: CgiHead): number {
  const name = 'FCGI_DATA_LENGTH';
  return checkContentLength(values[names.names.lastIndexOf(name)], name);
}

/** What was wrong with the variables, said of this request. */
function refusalOf(state: RequestState, requests: Requests, error: unknown): unknown {
  if (!(error instanceof RemoteProtocolError)) return error;
  return requests.refusal(state, error.code, error.message, error.statusHint, error.limit);
}
