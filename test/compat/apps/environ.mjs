import { clients, Failure, pieces, sha256, untilLeft } from './shared.mjs';

/** @type {import('postern').Application} */
export default async function app(environ) {
  switch (environ.PATH_INFO) {
    case '/upload': {
      const bytes = await environ['gateway.input'].bytes(4_000_000);
      const form = await new Response(bytes, { headers: { 'content-type': environ.CONTENT_TYPE } }).formData();
      const file = Buffer.from(await form.get('file').arrayBuffer());
      return json({ name: form.get('file').name, bytes: file.length, sha256: sha256(file), note: form.get('note') });
    }
    case '/json':
      return json({ got: JSON.parse(await environ['gateway.input'].text()) }, 201);
    case '/stream':
      return { status: 200, headers: { 'Content-Type': 'text/plain' }, body: pieces() };
    case '/error':
      throw new Failure();
    case '/wait':
      return { status: 200, headers: { 'X-Accel-Buffering': 'no' }, body: untilLeft(environ['gateway.signal']) };
    case '/vouched':
      return json({
        user: environ.REMOTE_USER,
        custom: environ.CUSTOM,
        ip: environ.REMOTE_ADDR,
        protocol: environ['gateway.url_scheme'],
      });
    default:
      return json(clients);
  }
}

function json(value, status = 200) {
  return { status, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) };
}
