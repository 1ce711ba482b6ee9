import type { Environ } from '@postern/core';
import { environOf as environOfFetch } from '@postern/fetch';
import { environOf as environOfNode } from '@postern/node';

/**
 * The environ of a request: REMOTE_USER, SSL_*, AUTH_TYPE and whatever else the web server vouches for.
 * @param request the request of node:http, the Request of a fetch handler, or what a framework makes of either: Express
 *   `req`, Fastify `request`, Koa `ctx`, Hono `c` …
 * @throws TypeError the request did not come through a gateway (over plain http there is no environ)
 */
export function environOf(request: object): Environ {
  return fetchEnviron(request) ?? environOfNode(request);
}

/** Hono keeps the Request in `c.req.raw`, h3 in `event.req`. */
function fetchEnviron(request: object): Environ | undefined {
  let at: unknown = request;
  for (const place of ['req', 'raw'] as const) {
    const environ = environOfFetch(at as Request);
    if (environ !== undefined) return environ;
    const inner = (at as Record<string, unknown>)[place];
    if (typeof inner === 'object' && inner !== null) at = inner;
  }
  return environOfFetch(at as Request);
}
