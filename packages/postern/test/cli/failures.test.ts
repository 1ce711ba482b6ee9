import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { errorCodes } from '@postern/core';
import { cleanUp, folderWith, leftIn, postern, serving, whenDone } from './workshop.ts';

afterEach(cleanUp);

const app = 'export default (environ) => ({ status: 200, body: "hello" });\n';
const SOCKET = ['--listen', 'fastcgi+unix:app.sock'];

/** Runs a line that must fail: one line, a known code, nothing left behind. `SOCK` stands for a socket in the folder. */
async function refused(
  folder: string,
  args: string[],
  { exit = 2, env }: { exit?: number; env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const child = postern(
    folder,
    args.map((arg) => arg.replace('unix:app.sock', `unix:${folder}/app.sock`)),
    env,
  );
  const { code } = await child.ended();
  const output = child.output();
  expect(output).toMatch(/^ERR_[A-Z_]+: [^\n]+\n$/);
  expect(Object.keys(errorCodes)).toContain(output.slice(0, output.indexOf(':')));
  expect(code).toBe(exit);
  return output.trimEnd();
}

describe('an app that cannot be served', () => {
  it.each<[string, string, Record<string, string>, string]>([
    ['is not there', 'none.mjs', {}, 'ERR_APP_LOAD: there is no file FOLDER/none.mjs'],
    ['is a folder', '.', {}, 'ERR_APP_LOAD: FOLDER is a folder'],
    [
      'throws while it loads',
      'app.mjs',
      { 'app.mjs': '\n  throw new TypeError("no luck\\nat all");' },
      'ERR_APP_LOAD: FOLDER/app.mjs threw while it loaded: TypeError: no luck at FOLDER/app.mjs:2:9',
    ],
    [
      'throws what is no error',
      'app.mjs',
      { 'app.mjs': 'throw "tantrum";' },
      'ERR_APP_LOAD: FOLDER/app.mjs threw while it loaded: tantrum',
    ],
    [
      'is a CommonJS module that throws',
      'app.cjs',
      { 'app.cjs': 'null.x;' },
      'ERR_APP_LOAD: FOLDER/app.cjs threw while it loaded: TypeError: ',
    ],
    ['has a mistake in it', 'app.mjs', { 'app.mjs': 'export default 1;\nlet let = 1;' }, 'at FOLDER/app.mjs:2'],
    [
      'imports what is not there',
      'app.mjs',
      { 'app.mjs': 'import "no-such-package-here";' },
      "Cannot find package 'no-such-package-here'",
    ],
    [
      'throws a little later',
      'app.mjs',
      { 'app.mjs': 'setTimeout(() => { throw new Error("later"); }); await new Promise((r) => setTimeout(r, 10000));' },
      'ERR_APP_LOAD: the application threw while it loaded: Error: later',
    ],
    [
      'never finishes to load',
      'app.mjs',
      { 'app.mjs': 'await new Promise(() => {}); export default 1;' },
      'ERR_APP_LOAD: the application never finished loading',
    ],
    [
      'rejects',
      'app.mjs',
      { 'app.mjs': 'export default Promise.reject(new Error("no network"));' },
      'ERR_APP_LOAD: the promise of FOLDER/app.mjs was rejected: Error: no network',
    ],
    [
      'exports nothing',
      'app.mjs',
      { 'app.mjs': 'console.log;' },
      'ERR_APP_EXPORT: FOLDER/app.mjs exports nothing: export it as default, app or handler',
    ],
    [
      'exports other things',
      'app.mjs',
      { 'app.mjs': 'export const start = 1;' },
      'ERR_APP_EXPORT: FOLDER/app.mjs exports no application (but start)',
    ],
    [
      'is of no known kind',
      'app.mjs',
      { 'app.mjs': 'export default () => {};' },
      'ERR_APP_INTERFACE: FOLDER/app.mjs is a function of no parameters, whose kind is unclear',
    ],
    [
      'listens itself',
      'app.mjs',
      {
        'app.mjs':
          'import http from "node:http"; const s = http.createServer(); await new Promise((r) => s.listen(0, "127.0.0.1", r)); export default s;',
      },
      'ERR_APP_INTERFACE: the application listens already',
    ],
  ])('because it %s', async (_, module, files, message) => {
    const folder = folderWith(files);
    const said = await refused(folder, ['serve', module, ...SOCKET, '--ready-file', 'ready']);
    expect(said).toContain(message.replaceAll('FOLDER', folder));
    expect(leftIn(folder)).toEqual([]);
  });

  it('because this Node does not load its language', async () => {
    const text = 'export default (environ: object) => ({ status: 200 });';
    if ((process.features as { typescript?: unknown }).typescript) {
      const { child } = await serving(text, [], 'app.ts');
      expect((await child.stop()).code).toBe(0);
      return;
    }
    const folder = folderWith({ 'app.ts': text });
    expect(await refused(folder, ['serve', 'app.ts', ...SOCKET])).toContain('does not load TypeScript');
  });

  it('because it is of another kind than was said', async () => {
    const folder = folderWith({ 'app.mjs': app });
    expect(await refused(folder, ['serve', 'app.mjs', ...SOCKET, '--interface', 'wsgi'])).toContain(
      'ERR_APP_INTERFACE: there is no interface "wsgi": choose environ, node or fetch',
    );
  });
});

describe('an address that cannot be listened on', () => {
  it('because another process listens there', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    whenDone(() => other.close());
    const { port } = other.address() as { port: number };
    const folder = folderWith({ 'app.mjs': app });
    const args = ['serve', 'app.mjs', ...SOCKET, '--listen', `fastcgi://127.0.0.1:${port}`, '--ready-file', 'ready'];
    expect(await refused(folder, args)).toContain(`ERR_ADDRESS_IN_USE: 127.0.0.1:${port}`);
    expect(leftIn(folder)).toEqual([]);
  });

  it('because another postern listens there, which is not disturbed', async () => {
    const { child, folder, left } = await serving(app);
    expect(await refused(folder, ['serve', 'app.mjs', ...SOCKET])).toContain('ERR_ADDRESS_IN_USE');
    expect(left()).toEqual(['app.sock', 'ready']);
    expect(await child.stop()).toEqual({ code: 0, signal: null });
  });

  it.each<[string, (path: string) => void]>([
    ['a file', (path) => writeFileSync(path, 'precious')],
    ['a symbolic link', (path) => symlinkSync('/nowhere', path)],
    ['a folder', (path) => mkdirSync(path)],
  ])('because %s is there, which is left alone', async (what, make) => {
    const folder = folderWith({ 'app.mjs': app });
    make(join(folder, 'app.sock'));
    expect(await refused(folder, ['serve', 'app.mjs', ...SOCKET])).toContain(
      `ERR_SOCKET_PATH: ${folder}/app.sock: ${what} is there`,
    );
  });

  it('because its folder is not there, or not safe', async () => {
    const folder = folderWith({ 'app.mjs': app });
    expect(await refused(folder, ['serve', 'app.mjs', '--listen', `fastcgi+unix:${folder}/none/a.sock`])).toContain(
      `${folder}/none does not exist`,
    );
    mkdirSync(join(folder, 'open'));
    chmodSync(join(folder, 'open'), 0o777);
    expect(await refused(folder, ['serve', 'app.mjs', '--listen', `fastcgi+unix:${folder}/open/a.sock`])).toContain(
      'anybody could replace the socket',
    );
  });

  it.each<[string, string]>([
    ['fastcgi+unix:app.sock?group=no-such-group-here', 'ERR_SOCKET_OWNER: group=no-such-group-here'],
    [`fastcgi+unix:/${'a'.repeat(107)}`, 'ERR_SOCKET_PATH: path of 108 bytes'],
    ['fastcgi://0.0.0.0:0', 'ERR_ADDRESS_OPEN: 0.0.0.0:0'],
    ['ajp://0.0.0.0:0?allow=0.0.0.0/0', 'ERR_ADDRESS_OPEN: AJP off loopback'],
    ['fastcgi://192.0.2.1:9000?allow=192.0.2.0/24', 'ERR_ADDRESS_UNAVAILABLE: 192.0.2.1:9000'],
    ['fastcgi://127.0.0.1:99999', 'ERR_ADDRESS: port "99999"'],
    ['fastcgi://127.0.0.1:0?mode=0660', 'ERR_ADDRESS_KEY: query key "mode"'],
    ['auto://0.0.0.0:8080?allow=10.0.0.0/8', 'ERR_ADDRESS_OPEN: AJP (of auto) off loopback'],
    ['ajp://127.0.0.1:0?secret-file=/nowhere/secret', 'ERR_SECRET: secret-file="/nowhere/secret"'],
    ['https://127.0.0.1:0', 'ERR_ADDRESS_KEY: query key "cert"'],
    ['https://127.0.0.1:0?cert=/nowhere/a.crt&key=/nowhere/a.key', 'ERR_TLS_FILE: cert=/nowhere/a.crt'],
    ['fastcgi+systemd:', 'ERR_SYSTEMD: LISTEN_FDS is not set: systemd passed no sockets, or this was started by hand'],
    ['auto+systemd:app', 'ERR_SYSTEMD: LISTEN_FDS is not set'],
    ['fastcgi+fd:99', 'ERR_FD: fd 99'],
    ['fastcgi+fd:0', 'ERR_FD: fd 0'],
  ])('because of what %s says', async (address, message) => {
    const folder = folderWith({ 'app.mjs': app });
    expect(await refused(folder, ['serve', 'app.mjs', '--listen', address])).toContain(message);
    expect(leftIn(folder)).toEqual([]);
  });
});

