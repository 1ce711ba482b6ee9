import { H3 } from 'h3';
import { clients, Failure, pieces, sha256, untilLeft } from './shared.mjs';

const app = new H3({ silent: true });
app.post('/upload', async (event) => {
  const form = await event.req.formData();
  const file = form.get('file');
  const bytes = Buffer.from(await file.arrayBuffer());
  return { name: file.name, bytes: bytes.length, sha256: sha256(bytes), note: form.get('note') };
});
app.post('/json', async (event) => {
  event.res.status = 201;
  return { got: await event.req.json() };
});
app.get('/stream', () => ReadableStream.from(pieces()));
app.get('/error', () => {
  throw new Failure();
});
app.get(
  '/wait',
  (event) => new Response(ReadableStream.from(untilLeft(event.req.signal)), { headers: { 'X-Accel-Buffering': 'no' } }),
);
app.get('/left', () => clients);

export default app;
