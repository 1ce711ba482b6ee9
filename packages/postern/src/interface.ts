import {
  type Application,
  type Authorizer,
  authorizerHandler,
  ConfigError,
  environHandler,
  guardAuthorizer,
  type Handler,
  isThenable,
  printable,
  type Role,
} from '@postern/core';
import type { FetchApp, FetchAuthorizer, FetchHandler } from '@postern/fetch';
import type { HttpListener } from '@postern/server';
import { type NodeApp, nodeAppOf } from './app-kinds.ts';

export const interfaceNames = ['environ', 'node', 'fetch'] as const;
/** The kind of an application. */
export type Interface = (typeof interfaceNames)[number];

/** An application as the waist takes it. */
export interface PreparedApp {
  readonly interface: Interface;
  readonly handler: Handler;
  /** What it can be asked as; without it as a responder alone. */
  readonly roles?: readonly Role[];
  /** What answers with Node's own `req` and `res` over HTTP, where the application can. */
  readonly listener?: HttpListener;
  /** What the application wants to have done when serving has ended. */
  readonly close?: () => unknown;
}

/**
 * Finds out what kind of application something is, and makes it ready. A promise is awaited.
 *
 * An object with `fetch` is fetch; `http.Server`, Fastify, NestJS, Koa and functions of two or more parameters (Express,
 * connect, plain listeners) are node; a function of one parameter is environ.
 * @param forced the kind, where it is known; of what is beside an application, where it is unclear
 * @param name what messages call it
 * @param role what it is asked as: an authorizer may answer `{ allow }` too
 * @throws ConfigError ERR_APP_INTERFACE, ERR_APP_EXPORT, ERR_APP_LOAD
 */
export async function prepareApp(
  given: unknown,
  forced: Interface | undefined,
  name = 'the application',
  role: Role = 'responder',
): Promise<PreparedApp> {
  checkInterface(forced);
  // an application with `fetch` is not awaited: the routers of itty-router have every method, `then` too
  const app = hasFetch(given) || !isThenable(given) ? given : await settled(given, name);
  if (typeof app !== 'function' && (typeof app !== 'object' || app === null))
    throw new ConfigError('ERR_APP_EXPORT', `${name} is ${app === null ? 'null' : `of type ${typeof app}`}: ${shapes}`);
  const kind = role === 'responder' || isUnclear(app, forced) ? forced : undefined;
  const found = await prepare(app, kind, role === 'authorizer');
  if (found !== undefined) return found;
  if (kind !== undefined)
    throw new ConfigError('ERR_APP_INTERFACE', `${name} is ${describe(app)}, which cannot be ${kind}: ${needs[kind]}`);
  throw new ConfigError('ERR_APP_INTERFACE', `${name} is ${describe(app)}, whose kind is unclear: ${shapes}`);
}

/** A function of two parameters is `(req, res)`, or `(request, context)` where fetch is said. */
function isUnclear(app: object, forced: Interface | undefined): boolean {
  return typeof app === 'function' && !hasFetch(app) && (app.length < 2 || forced === 'fetch');
}

const needs: Record<Interface, string> = {
  environ: 'it must be a function of one parameter, the environ',
  node: 'it must be a function (req, res), an http.Server, or an Express, Koa, Fastify, NestJS or connect application',
  fetch: 'it must be a function (request), or an object with a method fetch',
};
const shapes =
  'serve a function (environ), a function (req, res) or an object with fetch, and name its kind where that is unclear: --interface environ, node or fetch';

/** @throws ConfigError ERR_APP_INTERFACE */
export function checkInterface(forced: string | undefined): asserts forced is Interface | undefined {
  if (forced !== undefined && !(interfaceNames as readonly string[]).includes(forced)) {
    throw new ConfigError(
      'ERR_APP_INTERFACE',
      `there is no interface "${printable(String(forced))}": choose environ, node or fetch`,
    );
  }
}

async function settled(given: PromiseLike<unknown>, name: string): Promise<unknown> {
  try {
    return await given;
  } catch (error) {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new ConfigError('ERR_APP_LOAD', `the promise of ${name} was rejected: ${text}`, { cause: error });
  }
}

async function prepare(
  app: object,
  forced: Interface | undefined,
  authorizes: boolean,
): Promise<PreparedApp | undefined> {
  const length = typeof app === 'function' ? app.length : -1;
  switch (forced ?? (hasFetch(app) ? 'fetch' : length === 1 ? 'environ' : 'node')) {
    case 'environ':
      if (length < 0) return undefined;
      return {
        interface: 'environ',
        handler: authorizes ? authorizerHandler(app as Authorizer) : environHandler(app as Application),
      };
    case 'fetch':
      return length < 0 && !hasFetch(app) ? undefined : prepareFetch(app, authorizes);
    default:
      if (length >= 0 && (length >= 2 || forced === 'node')) return prepareNode({ listener: app as never }, authorizes);
      return length >= 0 ? undefined : prepareNode(await nodeAppOf(app), authorizes);
  }
}

// what an environ application does not need is not loaded for it

async function prepareFetch(app: object, authorizes: boolean): Promise<PreparedApp> {
  const { fetchAuthorizer, fetchHandler } = await import('@postern/fetch');
  const handler = authorizes ? fetchAuthorizer(app as FetchAuthorizer) : fetchHandler(app as FetchHandler | FetchApp);
  return { interface: 'fetch', handler };
}

async function prepareNode(found: NodeApp | undefined, authorizes: boolean): Promise<PreparedApp | undefined> {
  if (found === undefined) return undefined;
  const { attach, nodeHandler } = await import('@postern/node');
  const { listener, close } = found;
  const handler = typeof listener === 'function' ? nodeHandler(listener as never) : attach(listener);
  if (authorizes) return { interface: 'node', handler: guardAuthorizer(handler), close };
  return { interface: 'node', handler, listener: listener as HttpListener, close };
}

function hasFetch(app: unknown): app is FetchApp {
  return (
    (typeof app === 'function' || (typeof app === 'object' && app !== null)) &&
    typeof (app as { fetch?: unknown }).fetch === 'function'
  );
}

function describe(app: object): string {
  if (typeof app === 'function')
    return `a function of ${app.length === 1 ? 'one parameter' : `${app.length || 'no'} parameters`}`;
  const name: unknown = app.constructor?.name;
  return typeof name === 'string' && name !== 'Object' && name !== ''
    ? `an object of class ${printable(name)}`
    : 'an object';
}
