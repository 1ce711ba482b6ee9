import { createServer } from 'node:http';
import { ajp } from '@postern/ajp';
import { limitsWith } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { scgi } from '@postern/scgi';
import { Server } from '@postern/server';
import { uwsgi } from '@postern/uwsgi';

const protocols = { ajp, fastcgi, scgi, uwsgi };

/**
 * Serves a handler of ours. Kept connections stay, and all that is asked for are taken: that is what is measured.
 * @param {string} protocol of `protocols`
 * @param {{ path: string } | { host: string, port: number }} target
 * @param peer what the address says of the web server: PeerOptions of core
 * @returns {Promise<{ path: string } | { host: string, port: number }>} where to connect to
 */
export function listenPostern(handler, protocol, target, peer = {}) {
  const limits = limitsWith({ maxConnectionRequests: 1_000_000_000, maxConnections: 20_000, maxConcurrent: 20_000 });
  const server = new Server(handler, { limits });
  return server.listen(protocols[protocol], { transport: 'path' in target ? 'unix' : 'tcp', ...target }, peer);
}

/** Makes a `net.Server` listen. */
export function listenOn(server, target) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(target, () => resolve('path' in target ? target : { ...target, port: server.address().port }));
  });
}

/** Between two turns of a server the others have theirs: the default of 5 s would close its connections. */
export const KEEP_ALIVE = 90_000;

/** Serves a `(req, res)` listener with node:http. */
export function listenHttp(listener, target) {
  return listenOn(createServer({ keepAliveTimeout: KEEP_ALIVE }, listener), target);
}
