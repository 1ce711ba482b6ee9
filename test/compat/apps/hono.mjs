import { Hono } from 'hono';
import { clients, Failure, pieces, sha256, untilLeft } from './shared.mjs';

const app = new Hono();
app.post('/upload', async (c) => {
  const form = await c.req.parseBody();
  const bytes = Buffer.from(await form.file.arrayBuffer());
  return c.json({ name: form.file.name, bytes: bytes.length, sha256: sha256(bytes), note: form.note });
});
app.post('/json', async (c) => c.json({ got: await c.req.json() }, 201));
app.get('/stream', () => new Response(ReadableStream.from(pieces())));
app.get('/error', () => {
  throw new Failure();
});
app.get(
  '/wait',
  (c) => new Response(ReadableStream.from(untilLeft(c.req.raw.signal)), { headers: { 'X-Accel-Buffering': 'no' } }),
);
app.get('/left', (c) => c.json(clients));
app.get('/vouched', (c) => {
  const { environ, remoteAddr } = c.env;
  return c.json({
    user: environ.REMOTE_USER,
    custom: environ.CUSTOM,
    ip: remoteAddr,
    protocol: new URL(c.req.url).protocol.slice(0, -1),
  });
});
app.onError((_error, c) => c.text('Internal Server Error', 500));

export default app;
