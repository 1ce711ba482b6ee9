import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Child,
  type FrontEnd,
  http,
  repository,
  startChild,
  startNginx,
} from '../../packages/testkit/src/index.ts';

describe('Fastify on a server of postern (serverFactory)', () => {
  let app: Child;
  let nginx: FrontEnd;

  beforeAll(async () => {
    app = startChild(process.execPath, [join(repository, 'test/compat/apps/fastify-factory.mjs')]);
    const [, port] = await app.said(/listening \S+:(\d+)/);
    nginx = await startNginx(
      (listen) =>
        `server { listen 127.0.0.1:${listen}; location / { include /etc/nginx/fastcgi_params; fastcgi_pass 127.0.0.1:${port}; } }`,
    );
  });

  afterAll(async () => {
    await nginx.stop();
    expect((await app.stop()).code).toBe(0);
  });

  it('answers behind nginx', async () => {
    const reply = await http({ port: nginx.port, path: '/hello?name=x' });
    expect(JSON.parse(reply.text)).toEqual({ hello: 'x', ip: '127.0.0.1' });
  });
});
