import {
  type Allowance,
  AuthorizerExchange,
  ConfigError,
  type Exchange,
  type Handler,
  isAllowance,
  isThenable,
  LocalProtocolError,
  printable,
  reasonOf,
} from '@postern/core';
import { FetchContext } from './fetch-context.ts';
import { LazyRequest } from './lazy-request.ts';
import { installLightResponse } from './light-response.ts';
import { requestMethod } from './request-method.ts';
import { requestUrl } from './request-url.ts';
import { dropResponse, sendResponse } from './send-response.ts';

/** undefined where the handler has called `context.upgrade`. */
type Answer = Response | undefined;

/** A handler on web standards. */
export type FetchHandler = (request: Request, context: FetchContext) => Answer | Promise<Answer>;

/** An application object: Hono, h3, `export default { fetch }`. */
export interface FetchApp {
  fetch(request: Request, context: FetchContext): Answer | Promise<Answer>;
  /** False: the global Response stays Node's own, which costs as much as the rest of the path. */
  readonly overrideGlobalObjects?: boolean;
}

/** Decides whether a request may pass. A Response is what the client gets in its place: any status but 2xx. */
export type FetchAuthorizer = (
  request: Request,
  context: FetchContext,
) => Allowance | Response | Promise<Allowance | Response>;

/** The context comes a third time for those that follow the form `fetch(request, env, ctx)`: Hono's `c.executionCtx`. */
type Called = (request: Request, context: FetchContext, executionContext: FetchContext) => unknown;

/**
 * Runs a fetch handler, or the `fetch` of an object, on the waist. A Response that comes without a promise, made of text
 * or bytes, is answered at once; the global Response becomes a light one, unless the object says otherwise. Requests that
 * no Request can stand for never reach it: 400 where host and target make no URL, 501 for the methods CONNECT, TRACE and
 * TRACK.
 * @throws ConfigError ERR_APP_EXPORT: it is neither
 */
export function fetchHandler(handler: FetchHandler | FetchApp): Handler {
  if (typeof handler === 'function') {
    installLightResponse();
    return function handleFetch(exchange: Exchange): unknown {
      return run(exchange, undefined, handler as Called, answer);
    };
  }
  checkOwner(handler);
  if (handler.overrideGlobalObjects !== false) installLightResponse();
  return function handleFetch(exchange: Exchange): unknown {
    return run(exchange, handler, handler.fetch as Called, answer);
  };
}

/**
 * The same for an authorizer. It fails closed: what throws, answers nothing, or answers a success that is no allow is a
 * 500.
 * @throws as `fetchHandler`
 */
export function fetchAuthorizer(handler: FetchAuthorizer | { fetch: FetchAuthorizer }): Handler {
  const owner = typeof handler === 'function' ? undefined : handler;
  if (owner !== undefined) checkOwner(owner);
  return function handleAuthorizer(exchange: Exchange): unknown {
    const called = owner === undefined ? handler : owner.fetch;
    return run(new AuthorizerExchange(exchange), owner, called as Called, decide);
  };
}

function checkOwner(owner: { fetch: unknown }): void {
  if (typeof owner?.fetch !== 'function')
    throw new ConfigError('ERR_APP_EXPORT', 'a fetch application is a function, or an object with a method "fetch"');
}

/** @returns the promise of the handler, if it gave one */
function run<E extends Exchange>(
  exchange: E,
  owner: object | undefined,
  handler: Called,
  answered: (exchange: E, response: unknown) => void,
): PromiseLike<unknown> | undefined {
  try {
    const context = new FetchContext(exchange);
    const request = makeRequest(exchange, context);
    if (request === undefined) return undefined;
    const response = handler.call(owner, request as unknown as Request, context, context);
    if (isThenable(response)) {
      response.then(
        (settled) => answered(exchange, settled),
        (error) => exchange.fail(thrown(error)),
      );
      return response;
    }
    answered(exchange, response);
  } catch (error) {
    exchange.fail(thrown(error));
  }
  return undefined;
}

/** undefined: refused and answered */
function makeRequest(exchange: Exchange, context: FetchContext): LazyRequest | undefined {
  const { head } = exchange;
  const method = requestMethod(head.method);
  if (method === undefined) {
    exchange.respond(501, reasonOf(501), [], null);
    return undefined;
  }
  const headers = head.headers();
  const url = requestUrl(head, headers);
  if (url === undefined) {
    exchange.errors.write(
      `ERR_ENV_TARGET: no URL can be made of the host and the target "${printable(head.target)}"\n`,
    );
    exchange.respond(400, reasonOf(400), [], null);
    return undefined;
  }
  return new LazyRequest(exchange, method, url, headers, context);
}

function answer(exchange: Exchange, response: unknown): void {
  try {
    // it has upgraded
    if (exchange.started && (response === undefined || !exchange.over)) dropResponse(response);
    else sendResponse(exchange, response);
  } catch (error) {
    exchange.fail(error);
  }
}

function decide(exchange: AuthorizerExchange, answered: unknown): void {
  try {
    if (isAllowance(answered)) exchange.allow(answered.allow);
    else if (typeof answered === 'object' && answered !== null) sendResponse(exchange, answered);
    else
      throw new LocalProtocolError(
        'ERR_APP_REPLY',
        `an authorizer must answer { allow } or a Response, this one answered ${answered === null ? 'null' : typeof answered}`,
      );
  } catch (error) {
    exchange.fail(error);
  }
}

/** A Response is for answering; thrown, it would name itself "[object Response]" in the log. */
function thrown(error: unknown): unknown {
  if (!(error instanceof Response)) return error;
  return new LocalProtocolError('ERR_APP_ERROR', `the handler threw a Response with status ${error.status}`);
}
