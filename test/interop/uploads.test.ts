import { request } from 'node:http';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { proxy } from '../../packages/client/src/index.ts';
import { scgi } from '../../packages/scgi/src/index.ts';
import { http as httpListener, Server } from '../../packages/server/src/index.ts';
import {
  type FrontEnd,
  http,
  portOf,
  type Served,
  servePostern,
  startApache,
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

/** The settings of nginx for a protocol, with uploads and replies passed on as they come. */
const nginx = (protocol: string) => (address: string) =>
  startNginx(
    (port) => `server { listen 127.0.0.1:${port}; location / { include /etc/nginx/${protocol}_params;
${protocol}_request_buffering off; ${protocol}_buffering off; ${protocol}_pass 127.0.0.1:${portOf(address)}; } }`,
  );

/**
 * Our own front-end: with `scgi_request_buffering off` nginx 1.22.1 says as CONTENT_LENGTH what had come when it connected.
 */
const ours = async (address: string): Promise<Pick<FrontEnd, 'port' | 'stop'>> => {
  const server = new Server(proxy(scgi, { transport: 'tcp', host: '127.0.0.1', port: portOf(address) }));
  const bound = await server.listen(httpListener, { transport: 'tcp', host: '127.0.0.1', port: 0 });
  return { port: (bound as { port: number }).port, stop: async () => void (await server.close(0)) };
};

const apache = (address: string) =>
  startApache(
    ['proxy', 'proxy_ajp'],
    () => `ProxyIOBufferSize 65536\nProxyPass / ajp://127.0.0.1:${portOf(address)}/ flushpackets=on`,
  );

const ways: { name: string; listen: string; start: (address: string) => Promise<Pick<FrontEnd, 'port' | 'stop'>> }[] = [
  { name: 'FastCGI behind nginx', listen: 'fastcgi://127.0.0.1:0', start: nginx('fastcgi') },
  { name: 'SCGI behind our own front-end', listen: 'scgi://127.0.0.1:0', start: ours },
  { name: 'uwsgi behind nginx', listen: 'uwsgi://127.0.0.1:0', start: nginx('uwsgi') },
  { name: 'AJP behind Apache', listen: 'ajp://127.0.0.1:0?packet-size=65536', start: apache },
];

describe.each(ways)('1 GB over $name', ({ listen, start }) => {
  let app: Served;
  let frontEnd: Pick<FrontEnd, 'port' | 'stop'>;

  beforeAll(async () => {
    const env = { ...process.env, NODE_OPTIONS: '--expose-gc' };
    app = await servePostern('test/fixtures/uploads.mjs', [listen], { env });
    frontEnd = await start(app.addresses[0]);
  });

  afterAll(async () => {
    await frontEnd.stop();
    expect((await app.child.stop()).code).toBe(0);
  });

  async function ask(path: string): Promise<{ never: number; growth: Growth }> {
    return JSON.parse((await http({ port: frontEnd.port, path })).text);
  }

  /** The most that was seen while it happened, beside a quiet process, in MiB. */
  function expectLevel(growth: Growth, most: number): void {
    expect(growth.external).toBeLessThan(most);
    expect(growth.rss).toBeLessThan(most);
  }

  it('that the app never reads, uploaded, waits in the web server, until the app answers', async () => {
    await ask('/reset');
    const upload = request({
      host: '127.0.0.1',
      port: frontEnd.port,
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

  it('that the app reads slowly, uploaded, arrives whole', async () => {
    await ask('/reset');
    const reply = await http({
      port: frontEnd.port,
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

  it('that the app refuses early, uploaded, is refused', async () => {
    await ask('/reset');
    const reply = await http({
      port: frontEnd.port,
      path: '/early',
      method: 'POST',
      body: Readable.from(gigabyte()),
      headers: { 'Content-Length': String(GIGABYTE) },
    });
    expect(reply.status).toBe(413);
    expectLevel((await ask('/memory')).growth, 32);
    expect(app.child.output()).not.toMatch(/^(?:ERR_|warn|error)/m);
  });

  it('of a reply that the client reads slowly arrives whole', async () => {
    await ask('/reset');
    let bytes = 0;
    await new Promise<void>((resolve, reject) => {
      const get = request({ host: '127.0.0.1', port: frontEnd.port, path: '/large', agent: false }, (response) => {
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          // what follows waits in the kernel and the web server, then in the app's own `write`
          if (bytes % (16 * piece.length) < chunk.length) {
            response.pause();
            setTimeout(() => response.resume(), 10);
          }
        });
        response.on('end', resolve);
        response.on('error', reject);
      });
      get.on('error', reject);
      get.end();
    });
    expect(bytes).toBe(GIGABYTE);
    expectLevel((await ask('/memory')).growth, 80);
  }, 120_000);
});
