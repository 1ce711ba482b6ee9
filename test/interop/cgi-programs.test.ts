import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type FrontEnd,
  http,
  repository,
  startApache,
  startLighttpd,
  temporaryFolder,
  until,
} from '../../packages/testkit/src/index.ts';

const app = `#!/usr/bin/env -S postern serve
import { createHash } from 'node:crypto';
console.log('printed by the app');
export default async (environ) => {
  switch (environ.PATH_INFO) {
    case '/hash': {
      const hash = createHash('sha256');
      for await (const chunk of environ['gateway.input']) hash.update(chunk);
      return { status: 200, body: hash.digest('hex') };
    }
    case '/early':
      return { status: 413, body: 'too much' };
    case '/down':
      return { status: 200, body: (function* () { for (let i = 0; i < 200; i++) yield Buffer.alloc(100_000, 'x'); })() };
    case '/cookies':
      return { status: 299, reason: 'Quite Fine', headers: { 'Set-Cookie': ['a=1', 'b=2'] }, body: 'two' };
    case '/moved':
      return { status: 302, headers: { Location: '/elsewhere' } };
    case '/none':
      return { status: 204 };
    case '/throw':
      throw new Error('a secret text');
    default:
      return { status: 200, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(environ) };
  }
};
`;
const nodeApp = "export default (req, res) => res.end(['node', req.method, req.url, req.headers.host].join(' '));\n";

const bin = temporaryFolder();
const path = process.env.PATH;

beforeAll(() => {
  executable(
    bin.path,
    'postern',
    `#!/bin/sh\nexec ${process.execPath} ${repository}/packages/postern/bin/postern.js "$@"\n`,
  );
  // web servers give their PATH on
  process.env.PATH = `${bin.path}:${path}`;
});
afterAll(() => {
  process.env.PATH = path;
  bin.remove();
});

function executable(folder: string, name: string, text: string): void {
  writeFileSync(join(folder, name), text);
  chmodSync(join(folder, name), 0o755);
}

/** The programs: an app that is its own program, a wrapper of two lines, and two that cannot be loaded. */
function writePrograms(folder: string): void {
  executable(folder, 'app.cgi', app);
  writeFileSync(join(folder, 'node.mjs'), nodeApp);
  executable(folder, 'node.cgi', `#!/bin/sh\nexec ${bin.path}/postern serve ${folder}/node.mjs\n`);
  executable(folder, 'broken.cgi', '#!/usr/bin/env -S postern serve\nthrow new Error("a secret text");\n');
}

