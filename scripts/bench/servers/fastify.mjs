import { createServer } from 'node:http';
import { nodeHandler } from '@postern/node';
import fastify from 'fastify';
import { hello } from '../scenarios.mjs';
import { KEEP_ALIVE, listenOn, listenPostern } from './listen.mjs';

export async function listen(target, protocol) {
  let listener;
  let server;
  const app = fastify({
    serverFactory(handler) {
      listener = handler;
      server = createServer({ keepAliveTimeout: KEEP_ALIVE }, handler);
      return server;
    },
  });
  app.get('/hello/:who', (request, reply) => {
    reply.type('text/plain').send(hello(request.url, request.headers['accept-language']));
  });
  await app.ready();
  return protocol === 'http' ? listenOn(server, target) : listenPostern(nodeHandler(listener), protocol, target);
}
