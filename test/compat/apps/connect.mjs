import { Readable } from 'node:stream';
import bodyParser from 'body-parser';
import connect from 'connect';
import multer from 'multer';
import { clients, Failure, pieces, sha256 } from './shared.mjs';

process.env.NODE_ENV = 'production';
const app = connect();
app.use('/upload', multer({ storage: multer.memoryStorage() }).single('file'));
app.use('/upload', (req, res) => {
  json(res, {
    name: req.file.originalname,
    bytes: req.file.size,
    sha256: sha256(req.file.buffer),
    note: req.body.note,
  });
});
app.use('/json', bodyParser.json());
app.use('/json', (req, res) => json(res, { got: req.body }, 201));
app.use('/stream', (_req, res) => Readable.from(pieces()).pipe(res));
app.use('/error', () => {
  throw new Failure();
});
app.use('/wait', (_req, res) => {
  clients.begun++;
  res.setHeader('X-Accel-Buffering', 'no');
  res.write('waiting\n');
  res.on('close', () => clients.left++);
});
app.use('/left', (_req, res) => json(res, clients));

function json(res, value, status = 200) {
  res.writeHead(status, { 'Content-Type': 'application/json' });
  res.end(JSON.stringify(value));
}

export default app;
