import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { Agent, get } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Child, http, repository, startChild } from '@postern/testkit';
import { ask, begin, textOf } from '../ask.ts';
import { cleanUp, folderWith, serving, whenDone } from './workshop.ts';

afterEach(cleanUp);

const app = 'export default (environ) => ({ status: 200, body: "hello " + environ.SCRIPT_NAME });\n';
/** Says "arrived" when a request comes, and answers it after so many milliseconds. */
const slow = (milliseconds: number): string => `
export default async (environ) => {
  console.error('arrived');
  await new Promise((resolve) => setTimeout(resolve, ${milliseconds}));
  return { status: 200, body: 'slow' };
};
`;

/** `postern serve` without an address, with something on descriptor 0. */
function posternOn(stdin: number | 'pipe' | 'ignore', folder: string): Child {
  const bin = join(repository, 'packages/postern/bin/postern.js');
  const child = startChild(process.execPath, [bin, 'serve', 'app.mjs'], {
    cwd: folder,
    stdio: [stdin, 'pipe', 'pipe'],
  });
  whenDone(() => child.stop('SIGKILL'));
  return child;
}

describe('postern serve', () => {
  it('tells where it listens, then makes the ready file, and serves', async () => {
    const { child, folder, address, left } = await serving(app);
    expect(child.output()).toBe(`listening ${address}\n`);
    expect(left()).toEqual(['app.sock', 'ready']);
    expect(readFileSync(join(folder, 'ready'), 'utf8')).toBe(`${address}\n`);
    expect((await ask(address)).text).toBe('hello ');
  });

  it('listens on every address, with the port that the system chose', async () => {
    const { child, folder } = await serving(app, ['--listen', 'fastcgi://127.0.0.1:0', '--listen', 'scgi://[::1]:0']);
    await child.said(/listening scgi:\/\/\[::1\]:[1-9]\d*\n/);
    const addresses = readFileSync(join(folder, 'ready'), 'utf8').trimEnd().split('\n');
    expect(child.output()).toBe(addresses.map((address) => `listening ${address}\n`).join(''));
    expect(addresses).toHaveLength(3);
    for (const address of addresses.slice(0, 2)) expect((await ask(address)).text).toBe('hello ');
  });

  it.each<[string, string]>([
    ['app.mjs', 'export const app = (environ) => ({ status: 200, body: "served" });'],
    ['app.mjs', 'export async function handler(environ) { return { status: 200, body: "served" }; }'],
    ['app.mjs', 'export default Promise.resolve((req, res) => res.end("served"));'],
    ['app.mjs', 'export default { fetch: (request) => new Response("served") };'],
    ['app.mjs', 'import http from "node:http"; export default http.createServer((req, res) => res.end("served"));'],
    ['app.cgi', '#!/usr/bin/env -S postern serve\nexport default (req, res) => res.end("served");'],
    ['app.js', 'module.exports = (req, res) => res.end("served");'],
    ['app.cjs', 'exports.app = (environ) => ({ status: 200, body: "served" });'],
    [
      'app.cjs',
      'Object.defineProperty(exports, "__esModule", { value: true }); exports.default = (req, res) => res.end("served");',
    ],
    [
      'app.mjs',
      'const any = new Proxy({ fetch: () => new Response("served") }, { get: (t, name) => t[name] ?? (() => any) }); export default any;',
    ],
  ])('serves %s: %s', async (name, text) => {
    const { address } = await serving(text, [], name);
    expect((await ask(address)).text).toBe('served');
  });

  it('takes the kind of the app, the mount and the limits from its flags', async () => {
    const fetch = await serving('export default (request) => new Response(request.url);', ['--interface', 'fetch']);
    expect((await ask(fetch.address, '/x')).text).toBe('http://example.org/x');
    const mounted = await serving(app, ['--mount', '/app/', '--max-body', '1k']);
    expect((await ask(mounted.address, '/app/x')).text).toBe('hello /app');
    expect((await ask(mounted.address, '/', {}, Buffer.alloc(1024))).status).toBe(200);
    expect((await ask(mounted.address, '/', {}, Buffer.alloc(1025))).status).toBe(413);
  });

  it('speaks FastCGI on a listening socket that it inherits as descriptor 0', async () => {
    const folder = folderWith({ 'app.mjs': app });
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
    const child = posternOn(fd, folder);
    await child.said(/^listening fastcgi\+fd:0$/m);
    await new Promise((resolve) => server.close(resolve));
    const answers = await Promise.all(Array.from({ length: 4 }, () => ask(`fastcgi://127.0.0.1:${port}`)));
    expect(answers.map(({ text }) => text)).toEqual(Array(4).fill('hello '));
    expect(await child.stop()).toEqual({ code: 0, signal: null });
  });

  it.each(['pipe', 'ignore'] as const)(
    'is a server for development when descriptor 0 is no listening socket (%s)',
    async (stdin) => {
      const folder = folderWith({ 'app.mjs': app });
      const child = posternOn(stdin, folder);
      const [line] = await child.said(/^(?:listening|ERR_ADDRESS_IN_USE).*$/m);
      // somebody else on this machine may have the port
      if (line.startsWith('ERR_')) {
        expect((await child.ended()).code).toBe(2);
        return;
      }
      expect(line).toBe('listening http://127.0.0.1:8080');
      expect((await http({ port: 8080, path: '/' })).text).toBe('hello ');
      expect(await child.stop()).toEqual({ code: 0, signal: null });
    },
  );

  it('serves HTTP with the objects of node:http, and over TLS', async () => {
    const folder = folderWith();
    const kind = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=a',
    ];
    const files = ['-keyout', join(folder, 'a.key'), '-out', join(folder, 'a.crt')];
    execFileSync('openssl', ['req', '-x509', ...kind, ...files], { stdio: 'ignore' });
    const tls = `https://127.0.0.1:0?cert=${folder}/a.crt&key=${folder}/a.key`;
    const text = 'export default (req, res) => res.end(req.socket.constructor.name + " " + req.url);';
    const { child } = await serving(text, ['--listen', 'http://127.0.0.1:0', '--listen', tls]);
    const [, plain, secure] = await child.said(/^listening http:.*?:(\d+)$\n^listening https:.*?:(\d+)$/m);
    expect((await http({ port: Number(plain), path: '/a' })).text).toBe('Socket /a');
    const agent = new Agent({ rejectUnauthorized: false });
    const body = await new Promise<string>((resolve, reject) => {
      get({ host: '127.0.0.1', port: Number(secure), path: '/b', agent }, (incoming) =>
        readText(incoming).then(resolve, reject),
      ).on('error', reject);
    });
    expect(body).toBe('TLSSocket /b');
    agent.destroy();
    expect(await child.stop()).toEqual({ code: 0, signal: null });
  });
});

