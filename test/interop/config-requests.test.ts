import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { parseAddress } from '../../packages/postern/src/address.ts';
import type { SiteOptions } from '../../packages/postern/src/config/site.ts';
import { type WebServerName, webServerConfig } from '../../packages/postern/src/config/web-servers.ts';
import { type Environ, serve } from '../../packages/postern/src/index.ts';
import {
  freePort,
  http,
  startApache,
  startCaddy,
  startChild,
  startHaproxy,
  startLighttpd,
  startNginx,
  temporaryFolder,
} from '../../packages/testkit/src/index.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

function folder(): string {
  const { path, remove } = temporaryFolder();
  cleanups.push(remove);
  return path;
}

const echo = (environ: Environ) => ({ status: 200, body: JSON.stringify(environ) });

/** A web server with what was printed for it. @returns the port of the site */
async function start(server: WebServerName, print: (port: number) => string): Promise<number> {
  // Apache and lighttpd listen on the port of the site beside the one that they are started with
  const port = await freePort();
  const frontEnd = await {
    nginx: () => startNginx(print),
    apache: () => startApache(['authn_core', 'authn_file', 'auth_basic', 'authz_user'], () => print(port)),
    lighttpd: () => startLighttpd(() => print(port)),
    caddy: () => startCaddy(print, port),
    haproxy: () => startHaproxy(print, port),
  }[server]();
  cleanups.push(() => frontEnd.stop());
  return server === 'nginx' ? frontEnd.port : port;
}

/** An app behind a web server with the configuration for it. @returns the port of the site */
async function behind(
  server: WebServerName,
  protocol: string,
  options: SiteOptions = {},
  edit = (text: string) => text,
  socket = 'app.sock',
): Promise<number> {
  const peer = protocol === 'ajp' ? `&peer=${server}` : '';
  const path = join(folder(), encodeURIComponent(socket));
  const listen = `${protocol}+unix:${path}?mode=0666${peer}`;
  const served = await serve(echo, { listen });
  cleanups.push(() => served.close(0));
  const address = parseAddress(listen, 'listen');
  return start(server, (port) =>
    edit(webServerConfig(server, address, { ...options, serverName: `127.0.0.1:${port}` })),
  );
}

async function environOf(ask: Parameters<typeof http>[0]): Promise<Record<string, string>> {
  return JSON.parse((await http(ask)).text);
}

const basic = (user: string) => ({ authorization: `Basic ${Buffer.from(user).toString('base64')}` });

