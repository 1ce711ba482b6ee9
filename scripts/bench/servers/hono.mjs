import { Hono } from 'hono';
import { hello } from '../scenarios.mjs';
import { listenFetch } from './listen-fetch.mjs';

const app = new Hono();
app.get('/hello/:who', (c) => c.text(hello(c.req.path, c.req.header('accept-language'))));

export function listen(target, protocol) {
  return listenFetch(app.fetch, protocol, target);
}
