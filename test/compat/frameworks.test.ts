import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type FrontEnd,
  http,
  type Served,
  servePostern,
  startNginx,
  temporaryFolder,
  until,
} from '../../packages/testkit/src/index.ts';
import { leaveMidway } from '../interop/scenarios.ts';

const apps = [
  { name: 'Express 4', file: 'express4', vouched: true },
  { name: 'Express 5', file: 'express5', vouched: true },
  { name: 'connect', file: 'connect' },
  { name: 'Koa', file: 'koa' },
  { name: 'Fastify', file: 'fastify' },
  { name: 'NestJS', file: 'nest' },
  { name: 'Hono', file: 'hono', vouched: true },
  { name: 'h3', file: 'h3' },
  { name: 'an environ app', file: 'environ', vouched: true },
  { name: 'an http.Server that does not listen', file: 'http-server', vouched: true },
];

const folder = temporaryFolder();
afterAll(() => folder.remove());

/** nginx with what it alone can vouch for. */
function startFrontEnd(socketPath: string): Promise<FrontEnd> {
  return startNginx(
    (port) => `server { listen 127.0.0.1:${port}; location / { include /etc/nginx/fastcgi_params;
fastcgi_param REMOTE_USER alice; fastcgi_param CUSTOM "set by nginx"; fastcgi_request_buffering off; fastcgi_pass unix:${socketPath}; } }`,
  );
}

function multipart(file: Buffer): { headers: Record<string, string>; body: Buffer } {
  const boundary = 'boundary-of-the-test';
  const body = Buffer.concat([
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="note"\r\n\r\nwith a note\r\n`),
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="f.bin"\r\nContent-Type: application/octet-stream\r\n\r\n`,
    ),
    file,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  return { headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` }, body };
}

describe.each(apps)('$name behind nginx', ({ file, vouched }) => {
  const socketPath = join(folder.path, `${file}.sock`);
  let served: Served;
  let nginx: FrontEnd;

  beforeAll(async () => {
    served = await servePostern(`test/compat/apps/${file}.mjs`, [`fastcgi+unix:${socketPath}`], {
      env: { ...process.env, NODE_ENV: 'production' },
    });
    nginx = await startFrontEnd(socketPath);
  });

  afterAll(async () => {
    await nginx.stop();
    expect((await served.child.stop()).code).toBe(0);
    expect(existsSync(socketPath)).toBe(false);
  });

  const port = (): number => nginx.port;

  it('takes an upload', async () => {
    const bytes = randomBytes(900_000);
    const reply = await http({ port: port(), path: '/upload', method: 'POST', ...multipart(bytes) });
    expect(JSON.parse(reply.text)).toEqual({
      name: 'f.bin',
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      note: 'with a note',
    });
  });

  it('takes JSON', async () => {
    const reply = await http({
      port: port(),
      path: '/json',
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"a":1}',
    });
    expect(reply.status).toBe(201);
    expect(JSON.parse(reply.text)).toEqual({ got: { a: 1 } });
  });

  it('streams five million bytes', async () => {
    const reply = await http({ port: port(), path: '/stream' });
    expect(reply.status).toBe(200);
    expect(reply.body.equals(Buffer.alloc(5_000_000, 's'))).toBe(true);
  });

  it('answers an error with 500, without its text', async () => {
    const reply = await http({ port: port(), path: '/error' });
    expect(reply.status).toBe(500);
    expect(reply.text).not.toContain('secret');
  });

  it('hears that a client left', async () => {
    await leaveMidway(port(), '/wait');
    const ask = async (): Promise<{ left: number }> => JSON.parse((await http({ port: port(), path: '/left' })).text);
    expect(await until(ask, ({ left }) => left > 0)).toEqual({ begun: 1, left: 1 });
  });

  if (vouched) {
    it('reads what nginx vouches for', async () => {
      const reply = await http({ port: port(), path: '/vouched' });
      expect(JSON.parse(reply.text)).toEqual({
        user: 'alice',
        custom: 'set by nginx',
        ip: '127.0.0.1',
        protocol: 'http',
      });
    });
  }

  if (file === 'fastify') {
    it('has its JSON schema enforced', async () => {
      const reply = await http({
        port: port(),
        path: '/json',
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{"a":"x"}',
      });
      expect(reply.status).toBe(400);
      expect(JSON.parse(reply.text).error).toContain('body/a must be integer');
    });
  }

  it('logs nothing as an error that is none', () => {
    const lines = served.child
      .output()
      .split('\n')
      .filter((line) => /^ERR_|^warn |^error /.test(line) && !line.includes('/error'));
    expect(lines).toEqual([]);
  });
});