describe.each<[WebServerName, string]>([
  ['nginx', 'fastcgi'],
  ['nginx', 'scgi'],
  ['apache', 'fastcgi'],
  ['apache', 'scgi'],
  ['apache', 'ajp'],
  ['lighttpd', 'fastcgi'],
  ['lighttpd', 'scgi'],
  ['lighttpd', 'ajp'],
  ['caddy', 'fastcgi'],
  ['haproxy', 'fastcgi'],
])('behind %s with its configuration for %s', (server, protocol) => {
  it('the app gets the request as it came', async () => {
    const port = await behind(server, protocol);
    const environ = await environOf({
      port,
      path: '/b%2Fc/x%20y?q=%2F',
      headers: { host: `127.0.0.1:${port}`, proxy: 'http://proxy.example', ...basic('admin:x') },
      method: 'POST',
      body: 'abc',
    });
    expect(environ).toMatchObject({
      REQUEST_METHOD: 'POST',
      // lighttpd's AJP carries the decoded path
      REQUEST_URI: `/b${server === 'lighttpd' && protocol === 'ajp' ? '/' : '%2F'}c/x%20y?q=%2F`,
      SCRIPT_NAME: '',
      PATH_INFO: '/b/c/x y',
      QUERY_STRING: 'q=%2F',
      CONTENT_LENGTH: '3',
      HTTP_HOST: `127.0.0.1:${port}`,
      HTTP_AUTHORIZATION: basic('admin:x').authorization,
      SERVER_NAME: '127.0.0.1',
      SERVER_PORT: String(port),
      SERVER_PROTOCOL: 'HTTP/1.1',
      REMOTE_ADDR: '127.0.0.1',
      REQUEST_SCHEME: 'http',
    });
    for (const name of ['HTTPS', 'HTTP_PROXY', 'REMOTE_USER', 'AUTH_TYPE']) expect(environ[name] ?? '').toBe('');
    // Caddy makes one up for a body without
    expect(environ.CONTENT_TYPE ?? '').toBe(server === 'caddy' ? 'application/x-www-form-urlencoded' : '');
  });

  // HAProxy serves none
  if (server === 'haproxy') return;

  it('files are served without the app, the rest with it', async () => {
    const root = join(folder(), 'a "b"');
    mkdirSync(join(root, 'folder'), { recursive: true });
    writeFileSync(join(root, 'file.txt'), 'a file');
    writeFileSync(join(root, 'a b.txt'), 'with a space');
    const port = await behind(server, protocol, { root });
    expect((await http({ port, path: '/file.txt' })).text).toBe('a file');
    expect((await http({ port, path: '/a%20b.txt?x' })).text).toBe('with a space');
    for (const path of ['/', '/none.txt', '/folder', '/folder/', '/file.txt/more']) {
      expect(await environOf({ port, path })).toMatchObject({ REQUEST_URI: path, SCRIPT_NAME: '', PATH_INFO: path });
    }
    const posted = await environOf({ port, path: '/none', method: 'POST', body: 'x'.repeat(100_000) });
    expect(posted).toMatchObject({ REQUEST_METHOD: 'POST', CONTENT_LENGTH: '100000' });
  });
});

/** The environ of a request that is sent as raw text. */
function raw(port: number, text: string): Promise<Record<string, string>> {
  return new Promise((resolve, reject) => {
    let reply = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (chunk: Buffer) => {
      reply += chunk;
    });
    socket.on('error', reject);
    socket.on('end', () => resolve(JSON.parse(reply.slice(reply.indexOf('{'), reply.lastIndexOf('}') + 1))));
  });
}

