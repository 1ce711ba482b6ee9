import { Readable } from 'node:stream';
import { bodyParser } from '@koa/bodyparser';
import multer from '@koa/multer';
import Koa from 'koa';
import { clients, Failure, pieces, sha256 } from './shared.mjs';

const app = new Koa();
app.silent = true;
const upload = multer({ storage: multer.memoryStorage() }).single('file');
app.use(bodyParser());
app.use(async (ctx) => {
  switch (ctx.path) {
    case '/upload':
      await upload(ctx, async () => {});
      ctx.body = {
        name: ctx.file.originalname,
        bytes: ctx.file.size,
        sha256: sha256(ctx.file.buffer),
        note: ctx.request.body.note,
      };
      break;
    case '/json':
      ctx.status = 201;
      ctx.body = { got: ctx.request.body };
      break;
    case '/stream':
      ctx.body = Readable.from(pieces());
      break;
    case '/error':
      throw new Failure();
    case '/wait':
      clients.begun++;
      ctx.set('X-Accel-Buffering', 'no');
      ctx.respond = false;
      ctx.res.statusCode = 200;
      ctx.res.write('waiting\n');
      ctx.res.on('close', () => clients.left++);
      break;
    case '/left':
      ctx.body = { ...clients };
  }
});

export default app;
