import { createAdaptorServer } from '@hono/node-server';
import { fetchApp } from '../apps.mjs';
import { listenOn } from './listen.mjs';

export function listen(target) {
  return listenOn(createAdaptorServer({ fetch: fetchApp, serverOptions: { keepAliveTimeout: 90_000 } }), target);
}