describe('stopping', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s ends with 0 and leaves nothing behind', async (signal) => {
    const { child, left } = await serving(app);
    expect(await child.stop(signal)).toEqual({ code: 0, signal: null });
    expect(left()).toEqual([]);
    expect(child.output()).toMatch(/^listening [^\n]*\n$/);
  });

  it('finishes what is running', async () => {
    const { child, address, left } = await serving(slow(200));
    const answer = ask(address);
    await child.said(/arrived/);
    child.process.kill('SIGTERM');
    expect((await answer).text).toBe('slow');
    expect(await child.ended()).toEqual({ code: 0, signal: null });
    expect(left()).toEqual([]);
  });

  it('cuts what runs longer than the grace, and ends with 1', async () => {
    const { child, address, left } = await serving(slow(60_000), ['--grace', '50ms']);
    const answer = begin(address, '/').then(textOf);
    answer.catch(() => {});
    await child.said(/arrived/);
    expect(await child.stop()).toEqual({ code: 1, signal: null });
    await expect(answer).rejects.toThrow();
    expect(left()).toEqual([]);
  });

  it('ends at once with 1 when it is asked a second time', async () => {
    const { child, address, socket, left } = await serving(slow(60_000));
    ask(address).catch(() => {});
    await child.said(/arrived/);
    child.process.kill('SIGTERM');
    while (existsSync(socket)) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await child.stop('SIGINT')).toEqual({ code: 1, signal: null });
    expect(left()).toEqual([]);
  });

  it('closes an app that has a close', async () => {
    const text = `
      export default {
        inject() {}, routing(req, res) { res.end('x'); }, async ready() { console.error('ready'); },
        async close() { console.error('closed'); },
      };`;
    const { child } = await serving(text);
    await child.stop();
    expect(child.output()).toMatch(/^ready\nlistening [^\n]*\nclosed\n$/);
  });

  it('is not what a hangup does, where there is no terminal: that is refused by name', async () => {
    const { child, address } = await serving(app);
    child.process.kill('SIGHUP');
    await child.said(/^ERR_NOT_BUILT: SIGHUP/m);
    expect((await ask(address)).status).toBe(200);
    expect((await child.stop()).code).toBe(0);
  });

  it('leaves nothing behind when the app ends the process', async () => {
    const { child, address, left } = await serving('export default (environ) => process.exit(7);');
    ask(address).catch(() => {});
    expect(await child.ended()).toEqual({ code: 7, signal: null });
    expect(left()).toEqual([]);
  });
});

