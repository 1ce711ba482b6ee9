import { limitsWith } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { Server } from '@postern/server';

/** Serves a handler over FastCGI. Kept connections stay: that is what is measured. */
export function listenFastcgi(handler, target) {
  const server = new Server(handler, { limits: limitsWith({ maxConnectionRequests: 1_000_000_000 }) });
  return server.listen(fastcgi, { transport: 'path' in target ? 'unix' : 'tcp', ...target });
}
