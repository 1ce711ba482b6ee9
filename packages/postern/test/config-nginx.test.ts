import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Environ } from '@postern/core';
import { type FrontEnd, freePort, http, startChild, startNginx, temporaryFolder } from '@postern/testkit';
import { parseAddress } from '../src/address.ts';
import { type NginxOptions, nginxConfig } from '../src/config-nginx.ts';
import { type Served, serve } from '../src/serve.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

function configOf(address: string, options?: NginxOptions): string {
  const { protocol, target } = parseAddress(address, 'listen');
  return nginxConfig(protocol, target, options);
}

function folder(): string {
  const { path, remove } = temporaryFolder();
  cleanups.push(remove);
  return path;
}

/** What `nginx -t` says of a configuration that stands in an http block. The port 80 is not everybody's to bind. */
async function nginxSays(...configs: string[]): Promise<{ code: number | null; output: string }> {
  const path = folder();
  const port = await freePort();
  const includes = configs.map((text, i) => {
    writeFileSync(join(path, `site-${i}.conf`), text.replace('listen 80;', `listen 127.0.0.1:${port};`));
    return `include site-${i}.conf;`;
  });
  const temporary = ['client_body', 'fastcgi', 'proxy', 'scgi', 'uwsgi'].map(
    (name) => `${name}_temp_path ${path}/${name};`,
  );
  writeFileSync(
    join(path, 'nginx.conf'),
    `pid ${path}/pid; error_log stderr; events {} http { access_log off; ${temporary.join(' ')} ${includes.join(' ')} }`,
  );
  const child = startChild('nginx', ['-t', '-p', path, '-c', join(path, 'nginx.conf')], {
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
  });
  const { code } = await child.ended();
  return { code, output: child.output() };
}

describe('nginx takes the configuration as it is', () => {
  it.each<[string, NginxOptions]>([
    ['fastcgi://127.0.0.1:9000', {}],
    ['fastcgi://[::1]:9000', { serverName: 'www.example.org' }],
    ['fastcgi://0.0.0.0:9000?allow=10.0.0.0/8', { serverName: '*.example.org' }],
    ['fastcgi+unix:/run/app.sock?mode=0660&group=www-data', { serverName: 'example.*', root: '/srv/www' }],
    ['fastcgi+unix:/run/a%20"b;{}%23.sock', { root: '/srv/a "b" \\;{} #c' }],
    ['scgi://127.0.0.1:9000', { root: '/srv/www' }],
    ['scgi+unix:/run/app.sock', { serverName: 'example.org' }],
    ['fastcgi://127.0.0.1:9000', { serverName: `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.example.org` }],
  ])('for %s with %j', async (address, options) => {
    const { code, output } = await nginxSays(configOf(address, options));
    expect(output).toContain('test is successful');
    expect(output).not.toMatch(/\[(?:warn|emerg|error)\]/);
    expect(code).toBe(0);
  });

  it('for two apps at once', async () => {
    const { code, output } = await nginxSays(
      configOf('fastcgi://127.0.0.1:9000', { serverName: 'a.example.org' }),
      configOf('scgi+unix:/run/b.sock', { serverName: 'b.example.org' }),
    );
    expect([code, output]).toEqual([0, expect.stringContaining('test is successful')]);
  });
});

describe('nginxConfig', () => {
  it('has nothing in it that does not belong to the address', () => {
    const fastcgi = configOf('fastcgi+unix:/run/app.sock');
    expect(fastcgi).toContain('server unix:/run/app.sock;');
    expect(fastcgi).toContain('keepalive 16;');
    expect(fastcgi).toContain('fastcgi_keep_conn on;');
    expect(fastcgi).not.toMatch(/scgi_|include|try_files|root |undefined/);
    const scgi = configOf('scgi://127.0.0.1:9000', { root: '/srv/www' });
    expect(scgi).toContain('scgi_param SCGI');
    expect(scgi).toContain('try_files $uri @app;');
    expect(scgi).not.toMatch(/fastcgi|keepalive |keep_conn|request_buffering|param CONTENT_LENGTH/);
  });

  it('connects to loopback where the app listens everywhere', () => {
    expect(configOf('fastcgi://0.0.0.0:9000?allow=10.0.0.0/8')).toContain('server 127.0.0.1:9000;');
    expect(configOf('fastcgi://[::]:9000?allow=10.0.0.0/8')).toContain('server [::1]:9000;');
  });

  it.each<[string, NginxOptions, string]>([
    ['ajp://127.0.0.1:8009', {}, 'nginx does not speak AJP'],
    ['fastcgi+fd:0', {}, 'inherited descriptor'],
    ['fastcgi://127.0.0.1:0', {}, 'choose one'],
    ['fastcgi+unix:/run/$app.sock', {}, 'no way to write $'],
    ['fastcgi://127.0.0.1:9000', { root: '/srv/a\nb' }, '--root "/srv/a\\x0ab"'],
    ['fastcgi://127.0.0.1:9000', { serverName: 'a; return 200' }, '--server-name "a; return 200"'],
    ['fastcgi://127.0.0.1:9000', { serverName: 'bücher.example' }, 'in ASCII'],
    ['fastcgi://127.0.0.1:9000', { serverName: '~^.*$' }, 'write a host name'],
    ['fastcgi://127.0.0.1:9000', { serverName: 'a'.repeat(254) }, 'write a host name'],
  ])('refuses %s with %j', (address, options, message) => {
    expect(() => configOf(address, options)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining(message) }),
    );
  });
});

