import type { Chunk } from './application.ts';
import { AbortError, LocalProtocolError } from './errors.ts';
import type { BodyWriter, Exchange } from './exchange.ts';

type Step = IteratorResult<Chunk, unknown>;

const OVER: Step = { done: true, value: undefined };

/**
 * Sends the pieces of an iterable as fast as the peer takes them. When the exchange is over the iterator's `return` is
 * called once; when the iterator throws, the reply is broken off. Never rejects.
 */
export async function sendPieces(
  exchange: Exchange,
  writer: BodyWriter,
  pieces: Iterable<Chunk> | AsyncIterable<Chunk>,
): Promise<void> {
  if (writer.closed) {
    abandonBody(pieces);
    return;
  }
  let wake: ((step: Step) => void) | undefined;
  exchange.onOver(() => wake?.(OVER));
  try {
    const iterator =
      Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : (pieces as Iterable<Chunk>)[Symbol.iterator]();
    try {
      while (!writer.closed) {
        const pending = iterator.next();
        // a source that is silent must not outlive its client; a race with one promise would keep every step alive
        const step = isThenable(pending)
          ? await new Promise<Step>((resolve, reject) => {
              wake = resolve;
              pending.then(resolve, reject);
              if (writer.closed) resolve(OVER);
            })
          : pending;
        if (writer.closed) break;
        if (step.done) {
          writer.end();
          return;
        }
        if (typeof step.value !== 'string' && !(step.value instanceof Uint8Array)) {
          throw new LocalProtocolError(
            'ERR_APP_REPLY',
            `a piece of the body is ${typeof step.value}, not text or bytes`,
          );
        }
        if (!writer.write(step.value)) await drained(writer);
      }
    } catch (error) {
      exchange.fail(error);
    }
    // the reason a generator holds: files, locks, timers
    const closing = iterator.return?.();
    if (isThenable(closing)) closing.then(undefined, () => {});
  } catch (error) {
    exchange.fail(error);
  }
}

/** Lets go of a body that is not sent: a stream is destroyed, an iterator's `return` called. Never throws. */
export function abandonBody(body: unknown): void {
  if (typeof body !== 'object' || body === null || body instanceof Uint8Array) return;
  const held = body as { destroy?: unknown; [Symbol.asyncIterator]?: () => AsyncIterator<unknown> };
  try {
    // the iterator of a Node stream that has not begun does not destroy it
    if (typeof held.destroy === 'function') held.destroy();
    else {
      const iterator = held[Symbol.asyncIterator]?.() ?? (body as Partial<Iterable<unknown>>)[Symbol.iterator]?.();
      const closing = iterator?.return?.();
      if (isThenable(closing)) closing.then(undefined, () => {});
    }
  } catch {
    // it is not wanted any more: how it fails concerns nobody
  }
}

export function drained(writer: BodyWriter): Promise<void> {
  return new Promise((resolve) => writer.onDrain(resolve));
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/** The error of an exchange that is over although nobody said why. */
export function abortedError(cause?: Error): AbortError {
  return new AbortError('ERR_ABORTED', 'the client left', 0, cause ? { cause } : undefined);
}
