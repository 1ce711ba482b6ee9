import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type FrontEnd,
  http,
  portOf,
  type Served,
  servePostern,
  startApache,
  startLighttpd,
} from '../../packages/testkit/src/index.ts';

let app: Served;

beforeAll(async () => {
  app = await servePostern('test/fixtures/plain.mjs', ['scgi://127.0.0.1:0', 'ajp://127.0.0.1:0']);
});

afterAll(async () => {
  expect((await app.child.stop()).code).toBe(0);
});

function describeWaist(name: string, start: () => Promise<FrontEnd>): void {
  describe(name, () => {
    let server: FrontEnd;
    beforeAll(async () => {
      server = await start();
    });
    afterAll(() => server.stop());

    it('answers GET with the raw target and the client address', async () => {
      const reply = await http({ port: server.port, path: '/x/y?q=1', headers: { 'X-A': 'b' } });
      expect(reply.status).toBe(200);
      const seen = JSON.parse(reply.text);
      expect(seen).toMatchObject({ method: 'GET', url: '/x/y?q=1', remoteAddress: '127.0.0.1' });
      expect(seen.headers).toMatchObject({ 'x-a': 'b', host: `127.0.0.1:${server.port}` });
    });

    it.each([0, 1, 8184, 8186, 8187, 1_000_000])('gets a POST of %i bytes as it was sent', async (size) => {
      const body = randomBytes(size);
      const reply = await http({ port: server.port, path: '/hash', method: 'POST', body });
      expect(JSON.parse(reply.text)).toEqual({
        method: 'POST',
        bytes: size,
        sha256: createHash('sha256').update(body).digest('hex'),
      });
    });

    it('answers twenty in a row, HEAD and an early refusal among them', async () => {
      for (let i = 0; i < 20; i++) {
        const path = `/row/${i}`;
        expect(JSON.parse((await http({ port: server.port, path })).text).url).toBe(path);
        expect((await http({ port: server.port, path, method: 'HEAD' })).body).toHaveLength(0);
        expect(
          (await http({ port: server.port, path: '/early', method: 'POST', body: randomBytes(300_000) })).status,
        ).toBe(413);
      }
    });

    it('sends 20 MB, two cookies and a 500 without its cause', async () => {
      expect((await http({ port: server.port, path: '/down?bytes=20000000' })).body).toHaveLength(20_000_000);
      expect((await http({ port: server.port, path: '/cookies' })).headers['set-cookie']).toHaveLength(2);
      const failed = await http({ port: server.port, path: '/throw' });
      expect(failed.status).toBe(500);
      expect(failed.text).not.toContain('secret');
    });
  });
}

describeWaist('SCGI under lighttpd', () =>
  startLighttpd(
    () => `server.modules += ( "mod_scgi" )
scgi.server = ( "/" => (( "host" => "127.0.0.1", "port" => ${portOf(app.addresses[0])}, "check-local" => "disable" )) )`,
  ),
);

const apache = (): Promise<FrontEnd> =>
  startApache(['proxy', 'proxy_ajp'], () => `ProxyPass / ajp://127.0.0.1:${portOf(app.addresses[1])}/`);

describeWaist('AJP behind mod_proxy_ajp', apache);

describe('AJP behind mod_proxy_ajp: a chunked upload', () => {
  let server: FrontEnd;
  beforeAll(async () => {
    server = await apache();
  });
  afterAll(() => server.stop());

  it('is asked for piece by piece', async () => {
    const body = randomBytes(1_000_000);
    const reply = await http({
      port: server.port,
      path: '/hash',
      method: 'POST',
      body: Readable.from([body.subarray(0, 10), body.subarray(10)]),
    });
    expect(JSON.parse(reply.text)).toMatchObject({
      bytes: body.length,
      sha256: createHash('sha256').update(body).digest('hex'),
    });
  });
});
