import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { parseAddress } from '../../packages/postern/src/address.ts';
import { webServerConfig } from '../../packages/postern/src/config/web-servers.ts';
import {
  type Child,
  type FrontEnd,
  freePort,
  http,
  servePostern,
  startApache,
  startChild,
  startLighttpd,
  startNginx,
  temporaryFolder,
  writeProgram,
} from '../../packages/testkit/src/index.ts';

/** Apps that a web server starts itself, and authorizers that it asks, with what `postern config` prints for them. */

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

function folder(): string {
  const { path, remove } = temporaryFolder();
  cleanups.push(remove);
  return path;
}

function kept(frontEnd: FrontEnd): void {
  cleanups.push(() => frontEnd.stop());
}

function print(
  server: 'nginx' | 'apache' | 'lighttpd',
  listen: string,
  options: Parameters<typeof webServerConfig>[2],
): string {
  return webServerConfig(server, parseAddress(listen, 'listen'), options);
}

const app = 'test/fixtures/plain.mjs';
const url = '/a%2Fb%20c?x=1&y';

async function answers(port: number): Promise<void> {
  const { text } = await http({ port, path: url, headers: { authorization: 'Basic YTpi', host: `127.0.0.1:${port}` } });
  expect(JSON.parse(text)).toMatchObject({
    url,
    remoteAddress: '127.0.0.1',
    headers: { host: `127.0.0.1:${port}`, authorization: 'Basic YTpi' },
  });
  // more than mod_fcgid takes by itself
  const posted = await http({ port, path: '/hash', method: 'POST', body: 'x'.repeat(300_000) });
  expect(JSON.parse(posted.text)).toMatchObject({ bytes: 300_000 });
}

/** Resolves when the first bytes of a reply that goes on have come. */
async function streams(port: number): Promise<void> {
  const left = new AbortController();
  const response = await fetch(`http://127.0.0.1:${port}/ticks`, { signal: left.signal });
  const { value } = (await response.body?.getReader().read()) ?? {};
  expect(Buffer.from(value as Uint8Array).toString()).toMatch(/^pid/);
  left.abort();
}

describe('an app that the web server starts, on fastcgi+fd:0', () => {
  it('under mod_fcgid', async () => {
    const root = folder();
    writeFileSync(join(root, 'a b.txt'), 'a file');
    const program = writeProgram(join(folder(), 'app.fcgi'), app);
    const port = await freePort();
    kept(
      await startApache(
        ['fcgid'],
        (_, own) => `FcgidIPCDir ${own}/sockets
FcgidProcessTableFile ${own}/table
${print('apache', 'fastcgi+fd:0', { program, root, module: 'fcgid', serverName: `127.0.0.1:${port}` })}`,
      ),
    );
    await answers(port);
    await streams(port);
    expect((await http({ port, path: '/a%20b.txt' })).text).toBe('a file');
    expect(JSON.parse((await http({ port, path: '/none/more' })).text)).toMatchObject({ url: '/none/more' });
  });

  it('under lighttpd', async () => {
    const program = writeProgram(join(folder(), `app-${process.pid}.fcgi`), app);
    const port = await freePort();
    const sockets = folder();
    kept(
      await startLighttpd(() => {
        const text = print('lighttpd', 'fastcgi+fd:0', { program, serverName: `127.0.0.1:${port}` });
        expect(text).toContain(`"socket" => "/run/lighttpd/postern-app-${process.pid}-fcgi.socket"`);
        // Debian's folder, which root alone may write into
        return process.getuid?.() === 0 ? text : text.replace('/run/lighttpd', sockets);
      }),
    );
    cleanups.unshift(() => rmSync(`/run/lighttpd/postern-app-${process.pid}-fcgi.socket-0`, { force: true }));
    await answers(port);
    await streams(port);
  });

  it('under spawn-fcgi, behind nginx', async () => {
    const program = writeProgram(join(folder(), 'app.fcgi'), app);
    const socket = join(folder(), 'app.sock');
    const child = startChild('spawn-fcgi', ['-n', '-s', socket, '-M', '0666', '--', program]);
    cleanups.push(() => child.stop());
    await child.said(/listening fastcgi\+fd:0/);
    const port = await freePort();
    const text = print('nginx', `fastcgi+unix:${socket}`, { serverName: `127.0.0.1:${port}` });
    kept(await startNginx(() => text, port));
    await answers(port);
    expect(await child.stop()).toEqual({ code: 0, signal: null });
  });
});

