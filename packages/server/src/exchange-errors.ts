import { AbortError, LocalProtocolError } from '@postern/core';

export function repliedError(): AbortError {
  return new AbortError('ERR_ABORTED', 'the reply is complete, the rest of the body was thrown away');
}

export function bodyTooLong(maxBody: number): AbortError {
  return new AbortError('ERR_BODY_LIMIT', `the request body has more than ${maxBody} bytes (maxBody)`, 413);
}

export function bodyLost(cause: Error): AbortError {
  return new AbortError('ERR_SPOOL', `the request body is lost: ${cause.message}`, 500, { cause });
}

/** The reason of a signal is an AbortError whatever the application threw. */
export function asAbort(cause: unknown): AbortError {
  if (cause instanceof AbortError) return cause;
  return new AbortError('ERR_APP_ERROR', 'the application broke its reply off', 0, { cause });
}

export function headSent(): LocalProtocolError {
  return new LocalProtocolError('ERR_HEADERS_SENT', 'the head of the reply has been sent');
}

export function wrongLength(size: number, stated: number): LocalProtocolError {
  const code = size > stated ? 'ERR_BODY_LONG' : 'ERR_BODY_CUT';
  return new LocalProtocolError(code, `the body has ${size} bytes, its Content-Length is ${stated}`);
}

/**
 * @param declared Content-Length; -1: not stated
 * @throws LocalProtocolError as `wrongLength`
 */
export function checkLength(size: number, declared: number): void {
  if (declared >= 0 && declared !== size) throw wrongLength(size, declared);
}