const echo = (environ: Environ) => ({ status: 200, body: JSON.stringify(environ) });

/** nginx with our configuration, and an app behind it. */
async function site(
  protocol: 'fastcgi' | 'scgi',
  options?: NginxOptions,
  edit = (text: string) => text,
): Promise<FrontEnd> {
  const socket = join(folder(), 'app.sock');
  const served: Served = await serve(echo, { listen: `${protocol}+unix:${socket}?mode=0666` });
  cleanups.push(() => served.close(0));
  const nginx = await startNginx((port) =>
    edit(configOf(served.addresses[0], options).replace('listen 80;', `listen 127.0.0.1:${port};`)),
  );
  cleanups.push(() => nginx.stop());
  return nginx;
}

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

describe.each(['fastcgi', 'scgi'] as const)('behind nginx with this configuration over %s', (protocol) => {
  it('the app gets the request as it came', async () => {
    const { port } = await site(protocol, { serverName: 'www.example.org' });
    const { text } = await http({
      port,
      path: '//b%2Fc/./x%20y?q=%2F',
      headers: { host: 'www.example.org:8080', proxy: 'http://proxy.example' },
      method: 'POST',
      body: 'abc',
    });
    const environ = JSON.parse(text);
    expect(environ).toMatchObject({
      REQUEST_METHOD: 'POST',
      REQUEST_URI: '//b%2Fc/./x%20y?q=%2F',
      SCRIPT_NAME: '',
      PATH_INFO: '/b/c/x y',
      QUERY_STRING: 'q=%2F',
      CONTENT_LENGTH: '3',
      HTTP_HOST: 'www.example.org:8080',
      SERVER_NAME: 'www.example.org',
      SERVER_PORT: String(port),
      SERVER_PROTOCOL: 'HTTP/1.1',
      REMOTE_ADDR: '127.0.0.1',
      REQUEST_SCHEME: 'http',
      GATEWAY_INTERFACE: 'CGI/1.1',
      SERVER_SOFTWARE: expect.stringMatching(/^nginx\//),
    });
    expect(environ).not.toHaveProperty('HTTPS');
    expect(environ).not.toHaveProperty('HTTP_PROXY');
    expect(environ).not.toHaveProperty('CONTENT_TYPE');
  });

  it('the host is the one of a whole URL in the request line, and absent where there is none', async () => {
    const { port } = await site(protocol);
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

  it('nobody is a user by saying so', async () => {
    const { port } = await site(protocol);
    const authorization = `Basic ${Buffer.from('admin:x').toString('base64')}`;
    const environ = JSON.parse((await http({ port, headers: { authorization } })).text);
    expect(environ.HTTP_AUTHORIZATION).toBe(authorization);
    expect(environ).not.toHaveProperty('REMOTE_USER');
  });

  it('what is commented out works when it is not', async () => {
    const users = join(folder(), 'users');
    writeFileSync(users, 'ada:{PLAIN}secret\n');
    const { port } = await site(protocol, {}, (text) =>
      text.replace(/#(auth_basic|(?:fast|s)cgi_|client_max)/g, '$1').replace('/etc/nginx/htpasswd', users),
    );
    const as = (user: string) => ({ authorization: `Basic ${Buffer.from(user).toString('base64')}` });
    expect((await http({ port, headers: as('ada:wrong') })).status).toBe(401);
    const environ = JSON.parse((await http({ port, headers: as('ada:secret') })).text);
    expect(environ).toMatchObject({ REMOTE_USER: 'ada', AUTH_TYPE: 'Basic' });
  });

  it('files are served without the app, the rest with it', async () => {
    const root = join(folder(), 'a "b"');
    mkdirSync(root);
    writeFileSync(join(root, 'file.txt'), 'a file');
    const { port } = await site(protocol, { root });
    expect((await http({ port, path: '/file.txt' })).text).toBe('a file');
    for (const path of ['/', '/none.txt']) {
      expect(JSON.parse((await http({ port, path })).text)).toMatchObject({ SCRIPT_NAME: '', PATH_INFO: path });
    }
  });
});
