import type { ServerResponse } from 'node:http';
import { type Allowance, AuthorizerExchange, LocalProtocolError, variableHeaders } from '@postern/core';
import { exchangeOf } from './environ-of.ts';

/**
 * Answers a request of an authorizer: it may pass, and the variables reach the application behind.
 * @throws LocalProtocolError ERR_AUTHORIZER: a variable cannot be sent, or no authorizer was asked; TypeError as `environOf`
 */
export function allow(res: ServerResponse, variables: Allowance['allow'] = {}): void {
  const exchange = exchangeOf(res);
  if (!(exchange instanceof AuthorizerExchange))
    throw new LocalProtocolError('ERR_AUTHORIZER', 'allow() was called for a request that is not one of an authorizer');
  res.writeHead(200, variableHeaders(variables));
  exchange.permit();
  res.end();
}