function describeCgi(name: string, start: () => Promise<FrontEnd>): void {
  describe(name, () => {
    let server: FrontEnd;
    beforeAll(async () => {
      server = await start();
    });
    afterAll(() => server.stop());

    const ask = (target: string, more: object = {}) => http({ port: server.port, path: target, ...more });
    const errorLog = (): string => readFileSync(join(server.folder, 'error.log'), 'utf8') + server.child.output();

    it('gives the variables of the request and of its configuration, and nothing of the process', async () => {
      const reply = await ask('/app.cgi/a%20b/c?x=1', { headers: { 'X-A': 'b', Cookie: 'k=v' } });
      expect(reply.status).toBe(200);
      const environ = JSON.parse(reply.text);
      expect(environ).toMatchObject({
        GATEWAY_INTERFACE: 'CGI/1.1',
        REQUEST_METHOD: 'GET',
        SCRIPT_NAME: '/app.cgi',
        PATH_INFO: '/a b/c',
        QUERY_STRING: 'x=1',
        REQUEST_URI: '/app.cgi/a%20b/c?x=1',
        REMOTE_ADDR: '127.0.0.1',
        SERVER_PORT: String(server.port),
        HTTP_X_A: 'b',
        HTTP_COOKIE: 'k=v',
        MY_SETTING: 'from the web server',
      });
      for (const own of ['PATH', 'HOME', 'PWD', 'LD_LIBRARY_PATH', 'NODE_OPTIONS'])
        expect(environ).not.toHaveProperty(own);
      const top = JSON.parse((await ask('/app.cgi')).text);
      expect(top).toMatchObject({ SCRIPT_NAME: '/app.cgi', PATH_INFO: '' });
    });

    it.each([0, 1, 65_537, 3_000_000])('gets a POST of %i bytes as it was sent', async (size) => {
      const body = randomBytes(size);
      const { text } = await ask('/app.cgi/hash', { method: 'POST', body });
      expect(text).toBe(createHash('sha256').update(body).digest('hex'));
    });

    it('gets a chunked POST as it was sent', async () => {
      const body = randomBytes(300_000);
      const pieces = Readable.from([body.subarray(0, 7), body.subarray(7)]);
      const { text } = await ask('/app.cgi/hash', { method: 'POST', body: pieces });
      expect(text).toBe(createHash('sha256').update(body).digest('hex'));
    });

    it('answers an upload that it does not read', async () => {
      expect(await ask('/app.cgi/early', { method: 'POST', body: randomBytes(100_000) })).toMatchObject({
        status: 413,
        text: 'too much',
      });
    });

    it('sends 20 MB, two cookies, a status with its reason, a redirect, and nothing', async () => {
      expect((await ask('/app.cgi/down')).body).toHaveLength(20_000_000);
      const cookies = await ask('/app.cgi/cookies');
      expect([cookies.status, cookies.headers['set-cookie']]).toEqual([299, ['a=1', 'b=2']]);
      expect(await ask('/app.cgi/moved')).toMatchObject({ status: 302, headers: { location: '/elsewhere' } });
      expect(await ask('/app.cgi/none')).toMatchObject({ status: 204, text: '' });
      const head = await ask('/app.cgi/x', { method: 'HEAD' });
      expect([head.status, head.text]).toEqual([200, '']);
    });

    it('serves a (req, res) app by a wrapper of two lines', async () => {
      expect((await ask('/node.cgi/x?y')).text).toBe(`node GET /node.cgi/x?y 127.0.0.1:${server.port}`);
    });

    it('answers a bare 500 when the app fails, and the cause is in the error log', async () => {
      const reply = await ask('/app.cgi/throw');
      expect([reply.status, reply.text.includes('secret')]).toEqual([500, false]);
      await until(errorLog, (text) => /ERR_APP_ERROR.*a secret text/.test(text) && text.includes('printed by the app'));
    });

    it('answers a bare 500 when the app cannot be loaded, and the cause is in the error log', async () => {
      const reply = await ask('/broken.cgi');
      expect([reply.status, reply.text]).toEqual([500, '500 Internal Server Error\n']);
      await until(errorLog, (text) =>
        /ERR_APP_LOAD: .*broken\.cgi threw while it loaded: Error: a secret text/.test(text),
      );
      expect(errorLog()).not.toMatch(/premature|malformed|bad header/i);
    });
  });
}

function apache(module: string, more: (folder: string) => string): Promise<FrontEnd> {
  return startApache(['env', module], (_port, folder) => {
    writePrograms(folder);
    return `${more(folder)}
SetEnv MY_SETTING "from the web server"
<Directory "${folder}">
  Options +ExecCGI
</Directory>
<FilesMatch "\\.cgi$">
  SetHandler cgi-script
</FilesMatch>`;
  });
}

// the one gives the program a socket, the other pipes
describeCgi('CGI under Apache (mod_cgid)', () => apache('cgid', (folder) => `ScriptSock ${folder}/cgid.sock`));
describeCgi('CGI under Apache (mod_cgi)', () => apache('cgi', () => ''));

describeCgi('CGI under lighttpd (mod_cgi)', () =>
  startLighttpd((_port, folder) => {
    writePrograms(folder);
    return `server.modules += ( "mod_cgi", "mod_setenv" )
setenv.add-environment = ( "MY_SETTING" => "from the web server", "PATH" => env.PATH )
cgi.assign = ( ".cgi" => "" )`;
  }),
);