describe('a command line that is wrong', () => {
  const workers = ['workers', 'access-log', 'status', 'max-requests', 'pid-file', 'user', 'group', 'config'];
  const commands = [
    'request',
    'proxy',
    'tap',
    'dump',
    'replay',
    'load',
    'doctor',
    'lint',
    'conform',
    'status',
    'reload',
    'stop',
  ];

  it.each<[string[], string]>([
    [[], 'ERR_USAGE: postern needs a command first'],
    [['--listen', 'x'], 'ERR_USAGE: postern needs a command first'],
    [['srve', 'app.mjs'], 'ERR_USAGE: postern "srve": there is no such command: did you mean serve?'],
    [['toString'], 'ERR_USAGE: postern "toString": there is no such command'],
    [['serve'], 'ERR_USAGE: postern serve needs the module of the app'],
    [['serve', 'app.mjs', 'other.mjs', ...SOCKET], 'ERR_USAGE: postern serve takes no argument "other.mjs"'],
    [
      ['serve', 'app.mjs', '--lisen', 'x'],
      'ERR_USAGE: --lisen of postern serve: there is no such flag: did you mean --listen?',
    ],
    [['serve', 'app.mjs', '--maxBody=1m', ...SOCKET], 'did you mean --max-body?'],
    [['serve', 'app.mjs', '--no-listen'], 'ERR_USAGE: --no-listen of postern serve'],
    [['serve', 'app.mjs', '--listen'], 'ERR_USAGE: --listen of postern serve needs a value'],
    [['serve', 'app.mjs', ...SOCKET, '--mount', '/a', '--mount', '/b'], 'ERR_USAGE: --mount was given 2 times'],
    [['serve', 'app.mjs', ...SOCKET, '--mount', 'a'], 'ERR_OPTION: mount "a": it does not begin with a slash'],
    [['serve', 'app.mjs', ...SOCKET, '--grace', '30'], 'ERR_OPTION: --grace "30": write a time with its unit'],
    [['serve', 'app.mjs', ...SOCKET, '--max-body', '-1'], 'ERR_'],
    [
      ['serve', 'app.mjs', ...SOCKET, '--ready-file', 'none/ready'],
      'ERR_OPTION: --ready-file FOLDER/none/ready: its folder',
    ],
    [
      ['serve', 'app.mjs', ...SOCKET, '--ready-file', 'app.mjs'],
      'ERR_OPTION: --ready-file FOLDER/app.mjs: something else is there',
    ],
    ...workers.map((flag): [string[], string] => [
      ['serve', 'app.mjs', ...SOCKET, `--${flag}`, '1'],
      `ERR_NOT_BUILT: --${flag} of postern serve`,
    ]),
    [['serve', '--watch', 'app.mjs', ...SOCKET], 'ERR_NOT_BUILT: --watch of postern serve'],
    [['serve', '--lint', 'app.mjs', ...SOCKET], 'ERR_NOT_BUILT: --lint of postern serve'],
    ...commands.map((name): [string[], string] => [[name, 'x', '-X', 'GET'], `ERR_NOT_BUILT: postern ${name}`]),
    [
      ['config', 'systemd', '--listen', 'fastcgi+unix:/run/a.sock', '--root', '/a'],
      'ERR_USAGE: --root is for a web server',
    ],
    [
      ['config', 'systemd', '--listen', 'fastcgi+systemd:app'],
      'ERR_OPTION: --listen fastcgi+systemd:app: systemd opens the socket: give the address that the web server connects to',
    ],
    [
      ['config', 'nginx', '--listen', 'fastcgi+systemd:app'],
      'ERR_OPTION: --listen fastcgi+systemd:app: nginx cannot connect to a name: give the address',
    ],
    [
      ['config', 'ngnix', '--listen', 'x'],
      'ERR_USAGE: postern config "ngnix": there is no such target: did you mean nginx?',
    ],
    [['config'], 'ERR_USAGE: postern config needs the name of a web server'],
    [['config', 'nginx'], 'ERR_USAGE: postern config needs the address that the app listens on'],
    [
      ['config', 'nginx', '--listen', 'ajp://127.0.0.1:8009'],
      'ERR_OPTION: --listen ajp://127.0.0.1:8009: nginx does not speak AJP',
    ],
    [
      ['config', 'nginx', '--listen', 'fastcgi://127.0.0.1:1', '--module', 'apache:fcgi'],
      'ERR_USAGE: --module is for postern config apache',
    ],
    [
      ['config', 'apache', '--listen', 'fastcgi://127.0.0.1:1', '--module', 'apache:ajp'],
      'ERR_OPTION: --module apache:ajp: it speaks ajp, and the app listens on fastcgi://127.0.0.1:1: write fcgi',
    ],
    [
      ['config', 'apache', '--listen', 'fastcgi://127.0.0.1:1?peer=nginx'],
      'ERR_OPTION: --listen fastcgi://127.0.0.1:1?peer=nginx: the app expects nginx there',
    ],
    [
      ['config', 'haproxy', '--listen', 'fastcgi://127.0.0.1:1', '--root', '/srv'],
      'ERR_OPTION: --root "/srv": HAProxy serves no files',
    ],
    [
      ['config', 'lighttpd', '--listen', 'fastcgi://127.0.0.1:1', '--role', 'filter'],
      'ERR_OPTION: --role "filter": write responder or authorizer',
    ],
    [
      ['config', 'apache', '--listen', 'fastcgi+fd:0'],
      'ERR_OPTION: --listen fastcgi+fd:0: Apache starts the app itself there: name its executable file with --program',
    ],
    [
      ['config', 'lighttpd', '--listen', 'fastcgi://127.0.0.1:1', '--server-name', 'a.example:99999'],
      'ERR_OPTION: --server-name "a.example:99999": its port "99999" must be a whole number from 1 to 65535',
    ],
    [['config', 'nginx', '--listen', 'fastcgi://127.0.0.1:1', '--rooot', '/'], 'did you mean --root?'],
  ])('%j', async (args, message) => {
    const folder = folderWith({ 'app.mjs': app });
    expect(await refused(folder, args)).toContain(message.replaceAll('FOLDER', folder));
    expect(leftIn(folder)).toEqual([]);
  });
});

it('without an address it is one line when the usual port is taken, and names the flag', async () => {
  const other = createServer();
  // whoever has the port: it is taken
  await new Promise<void>((resolve) => other.on('error', () => resolve()).listen(8080, '127.0.0.1', resolve));
  whenDone(() => other.close());
  const folder = folderWith({ 'app.mjs': app });
  expect(await refused(folder, ['serve', 'app.mjs'])).toBe(
    'ERR_ADDRESS_IN_USE: 127.0.0.1:8080: another process listens there: stop it, or give an address: --listen http://127.0.0.1:8081',
  );
});
