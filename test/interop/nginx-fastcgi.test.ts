import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type FrontEnd,
  http,
  portOf,
  type Served,
  servePostern,
  startNginx,
  startPostern,
  temporaryFolder,
} from '../../packages/testkit/src/index.ts';
import { describeScenarios } from './scenarios.ts';

const folder = temporaryFolder();
const socketPath = join(folder.path, 'app.sock');
let app: Served;

beforeAll(async () => {
  app = await servePostern('test/fixtures/plain.mjs', ['fastcgi://127.0.0.1:0', `fastcgi+unix:${socketPath}`]);
});

afterAll(async () => {
  const { code } = await app.child.stop();
  expect(code).toBe(0);
  expect(existsSync(socketPath)).toBe(false);
  folder.remove();
});

/** The variables of nginx's own fastcgi_params, as Debian ships it. */
const include = 'include /etc/nginx/fastcgi_params;';

const variants: { name: string; http: (tcp: number, port: number) => string }[] = [
  {
    name: 'nginx, a connection a request',
    http: (tcp, port) =>
      `server { listen 127.0.0.1:${port}; location / { ${include} fastcgi_pass 127.0.0.1:${tcp}; } }`,
  },
  {
    name: 'nginx, fastcgi_keep_conn',
    http: (tcp, port) => `upstream app { server 127.0.0.1:${tcp}; keepalive 8; }
server { listen 127.0.0.1:${port}; location / { ${include} fastcgi_keep_conn on; fastcgi_pass app; } }`,
  },
  {
    name: 'nginx, unix socket, fastcgi_request_buffering off',
    http: (_, port) =>
      `server { listen 127.0.0.1:${port}; location / { ${include} fastcgi_request_buffering off; fastcgi_pass unix:${socketPath}; } }`,
  },
  {
    name: 'nginx, fastcgi_keep_conn, fastcgi_request_buffering off',
    http: (tcp, port) => `upstream app { server 127.0.0.1:${tcp}; keepalive 8; }
server { listen 127.0.0.1:${port}; location / { ${include} fastcgi_keep_conn on; fastcgi_request_buffering off; fastcgi_pass app; } }`,
  },
];

describe.each(variants)('$name', ({ name, http: config }) => {
  let nginx: FrontEnd;

  beforeAll(async () => {
    nginx = await startNginx((port) => config(portOf(app.addresses[0]), port));
  });

  afterAll(() => nginx.stop());

  describeScenarios(name, () => nginx.port);

  it('finds nothing wrong with what the app sends', () => {
    const complaints = nginx.child
      .output()
      .split('\n')
      .filter((line) => /\[(?:error|crit|alert)\]/.test(line) && !line.includes('GET /throw'));
    expect(complaints).toEqual([]);
  });
});

describe('nginx as `postern config nginx` sets it up', () => {
  let nginx: FrontEnd;

  beforeAll(async () => {
    const printed = startPostern(['config', 'nginx', '--listen', app.addresses[0], '--server-name', 'localhost']);
    expect((await printed.ended()).code).toBe(0);
    nginx = await startNginx((port) => printed.output().replace(/listen 80;/, `listen 127.0.0.1:${port};`));
  });

  afterAll(() => nginx.stop());

  describeScenarios('nginx by config', () => nginx.port);

  it('keeps the port of Host', async () => {
    const reply = await http({ port: nginx.port, path: '/' });
    expect(JSON.parse(reply.text).headers.host).toBe(`127.0.0.1:${nginx.port}`);
  });
});
