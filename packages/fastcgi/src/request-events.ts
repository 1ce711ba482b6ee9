import { AbortError, type RequestEvent } from '@postern/core';
import type { RequestState } from './request-state.ts';

/** What a handler of a record says when it has no event: go on with the next record. */
export const MORE: unique symbol = Symbol('more');
/** An event; MORE; or undefined: the content has not come, or waits for `pull`. */
export type Step = RequestEvent | typeof MORE | undefined;

/** STDIN ended before CONTENT_LENGTH bytes of it had come. */
export function bodyShort(state: RequestState): RequestEvent {
  state.bodyDone = true;
  const error = new AbortError('ERR_BODY_SHORT', `the body ended ${state.left} bytes before its CONTENT_LENGTH`, 400);
  return { type: 'body-error', id: state.id, error };
}

/** DATA ended before FCGI_DATA_LENGTH bytes of it had come. */
export function dataShort(id: number, left: number): RequestEvent {
  const error = new AbortError(
    'ERR_BODY_SHORT',
    `the file of the filter ended ${left} bytes before its FCGI_DATA_LENGTH`,
    400,
  );
  return { type: 'body-error', id, error };
}

/** The web server gave the request up. */
export function aborted(id: number, message: string): RequestEvent {
  return { type: 'abort', id, error: new AbortError('ERR_ABORTED', message) };
}
