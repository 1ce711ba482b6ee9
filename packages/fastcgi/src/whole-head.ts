import type { Limits } from '@postern/core';
import { HEADER_LENGTH, KEEP_CONN, RecordType, VERSION } from './constants.ts';
import type { RecordReader } from './record-reader.ts';
import type { RequestState } from './request-state.ts';
import type { Requests } from './requests.ts';

/** Behind BEGIN_REQUEST and the header of PARAMS. */
const PARAMS_AT = HEADER_LENGTH + 8 + HEADER_LENGTH;
/** The least that a whole head has: one byte of PARAMS, and the empty record behind them. */
const LEAST = PARAMS_AT + 1 + HEADER_LENGTH;

/**
 * Most requests come in one piece and by the same records: BEGIN_REQUEST of a responder, one of PARAMS, and their end.
 * That can be seen by their headers, and costs less than to take the records one by one.
 * @returns the request, its PARAMS complete; undefined: what comes is anything else, or is not all there, or this request
 * is not taken, or breaks a rule: the records tell
 */
export function openWhole(record: RecordReader, requests: Requests, limits: Limits): RequestState | undefined {
  const bytes = record.front(LEAST);
  if (bytes === undefined) return undefined;
  const at = record.frontAt;
  const length = wholeParams(bytes, at);
  if (length === 0 || length > limits.maxEnvBytes) return undefined;
  const id = (bytes[at + 2] << 8) | bytes[at + 3];
  if (!requests.takes(id)) return undefined;
  const state = requests.open(id, 'responder', (bytes[at + 10] & KEEP_CONN) !== 0);
  state.receive = 'body';
  const from = at + PARAMS_AT;
  const padding = bytes[from - 2];
  state.lendParams(bytes, from, from + length);
  record.skipFront(PARAMS_AT + length + padding + HEADER_LENGTH);
  return state;
}

/** The bytes of PARAMS in a whole head that begins at `at`, of which `LEAST` bytes lie there; 0: it is none. */
function wholeParams(bytes: Buffer, at: number): number {
  const high = bytes[at + 2];
  const low = bytes[at + 3];
  if (bytes[at] !== VERSION || bytes[at + 1] !== RecordType.BEGIN_REQUEST || (high | low) === 0) return 0;
  // eight bytes, no padding, and the role of a responder
  if (bytes[at + 4] !== 0 || bytes[at + 5] !== 8 || bytes[at + 6] !== 0) return 0;
  if (bytes[at + 8] !== 0 || bytes[at + 9] !== 1) return 0;
  const params = at + HEADER_LENGTH + 8;
  if (bytes[params] !== VERSION || bytes[params + 1] !== RecordType.PARAMS) return 0;
  if (bytes[params + 2] !== high || bytes[params + 3] !== low) return 0;
  const length = (bytes[params + 4] << 8) | bytes[params + 5];
  const end = params + HEADER_LENGTH + length + bytes[params + 6];
  if (end + HEADER_LENGTH > bytes.length) return 0;
  if (bytes[end] !== VERSION || bytes[end + 1] !== RecordType.PARAMS) return 0;
  if (bytes[end + 2] !== high || bytes[end + 3] !== low) return 0;
  // its own padding would be waited for
  return bytes[end + 4] === 0 && bytes[end + 5] === 0 && bytes[end + 6] === 0 ? length : 0;
}
