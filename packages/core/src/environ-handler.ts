import type { Application, Chunk, FileBody, Reply } from './application.ts';
import type { Environ } from './environ.ts';
import type { Exchange, Handler } from './exchange.ts';
import { sendFile } from './file-body.ts';
import { isBodyless } from './headers.ts';
import { bodyKind, checkReply, flattenHeaders } from './reply.ts';
import { abandonBody, isThenable, sendPieces } from './send-body.ts';
import { reasonOf } from './status.ts';

/** Runs an environ application on the waist. A reply in memory costs no promise when the application is synchronous. */
export function environHandler(application: Application): Handler {
  return function handleEnviron(exchange: Exchange): unknown {
    return ask(exchange, application, answerReply);
  };
}

/**
 * Calls what answers an environ, and gives its answer on, now or when its promise is fulfilled. Never throws.
 * @returns the promise, if it is one
 */
export function ask<E extends Exchange>(
  exchange: E,
  application: (environ: Environ) => unknown,
  answer: (exchange: E, answered: unknown) => void,
): PromiseLike<unknown> | undefined {
  try {
    const answered = application(exchange.environ);
    if (isThenable(answered)) {
      answered.then(
        (settled) => answer(exchange, settled),
        (error) => exchange.fail(error),
      );
      return answered;
    }
    answer(exchange, answered);
  } catch (error) {
    exchange.fail(error);
  }
  return undefined;
}

/** Answers with what an environ application gave. Never throws. */
export function answerReply(exchange: Exchange, answered: unknown): void {
  // it has upgraded: there is nothing to be answered
  if (answered === undefined && exchange.started) return;
  let unsent: Reply['body'];
  try {
    const reply = checkReply(answered);
    unsent = reply.body;
    if (!exchange.over && send(exchange, reply)) return;
  } catch (error) {
    exchange.fail(error);
  }
  abandonBody(unsent);
}

/** False: the reply goes without its body. */
function send(exchange: Exchange, reply: Reply): boolean {
  const { status, body } = reply;
  const kind = bodyKind(body);
  const reason = reply.reason ?? reasonOf(status);
  const headers = flattenHeaders(reply.headers);
  if (kind === 'whole') {
    exchange.respond(status, reason, headers, (body ?? null) as Chunk | null);
    return true;
  }
  if (isBodyless(exchange.head.method, status)) {
    exchange.respond(status, reason, headers, null);
    return false;
  }
  if (kind === 'file') void sendFile(exchange, { status, reason, headers }, body as FileBody);
  else void sendPieces(exchange, exchange.start(status, reason, headers), body as AsyncIterable<Chunk>);
  return true;
}