describe.each(['fastcgi', 'scgi'] as const)('behind nginx with its configuration for %s', (protocol) => {
  it('the host is the one of a whole URL in the request line, and absent where there is none', async () => {
    const port = await behind('nginx', protocol);
    const whole = await raw(
      port,
      'GET http://a.example:81/x?y HTTP/1.1\r\nHost: b.example\r\nConnection: close\r\n\r\n',
    );
    expect(whole).toMatchObject({ HTTP_HOST: 'a.example:81', REQUEST_URI: '/x?y', PATH_INFO: '/x' });
    const path = await raw(port, 'GET /http://a.example/ HTTP/1.1\r\nHost: b.example\r\nConnection: close\r\n\r\n');
    expect(path.HTTP_HOST).toBe('b.example');
    const old = await raw(port, 'GET / HTTP/1.0\r\n\r\n');
    expect(old).not.toHaveProperty('HTTP_HOST');
  });

  it('what is commented out works when it is not', async () => {
    const users = join(folder(), 'users');
    writeFileSync(users, 'ada:{PLAIN}secret\n');
    const port = await behind('nginx', protocol, {}, (text) =>
      text.replace(/#(auth_basic|(?:fast|s)cgi_|client_max)/g, '$1').replace('/etc/nginx/htpasswd', users),
    );
    expect((await http({ port, headers: basic('ada:wrong') })).status).toBe(401);
    const environ = await environOf({ port, headers: basic('ada:secret') });
    expect(environ).toMatchObject({ REMOTE_USER: 'ada', AUTH_TYPE: 'Basic' });
  });
});

it('behind Apache what is commented out works when it is not', async () => {
  const users = join(folder(), 'users');
  writeFileSync(users, `ada:{SHA}${createHash('sha1').update('secret').digest('base64')}\n`);
  const port = await behind('apache', 'fastcgi', {}, (text) =>
    text.replace(/#(Auth|Require)/g, '$1').replace('/etc/apache2/htpasswd', users),
  );
  expect((await http({ port, headers: basic('ada:wrong') })).status).toBe(401);
  const environ = await environOf({ port, headers: basic('ada:secret') });
  expect(environ).toMatchObject({ REMOTE_USER: 'ada', AUTH_TYPE: 'Basic' });
});

describe('behind Caddy and HAProxy', () => {
  it('what Caddy has commented out works when it is not', async () => {
    const hash = startChild('caddy', ['hash-password', '--plaintext', 'secret']);
    await hash.ended();
    const port = await behind('caddy', 'fastcgi', {}, (text) =>
      text
        .replace(/^(\t+)#(?=\t|\}|basicauth|request_body)/gm, '$1')
        .replace('ada HASH', () => `ada ${hash.output().trim()}`)
        .replace('10MB', '1KB'),
    );
    expect((await http({ port, headers: basic('ada:wrong') })).status).toBe(401);
    expect(await environOf({ port, headers: basic('ada:secret') })).toMatchObject({ REMOTE_USER: 'ada' });
  });

  it('what HAProxy has commented out works when it is not', async () => {
    const port = await behind('haproxy', 'fastcgi', {}, (text) =>
      text.replace(/#(userlist| {4}user|http-request|option)/g, '$1').replace('WORD', 'secret'),
    );
    expect((await http({ port, headers: basic('ada:wrong') })).status).toBe(401);
    const environ = await environOf({ port, headers: basic('ada:secret') });
    expect(environ).toMatchObject({ REMOTE_USER: 'ada', AUTH_TYPE: 'Basic' });
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, i) => environOf({ port, path: `/${i}`, headers: basic('ada:secret') })),
    );
    expect(replies.map(({ PATH_INFO }) => PATH_INFO)).toEqual(Array.from({ length: 20 }, (_, i) => `/${i}`));
  });

  it.each(['caddy', 'haproxy'] as const)(
    '%s connects to a socket with an odd name, and names the host',
    async (server) => {
      const port = await behind(server, 'fastcgi', {}, (text) => text, `a b"c;50%'.sock`);
      const environ = await environOf({ port, headers: { host: `127.0.0.1:${port}`, 'x-many': 'a' } });
      expect(environ).toMatchObject({ SERVER_NAME: '127.0.0.1', HTTP_X_MANY: 'a' });
    },
  );

  it.each(['caddy', 'haproxy'] as const)('over HTTP %s says itself who asked', async (server) => {
    const port = await behind(server, 'http');
    const lies = { 'x-forwarded-for': '192.0.2.1', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' };
    const host = `127.0.0.1:${port}`;
    const environ = await environOf({
      port,
      path: '/b%2Fc/x%20y?q=%2F',
      headers: { host, ...lies, forwarded: 'for=192.0.2.1', proxy: 'http://proxy.example' },
    });
    expect(environ).toMatchObject({
      REQUEST_URI: '/b%2Fc/x%20y?q=%2F',
      HTTP_HOST: host,
      HTTP_X_FORWARDED_FOR: '127.0.0.1',
      HTTP_X_FORWARDED_HOST: host,
      HTTP_X_FORWARDED_PROTO: 'http',
    });
    for (const name of ['HTTP_FORWARDED', 'HTTP_PROXY', 'HTTP_ACCEPT_ENCODING'])
      expect(environ).not.toHaveProperty(name);
  });

  it('HAProxy answers 400 to an upload of unknown length that does not fit its buffer', async () => {
    const port = await behind('haproxy', 'fastcgi');
    const ask = (bytes: number) => http({ port, method: 'POST', body: Readable.from([Buffer.alloc(bytes)]) });
    expect(JSON.parse((await ask(60_000)).text)).toMatchObject({ CONTENT_LENGTH: '60000' });
    expect((await ask(100_000)).status).toBe(400);
  });
});
