import { Server as HttpServer } from 'node:http';
import { Server as NetServer } from 'node:net';
import { ConfigError } from '@postern/core';

/** What a `(req, res)` application is to be run as. */
export type NodeListener = (req: never, res: never) => unknown;

/** A `(req, res)` application that is ready: a listener, or the server object that has it. */
export interface NodeApp {
  readonly listener: NodeListener | HttpServer;
  /** What the application wants to have done when serving has ended. */
  readonly close?: () => unknown;
}

type Fastify = { ready(): PromiseLike<unknown>; routing: NodeListener; close(): unknown; server?: unknown };
type Nest = {
  init(): Promise<unknown>;
  getHttpAdapter(): { getInstance(): unknown };
  getHttpServer?(): unknown;
  close(): unknown;
};
type Koa = { callback(): NodeListener };

/** Whether an object is an application that `nodeAppOf` knows. */
export function isNodeApp(app: object): boolean {
  return isHttpServer(app) || isFastify(app) || isNest(app) || isKoa(app);
}

function isHttpServer(app: object): app is HttpServer {
  if (app instanceof HttpServer) return true;
  // to ask whether it is one of node:https loads TLS
  return app instanceof NetServer && app instanceof process.getBuiltinModule('node:https').Server;
}

function isFastify(app: object): app is Fastify {
  return has(app, 'ready', 'routing', 'inject');
}

function isNest(app: object): app is Nest {
  return has(app, 'init', 'getHttpAdapter', 'close');
}

function isKoa(app: object): app is Koa {
  return has(app, 'callback', 'use');
}

/**
 * The `(req, res)` application that an object is: `http.Server`, Fastify, NestJS (on Express or Fastify), Koa. Fastify
 * and NestJS are made ready. undefined: none of these.
 * @throws ConfigError ERR_APP_INTERFACE: it listens already; ERR_APP_LOAD: it could not be made ready
 */
export async function nodeAppOf(app: object): Promise<NodeApp | undefined> {
  if (isHttpServer(app)) {
    refuseListening(app);
    return { listener: app };
  }
  if (isFastify(app)) {
    refuseListening(app.server);
    await readied('Fastify', () => app.ready());
    return { listener: withUpgrades(app.server, app.routing), close: () => app.close() };
  }
  if (isNest(app)) {
    await readied('NestJS', () => app.init());
    const instance = app.getHttpAdapter().getInstance();
    const close = (): unknown => app.close();
    if (typeof instance === 'function')
      return { listener: withUpgrades(app.getHttpServer?.(), instance as NodeListener), close };
    const inner = typeof instance === 'object' && instance !== null ? await nodeAppOf(instance) : undefined;
    return inner === undefined ? undefined : { listener: inner.listener, close };
  }
  if (isKoa(app)) return { listener: app.callback() };
  return undefined;
}

/** The server that a framework made for itself, where something listens there for 'upgrade': a WebSocket plug-in. */
function withUpgrades(server: unknown, listener: NodeListener): NodeListener | HttpServer {
  const its =
    typeof server === 'object' && server !== null && isHttpServer(server) && server.listenerCount('upgrade') > 0;
  return its ? server : listener;
}

function has(app: object, ...methods: string[]): boolean {
  return methods.every((method) => typeof (app as Record<string, unknown>)[method] === 'function');
}

function refuseListening(server: unknown): void {
  if (typeof server === 'object' && server !== null && 'listening' in server && server.listening === true) {
    throw new ConfigError(
      'ERR_APP_INTERFACE',
      'the application listens already, on an address of its own: leave out its listen()',
    );
  }
}

async function readied(name: string, ready: () => PromiseLike<unknown>): Promise<void> {
  try {
    await ready();
  } catch (error) {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new ConfigError('ERR_APP_LOAD', `the ${name} application could not be made ready: ${text}`, { cause: error });
  }
}
