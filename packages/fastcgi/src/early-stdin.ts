import type { Limits } from '@postern/core';
import type { RecordReader } from './record-reader.ts';
import { MORE, type Step } from './request-events.ts';
import type { RequestState } from './request-state.ts';
import type { Requests } from './requests.ts';

/**
 * STDIN that comes before it is known what it is. The specification lets it come before the end of PARAMS; no server does
 * it, so there is room for little. Behind a request for an upgrade it waits for the answer.
 * @throws RemoteProtocolError ERR_FCGI_STATE, of this request
 */
export function takeEarly(record: RecordReader, state: RequestState, requests: Requests, limits: Limits): Step {
  const { bodyHighWater } = limits;
  if ((state.early?.length ?? 0) + record.left > bodyHighWater) {
    if (state.asked) {
      requests.stalled = state;
      return undefined;
    }
    const message = `more than ${bodyHighWater} bytes of STDIN before the end of PARAMS (bodyHighWater)`;
    throw requests.refusal(state, 'ERR_FCGI_STATE', message, 400, 'bodyHighWater');
  }
  const piece = record.some();
  if (piece === undefined) return undefined;
  state.addEarly(piece);
  return MORE;
}
