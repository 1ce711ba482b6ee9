import { createAdaptorServer } from '@hono/node-server';
import { fetchHandler } from '@postern/fetch';
import { KEEP_ALIVE, listenOn, listenPostern } from './listen.mjs';

/** Serves a fetch handler: over HTTP with @hono/node-server. */
export function listenFetch(app, protocol, target) {
  if (protocol !== 'http') return listenPostern(fetchHandler(app), protocol, target);
  return listenOn(createAdaptorServer({ fetch: app, serverOptions: { keepAliveTimeout: KEEP_ALIVE } }), target);
}
