import { request } from 'node:http';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type FrontEnd,
  http,
  portOf,
  type Served,
  servePostern,
  startNginx,
  until,
} from '../../packages/testkit/src/index.ts';

const GIGABYTE = 1_073_741_824;
const piece = Buffer.alloc(1_048_576, 'u');

function* gigabyte(): Generator<Buffer> {
  for (let sent = 0; sent < GIGABYTE; sent += piece.length) yield piece;
}

interface Growth {
  rss: number;
  external: number;
}

describe('a 1 GB upload, unbuffered by nginx', () => {
  let app: Served;
  let nginx: FrontEnd;

  beforeAll(async () => {
    const env = { ...process.env, NODE_OPTIONS: '--expose-gc' };
    app = await servePostern('test/fixtures/uploads.mjs', ['fastcgi://127.0.0.1:0'], { env });
    nginx = await startNginx(
      (port) => `server { listen 127.0.0.1:${port}; location / { include /etc/nginx/fastcgi_params;
fastcgi_request_buffering off; fastcgi_pass 127.0.0.1:${portOf(app.addresses[0])}; } }`,
    );
  });

  afterAll(async () => {
    await nginx.stop();
    expect((await app.child.stop()).code).toBe(0);
  });

  async function ask(path: string): Promise<{ never: number; growth: Growth }> {
    return JSON.parse((await http({ port: nginx.port, path })).text);
  }

  /** The most that was seen while it happened, beside a quiet process, in MiB. */
  function expectLevel(growth: Growth, most: number): void {
    expect(growth.external).toBeLessThan(most);
    expect(growth.rss).toBeLessThan(most);
  }

  it('that the app never reads waits in the web server, until the app answers', async () => {
    await ask('/reset');
    const upload = request({
      host: '127.0.0.1',
      port: nginx.port,
      path: '/never',
      method: 'POST',
      agent: false,
      headers: { 'Content-Length': GIGABYTE },
    });
    upload.on('error', () => {});
    let taken = 0;
    const fill = (): void => {
      while (upload.write(piece)) taken += piece.length;
    };
    upload.on('drain', fill);
    fill();
    await until(
      () => ask('/memory'),
      ({ never }) => never === 1,
    );
    // as much as the kernel and nginx hold: it has stood still for a while then
    let before = -1;
    await until(
      () => taken,
      (now) => {
        const still = now === before;
        before = now;
        return still;
      },
    );
    expect(taken).toBeLessThan(64 * piece.length);
    expectLevel((await ask('/memory')).growth, 32);
    const answered = new Promise<number | undefined>((resolve) =>
      upload.on('response', (response) => resolve(response.statusCode)),
    );
    await ask('/release');
    expect(await answered).toBe(200);
    upload.destroy();
  });

  it('that the app reads slowly arrives whole', async () => {
    await ask('/reset');
    const reply = await http({
      port: nginx.port,
      path: '/slowly',
      method: 'POST',
      body: Readable.from(gigabyte()),
      headers: { 'Content-Length': String(GIGABYTE) },
    });
    const { bytes, growth } = JSON.parse(reply.text);
    expect(bytes).toBe(GIGABYTE);
    // buffers that are done with are freed in the background: a gigabyte passes, some of it lies about for a moment
    expectLevel(growth, 80);
  }, 120_000);

  it('that the app refuses early is refused', async () => {
    await ask('/reset');
    const reply = await http({
      port: nginx.port,
      path: '/early',
      method: 'POST',
      body: Readable.from(gigabyte()),
      headers: { 'Content-Length': String(GIGABYTE) },
    });
    expect(reply.status).toBe(413);
    expectLevel((await ask('/memory')).growth, 32);
    expect(app.child.output()).not.toMatch(/^(?:ERR_|warn|error)/m);
  });
});
