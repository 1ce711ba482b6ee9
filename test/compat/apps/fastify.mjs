import { Readable } from 'node:stream';
import multipart from '@fastify/multipart';
import fastify from 'fastify';
import { clients, Failure, pieces, sha256 } from './shared.mjs';

const app = fastify();
app.register(multipart);
app.post('/upload', async (request) => {
  const file = await request.file();
  const bytes = await file.toBuffer();
  return { name: file.filename, bytes: bytes.length, sha256: sha256(bytes), note: file.fields.note.value };
});
const body = { type: 'object', required: ['a'], properties: { a: { type: 'integer' } } };
app.post('/json', { schema: { body } }, async (request, reply) => {
  reply.code(201);
  return { got: request.body };
});
app.get('/stream', (_request, reply) => reply.type('text/plain').send(Readable.from(pieces())));
app.get('/error', async () => {
  throw new Failure();
});
app.get('/wait', (_request, reply) => {
  clients.begun++;
  reply.hijack();
  reply.raw.setHeader('X-Accel-Buffering', 'no');
  reply.raw.write('waiting\n');
  reply.raw.on('close', () => clients.left++);
});
app.get('/left', async () => clients);
// Fastify tells the message of an error to the client unless it is told not to
app.setErrorHandler((error, _request, reply) => {
  const status = error.statusCode ?? 500;
  reply.code(status).send({ statusCode: status, error: status < 500 ? error.message : 'Internal Server Error' });
});

export default app;
