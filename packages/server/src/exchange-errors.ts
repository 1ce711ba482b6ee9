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

/**
 * @param declared Content-Length; -1: not stated
 * @throws LocalProtocolError ERR_BODY_LONG, ERR_BODY_CUT
 */
export function checkLength(size: number, declared: number): void {
  if (declared < 0 || declared === size) return;
  const code = size > declared ? 'ERR_BODY_LONG' : 'ERR_BODY_CUT';
  throw new LocalProtocolError(code, `the body has ${size} bytes, its Content-Length is ${declared}`);
}