describe('a failure outside of any request', () => {
  it('of a promise is told, and serving goes on', async () => {
    const { child, address } = await serving(`
      export default (environ) => {
        Promise.reject(new Error('nobody cares'));
        return { status: 200, body: 'still here' };
      };`);
    expect((await ask(address)).text).toBe('still here');
    await child.said(
      /^ERR_APP_ERROR: a promise was rejected and nobody handled it: Error: nobody cares at [^\n]*app\.mjs:3/m,
    );
    expect((await ask(address)).text).toBe('still here');
    expect((await child.stop()).code).toBe(0);
  });

  it('that nobody catches is told and stops the process, when what runs has ended', async () => {
    const { child, address, left } = await serving(`
      export default async (environ) => {
        setTimeout(() => { throw new Error('boom'); });
        await new Promise((resolve) => setTimeout(resolve, 100));
        return { status: 200, body: 'finished' };
      };`);
    expect((await ask(address)).text).toBe('finished');
    expect(await child.ended()).toEqual({ code: 1, signal: null });
    expect(child.output()).toMatch(/^ERR_APP_ERROR: uncaught, the process stops: Error: boom at [^\n]*app\.mjs:3/m);
    expect(left()).toEqual([]);
  });

  it('of a promise while the app loads is told once it is served', async () => {
    const { child } = await serving(
      'Promise.reject(new Error("early")); export default (environ) => ({ status: 200 });',
    );
    await child.said(/^ERR_APP_ERROR: a promise was rejected and nobody handled it: Error: early/m);
    expect((await child.stop()).code).toBe(0);
  });

  it('of the app in a request is told on stderr, and the client learns nothing', async () => {
    const { child, address } = await serving('export default (environ) => { throw new Error("secret"); };');
    const { status, text } = await ask(address);
    expect([status, text.includes('secret')]).toEqual([500, false]);
    await child.said(/secret/);
  });
});

it('goes on when nobody reads its stderr any more', async () => {
  const { child, address, left } = await serving(
    'export default (environ) => { console.error("x"); throw new Error("y"); };',
  );
  child.process.stderr?.destroy();
  child.process.stdout?.destroy();
  for (let i = 0; i < 3; i++) expect((await ask(address)).status).toBe(500);
  child.process.kill('SIGTERM');
  expect(await new Promise((resolve) => child.process.on('exit', (code) => resolve(code)))).toBe(0);
  expect(left()).toEqual([]);
});

it('a client that leaves is no error', async () => {
  const { child, address } = await serving(`
    export default async (environ) => {
      console.error('arrived');
      await new Promise((resolve) => environ['gateway.signal'].addEventListener('abort', resolve));
      console.error('left');
      return { status: 200 };
    };`);
  const controller = new AbortController();
  const { request } = await import('@postern/client');
  const { fastcgi } = await import('@postern/fastcgi');
  const path = address.slice('fastcgi+unix:'.length);
  const variables = ['REQUEST_METHOD', 'GET', 'REQUEST_URI', '/'];
  const asked = request(fastcgi, { transport: 'unix', path }, { variables, signal: controller.signal });
  asked.catch(() => {});
  await child.said(/arrived/);
  controller.abort();
  await child.said(/left/);
  expect((await child.stop()).code).toBe(0);
  expect(child.output()).toMatch(/^listening [^\n]*\narrived\nleft\n$/);
});
