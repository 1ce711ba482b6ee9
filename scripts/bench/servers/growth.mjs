import { environHandler } from '@postern/core';
import { events, tick, variablesText } from '../growth-apps.mjs';
import { listenPostern } from './listen.mjs';

/** `/events`: a stream that never ends, one clock for all. Else: looks at every variable. */
function growthApp(environ) {
  if (environ.PATH_INFO === '/events')
    return { status: 200, headers: { 'content-type': 'text/event-stream' }, body: events() };
  const body = variablesText(environ);
  return { status: 200, headers: { 'content-type': 'text/plain', 'content-length': String(body.length) }, body };
}

export function listen(target, protocol) {
  tick();
  return listenPostern(environHandler(growthApp), protocol, target);
}
