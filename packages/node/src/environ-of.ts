import type { Environ, Exchange } from '@postern/core';
import { PeerSocket } from './peer-socket.ts';
import { UpgradeSocket } from './upgrade-socket.ts';

/** Where frameworks keep the request that they were given: Fastify `raw`, Koa and Hono `req`, h3 `node`, … */
const places = ['raw', 'req', 'request', 'incoming', 'node', 'env'] as const;

/**
 * The environ of a request: REMOTE_USER, SSL_*, AUTH_TYPE and whatever else the web server vouches for.
 * @param req the request of node:http, or what a framework makes of it: Express `req`, Fastify `request`, Koa `ctx`, …
 * @throws TypeError the request did not come through a gateway (over plain http there is no environ)
 */
export function environOf(req: object): Environ {
  return exchangeOf(req).environ;
}

/** The exchange of a request. @throws as `environOf` */
export function exchangeOf(req: object): Exchange {
  const exchange = find(req, 4);
  if (exchange !== undefined) return exchange;
  throw new TypeError('there is no environ: this is no request that came through a gateway (it may be plain http)');
}

function find(value: unknown, depth: number): Exchange | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const holder = value as Record<string, unknown>;
  const exchange = PeerSocket.exchangeOf(holder.socket) ?? UpgradeSocket.exchangeOf(holder.socket);
  if (exchange !== undefined || depth === 0) return exchange;
  for (const place of places) {
    const inner = holder[place];
    if (inner === value || inner === undefined) continue;
    const found = find(inner, depth - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
