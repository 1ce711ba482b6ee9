// The same routes on Express 4 and 5.
import { Readable } from 'node:stream';
import bodyParser from 'body-parser';
import multer from 'multer';
import { environOf } from 'postern';
import { clients, Failure, pieces, sha256 } from './shared.mjs';

export function addRoutes(app) {
  app.set('env', 'production');
  app.post('/upload', multer({ storage: multer.memoryStorage() }).single('file'), (req, res) => {
    res.json({
      name: req.file.originalname,
      bytes: req.file.size,
      sha256: sha256(req.file.buffer),
      note: req.body.note,
    });
  });
  app.post('/json', bodyParser.json(), (req, res) => res.status(201).json({ got: req.body }));
  app.get('/stream', (_req, res) => Readable.from(pieces()).pipe(res));
  app.get('/error', () => {
    throw new Failure();
  });
  app.get('/wait', (_req, res) => {
    clients.begun++;
    res.set('X-Accel-Buffering', 'no');
    res.write('waiting\n');
    res.on('close', () => clients.left++);
  });
  app.get('/left', (_req, res) => res.json(clients));
  app.get('/vouched', (req, res) => {
    const environ = environOf(req);
    res.json({ user: environ.REMOTE_USER, custom: environ.CUSTOM, ip: req.ip, protocol: req.protocol });
  });
  return app;
}
