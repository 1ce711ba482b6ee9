import { AbortError, type RequestEvent } from '@postern/core';

/** What a handler of a packet says when it has no event: go on with the next packet. */
export const MORE = Symbol('more');

/** An event; MORE; or undefined: the payload has not come. */
export type Step = RequestEvent | typeof MORE | undefined;

/** The body ended before its Content-Length. */
export function bodyShort(id: number, left: number): RequestEvent {
  const error = new AbortError('ERR_BODY_SHORT', `the body ended ${left} bytes before its Content-Length`, 400);
  return { type: 'body-error', id, error };
}

export function aborted(id: number): RequestEvent {
  return { type: 'abort', id, error: new AbortError('ERR_ABORTED', 'the web server closed the connection') };
}
