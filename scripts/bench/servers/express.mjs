import { nodeHandler } from '@postern/node';
import express from 'express';
import { hello } from '../scenarios.mjs';
import { listenHttp, listenPostern } from './listen.mjs';

const app = express();
app.get('/hello/:who', (req, res) => {
  res.type('text/plain').send(hello(req.path, req.get('accept-language')));
});

export function listen(target, protocol) {
  if (protocol === 'http') return listenHttp(app, target);
  return listenPostern(nodeHandler(app), protocol, target);
}