describe.each(['apache', 'lighttpd'] as const)('an authorizer that %s asks', (server) => {
  let authorizer: Child;

  async function start(edit = (text: string) => text): Promise<number> {
    const root = folder();
    mkdirSync(join(root, 'folder'));
    writeFileSync(join(root, 'file.txt'), 'a file');
    writeFileSync(join(root, 'folder', 'a b.txt'), 'deeper');
    const { child, addresses } = await servePostern('test/fixtures/authorizer.mjs', ['fastcgi://127.0.0.1:0']);
    authorizer = child;
    cleanups.push(() => child.stop());
    const port = await freePort();
    const text = edit(print(server, addresses[0], { role: 'authorizer', root, serverName: `127.0.0.1:${port}` }));
    kept(await (server === 'apache' ? startApache([], () => text) : startLighttpd(() => text)));
    return port;
  }

  it('answers who may not in its own words, and leads the others to the files', async () => {
    const port = await start();
    for (const path of ['/file.txt', '/', '/none.txt']) {
      const denied = await http({ port, path, method: 'POST', body: 'abc' });
      expect(denied).toMatchObject({ status: 403, text: 'no ticket' });
      expect(denied.headers['x-role']).toBe('authorizer');
    }
    const headers = { cookie: 'ticket=1' };
    expect(await http({ port, path: '/file.txt', headers })).toMatchObject({ status: 200, text: 'a file' });
    expect(await http({ port, path: '/folder/a%20b.txt', headers })).toMatchObject({ status: 200, text: 'deeper' });
    expect((await http({ port, path: '/none.txt', headers })).status).toBe(404);
    // one that allows without saying who it is
    expect((await http({ port, path: '/file.txt', headers: { cookie: 'ticket=2' } })).text).toBe('a file');
  });

  it('lets nobody through when it is not there', async () => {
    const port = await start();
    await authorizer.stop();
    const reply = await http({ port, path: '/file.txt', headers: { cookie: 'ticket=1' } });
    expect(reply.status).toBeGreaterThanOrEqual(500);
    expect(reply.text).not.toContain('a file');
  });

  if (server === 'lighttpd') {
    it('sends its variables to the app that follows in the list', async () => {
      const behind = await servePostern('test/fixtures/variables.mjs', ['fastcgi://127.0.0.1:0']);
      cleanups.push(() => behind.child.stop());
      const [, host, appPort] = /\/\/(.*):(.*)/.exec(behind.addresses[0]) as RegExpExecArray;
      const follows = `), ( "host" => "${host}", "port" => ${appPort}, "check-local" => "disable", "fix-root-scriptname" => "enable" )) )`;
      const port = await start((text) => text.replace(/^ *\)\) \)$/m, follows));
      const { text } = await http({ port, path: '/x', headers: { cookie: 'ticket=1' } });
      expect(JSON.parse(text)).toMatchObject({ TICKET: 'blue', REMOTE_USER: 'ada', PATH_INFO: '/x' });
    });
    return;
  }

  it('lets Apache ask for name and password, where that is taken in', async () => {
    const port = await start((text) =>
      text
        .replace(/^ *(?:AuthType FCGI|AuthnzFcgiCheckAuthnProvider .*|Require valid-user)\n/gm, '')
        .replace(/#(AuthType|AuthBasicProvider|Require)/g, '$1'),
    );
    const basic = (user: string) => ({ authorization: `Basic ${Buffer.from(user).toString('base64')}` });
    const denied = await http({ port, path: '/file.txt', headers: basic('ada:wrong') });
    expect(denied.status).toBe(401);
    expect((await http({ port, path: '/file.txt' })).headers['www-authenticate']).toBe('Basic realm="closed"');
    expect((await http({ port, path: '/file.txt', headers: basic('ada:secret') })).text).toBe('a file');
  });
});
