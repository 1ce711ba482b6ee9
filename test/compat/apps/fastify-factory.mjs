// Fastify on postern's own server: this file listens by itself.
import fastify from 'fastify';
import { createServer } from 'postern';

const app = fastify({ serverFactory: (handler) => createServer({ protocol: 'fastcgi' }, handler) });
app.get('/hello', async (request) => ({ hello: request.query.name, ip: request.ip }));
const address = await app.listen({ port: 0, host: '127.0.0.1' });
console.error(`listening ${address}`);
process.on('SIGTERM', () => app.close());
