import { abortedError, type Exchange, isBodyless } from '@postern/core';
import { responseParts } from './response-parts.ts';
import { sendStream } from './send-stream.ts';

/**
 * Answers an exchange with a Response: text and bytes in one piece, a stream as fast as the peer takes it.
 * @throws LocalProtocolError as `responseParts` and `Exchange.respond`; nothing was sent then
 */
export function sendResponse(exchange: Exchange, response: unknown): void {
  const parts = responseParts(response);
  const { status, reason, headers, body } = parts;
  const stream = body !== null && typeof body === 'object' && !(body instanceof Uint8Array) ? body : undefined;
  if (exchange.over) void stream?.cancel(abortedError()).catch(ignore);
  else if (isBodyless(exchange.head.method, status)) {
    void stream?.cancel().catch(ignore);
    exchange.respond(status, reason, headers, null);
  } else if (stream !== undefined) void sendStream(exchange, parts, stream);
  else exchange.respond(status, reason, headers, body as string | Uint8Array | null);
}

/** A Response that is for nobody, if there is one. */
export function dropResponse(response: unknown): void {
  const { body } = (response ?? {}) as Partial<Response>;
  if (body && !body.locked) void body.cancel?.().catch(ignore);
}

function ignore(): void {}
