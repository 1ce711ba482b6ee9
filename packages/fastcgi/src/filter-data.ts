import type { Limits, RequestEvent } from '@postern/core';
import type { RecordReader } from './record-reader.ts';
import { move } from './record-rules.ts';
import { dataShort, MORE, type Step } from './request-events.ts';
import type { RequestState } from './request-state.ts';
import type { Requests } from './requests.ts';

/**
 * A record of DATA for a filter: the file that it works on (FastCGI 1.0 §6.4), with a window of its own.
 * @param events takes what comes behind the event that is returned
 */
export function takeData(
  record: RecordReader,
  state: RequestState,
  requests: Requests,
  events: RequestEvent[],
  limits: Limits,
): Step {
  if (record.left === 0) return takeDataEnd(record, state, requests);
  move(state, 'DATA');
  const { file, id } = state;
  if (state.reply === 'ended' || file?.done !== false) return record.skip() ? MORE : undefined;
  if (file.window >= limits.bodyHighWater) {
    requests.stalled = state;
    return undefined;
  }
  const piece = record.some();
  if (piece === undefined) return undefined;
  const chunk = piece.subarray(0, file.left);
  file.left -= chunk.length;
  file.window += chunk.length;
  if (file.left === 0) {
    file.done = true;
    events.push({ type: 'filter-end', id });
  }
  return { type: 'filter-data', id, chunk };
}

function takeDataEnd(record: RecordReader, state: RequestState, requests: Requests): Step {
  const { id } = record;
  const again = state.receive === 'complete';
  move(state, 'DATA_END');
  record.close();
  if (again) {
    requests.charge();
    return MORE;
  }
  if (state.answered) requests.forget(id);
  const { file } = state;
  if (state.reply === 'ended' || file?.done !== false) return MORE;
  file.done = true;
  return file.left === Number.POSITIVE_INFINITY ? { type: 'filter-end', id } : dataShort(id, file.left);
}
