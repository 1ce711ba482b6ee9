import type { Application, Chunk, FileBody, Reply } from './application.ts';
import type { Exchange, Handler } from './exchange.ts';
import { readFileBody } from './file-body.ts';
import { bodyKind, checkReply, flattenHeaders } from './reply.ts';
import { isThenable, sendPieces } from './send-body.ts';
import { reasonOf } from './status.ts';

/** Runs an environ application on the waist. A reply in memory costs no promise when the application is synchronous. */
export function environHandler(application: Application): Handler {
  return function handleEnviron(exchange: Exchange): void {
    try {
      const reply = application(exchange.environ);
      if (isThenable(reply)) {
        (reply as Promise<Reply>).then(
          (settled) => answer(exchange, settled),
          (error) => exchange.fail(error),
        );
      } else send(exchange, checkReply(reply));
    } catch (error) {
      exchange.fail(error);
    }
  };
}

function answer(exchange: Exchange, reply: unknown): void {
  try {
    send(exchange, checkReply(reply));
  } catch (error) {
    exchange.fail(error);
  }
}

function send(exchange: Exchange, reply: Reply): void {
  if (exchange.over) return;
  const { status } = reply;
  const reason = reply.reason ?? reasonOf(status);
  const headers = flattenHeaders(reply.headers);
  const body = reply.body;
  switch (bodyKind(body)) {
    case 'whole':
      exchange.respond(status, reason, headers, (body ?? null) as Chunk | null);
      return;
    case 'file':
      void sendPieces(exchange, exchange.start(status, reason, headers), readFileBody(body as FileBody));
      return;
    default:
      void sendPieces(exchange, exchange.start(status, reason, headers), body as AsyncIterable<Chunk>);
  }
}
