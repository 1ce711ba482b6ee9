import type { Allowance, Authorizer } from './application.ts';
import { AuthorizerExchange } from './authorizer-exchange.ts';
import { answerReply, ask } from './environ-handler.ts';
import { LocalProtocolError } from './errors.ts';
import type { Exchange, Handler } from './exchange.ts';
import { describe } from './reply.ts';

/**
 * Runs an authorizer on the waist. It fails closed: what throws, answers nothing, or answers a success that is no allow
 * is a 500.
 */
export function authorizerHandler(authorizer: Authorizer): Handler {
  return function handleAuthorizer(exchange: Exchange): unknown {
    return ask(new AuthorizerExchange(exchange), authorizer, decide);
  };
}

/** The same for a handler that answers an authorizer's requests with `Variable-` headers of its own making. */
export function guardAuthorizer(handler: Handler): Handler {
  return function handleGuarded(exchange: Exchange): unknown {
    return handler(new AuthorizerExchange(exchange, true));
  };
}

/** Whether an authorizer answered with an allow. @throws LocalProtocolError ERR_AUTHORIZER: it has a status beside it */
export function isAllowance(answered: unknown): answered is Allowance {
  if (typeof answered !== 'object' || answered === null || !('allow' in answered)) return false;
  if ('status' in answered)
    throw new LocalProtocolError('ERR_AUTHORIZER', 'an authorizer answered { allow } and a status: answer one of them');
  return true;
}

function decide(exchange: AuthorizerExchange, answered: unknown): void {
  try {
    if (isAllowance(answered)) exchange.allow(answered.allow);
    else if (typeof (answered as { status?: unknown } | null | undefined)?.status === 'number')
      answerReply(exchange, answered);
    else
      throw new LocalProtocolError(
        'ERR_APP_REPLY',
        `an authorizer must answer { allow } or { status, headers, body }, this one answered ${describe(answered)}`,
      );
  } catch (error) {
    exchange.fail(error);
  }
}
