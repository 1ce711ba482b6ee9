/** An error as node:http would raise it: applications look at its code. */
export function nodeError<T extends Error>(error: T, code: string): T & { code: string } {
  return Object.assign(error, { code });
}

/** What a request ends with when its peer is gone. */
export function connectionReset(cause?: unknown): Error {
  return nodeError(new Error('aborted', cause === undefined ? undefined : { cause }), 'ECONNRESET');
}
