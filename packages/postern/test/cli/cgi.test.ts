import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, connect as netConnect } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { repository } from '@postern/testkit';
import { cleanUp, folderWith, whenDone } from './workshop.ts';

afterEach(cleanUp);

const bin = join(repository, 'packages/postern/bin/postern.js');
const get = {
  GATEWAY_INTERFACE: 'CGI/1.1',
  REQUEST_METHOD: 'GET',
  SCRIPT_NAME: '/app.cgi',
  REQUEST_URI: '/app.cgi/x',
  SERVER_NAME: 'app.test',
};
const post = { ...get, REQUEST_METHOD: 'POST' };
const show = 'export default (environ) => ({ status: 200, body: JSON.stringify(environ) });\n';
const count = `export default async (environ) => {
  let bytes = 0;
  for await (const chunk of environ['gateway.input']) bytes += chunk.length;
  return { status: 200, body: String(bytes) };
};\n`;

interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Ran>;
  /** Waits until stderr matches. */
  said(pattern: RegExp): Promise<void>;
}

/** `postern serve` as a web server starts a CGI program. */
function start(
  text: string,
  env: NodeJS.ProcessEnv,
  { flags = [] as string[], stdio = ['pipe', 'pipe', 'pipe'] as ('pipe' | number)[] } = {},
): Running {
  const folder = folderWith({ 'app.mjs': text });
  const child = spawn(process.execPath, [bin, 'serve', 'app.mjs', ...flags], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
    stdio,
  });
  whenDone(() => child.kill('SIGKILL'));
  const out: Buffer[] = [];
  let stderr = '';
  const watchers = new Set<() => void>();
  child.stdout?.on('data', (chunk) => out.push(chunk));
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
    for (const watcher of watchers) watcher();
  });
  child.stdin?.on('error', () => {});
  const ended = new Promise<Ran>((resolve) => {
    child.on('close', (code, signal) =>
      resolve({ code, signal, stdout: Buffer.concat(out).toString('latin1'), stderr }),
    );
  });
  return {
    process: child,
    ended,
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (pattern.test(stderr)) resolve();
        };
        watchers.add(look);
        look();
        void ended.then(() => reject(new Error(`ended before it said ${pattern}: ${stderr}`)));
      }),
  };
}

async function run(text: string, env: NodeJS.ProcessEnv, body = '', flags: string[] = []): Promise<Ran> {
  const { process: child, ended } = start(text, env, { flags });
  child.stdin?.end(body);
  return ended;
}

function bodyOf({ stdout }: Ran): string {
  return stdout.slice(stdout.indexOf('\r\n\r\n') + 4);
}

describe('postern serve as a CGI program', () => {
  it('answers the one request and ends with 0, with what the web server set and nothing of the process', async () => {
    const own = { HOME: '/root', NODE_OPTIONS: '', LC_ALL: 'C', PWD: '/tmp', USER: 'www-data' };
    const ran = await run(show, { ...get, ...own, HTTP_X_A: 'b', MY_SETTING: 'caf\u00e9' });
    expect({ ...ran, stdout: '' }).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
    expect(ran.stdout).toMatch(/^Status: 200 OK\r\n/);
    expect(JSON.parse(Buffer.from(bodyOf(ran), 'latin1').toString())).toEqual({
      GATEWAY_INTERFACE: 'CGI/1.1',
      REQUEST_METHOD: 'GET',
      REQUEST_SCHEME: 'http',
      REQUEST_URI: '/app.cgi/x',
      SERVER_NAME: 'app.test',
      SERVER_PROTOCOL: 'HTTP/1.1',
      SCRIPT_NAME: '/app.cgi',
      PATH_INFO: '/x',
      QUERY_STRING: '',
      HTTP_X_A: 'b',
      MY_SETTING: 'caf\xc3\xa9',
    });
  });

  it.each([
    ['node', "export default (req, res) => { res.setHeader('X-A', '1'); res.end('node ' + req.url); };"],
    ['fetch', 'export default { fetch: (request) => new Response("fetch " + new URL(request.url).pathname) };'],
  ])('serves a %s app too', async (kind, text) => {
    const ran = await run(text, get);
    expect([ran.code, bodyOf(ran)]).toEqual([0, `${kind} /app.cgi/x`]);
  });

  it('takes kind, mount and limits from its flags', async () => {
    const mounted = await run(show, get, '', ['--mount', '/']);
    expect(JSON.parse(bodyOf(mounted))).toMatchObject({ SCRIPT_NAME: '', PATH_INFO: '/app.cgi/x' });
    const large = await run(count, { ...post, CONTENT_LENGTH: '5' }, 'hello', ['--max-body', '4']);
    expect([large.code, large.stdout]).toEqual([0, expect.stringMatching(/^Status: 413 /)]);
  });

  it('keeps what the app prints out of its reply, from its loading on', async () => {
    const text = `console.log('loading'); process.stdout.write('raw\\n');
      export default (environ) => { console.log('%s', 'running'); console.info(1); return { status: 200, body: 'x' }; };`;
    const ran = await run(text, get);
    expect(ran).toMatchObject({ code: 0, stderr: 'loading\nraw\nrunning\n1\n' });
    expect(ran.stdout).toBe('Status: 200 OK\r\n\r\nx');
  });

  it('listens all the same when it is told where', async () => {
    const running = start(show, get, { flags: ['--listen', 'http://127.0.0.1:0'] });
    await running.said(/^listening http:/m);
    running.process.kill('SIGTERM');
    expect((await running.ended).code).toBe(0);
  });
});

describe('the body of a CGI request', () => {
  it.each(['pipe', 'file', 'socket'])('is read from a %s, and the reply written to one', async (kind) => {
    const folder = folderWith();
    const body = 'x'.repeat(1_000_000);
    const env = { ...post, CONTENT_LENGTH: String(body.length) };
    const reply = `export default async (environ) => {
      let bytes = 0;
      for await (const chunk of environ['gateway.input']) bytes += chunk.length;
      return { status: 200, body: String(bytes) + 'y'.repeat(3_000_000) };
    };`;
    if (kind === 'pipe') {
      const ran = await run(reply, env, `${body} and more`);
      expect([ran.code, bodyOf(ran)]).toEqual([0, `1000000${'y'.repeat(3_000_000)}`]);
      return;
    }
    if (kind === 'file') {
      writeFileSync(join(folder, 'in'), `${body} and more`);
      const stdio = [openSync(join(folder, 'in'), 'r'), openSync(join(folder, 'out'), 'w'), 'pipe' as const];
      const { code } = await start(reply, env, { stdio }).ended;
      const stdout = readFileSync(join(folder, 'out'), 'latin1');
      expect([code, stdout.slice(-3_000_007)]).toEqual([0, `1000000${'y'.repeat(3_000_000)}`]);
      return;
    }
    // one socket both ways, as mod_cgid does it
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(folder, 's'), resolve));
    const peer = new Promise<string>((resolve) => {
      server.once('connection', (socket) => {
        let stdout = '';
        socket.on('data', (chunk) => {
          stdout += chunk.toString('latin1');
        });
        socket.on('end', () => resolve(stdout));
        socket.write(body);
      });
    });
    const socket = netConnect(join(folder, 's'));
    await new Promise((resolve) => socket.on('connect', resolve));
    const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
    const { ended } = start(reply, env, { stdio: [fd, fd, 'pipe'] });
    socket.destroy();
    expect((await ended).code).toBe(0);
    expect((await peer).slice(-3_000_007)).toBe(`1000000${'y'.repeat(3_000_000)}`);
    await new Promise((resolve) => server.close(resolve));
  });

  it('that ends early is 400', async () => {
    const ran = await run(count, { ...post, CONTENT_LENGTH: '10' }, 'half');
    expect(ran.stdout).toMatch(/^Status: 400 Bad Request\r\n/);
  });
});

describe('a CGI program that fails', () => {
  it.each<[string, string, RegExp]>([
    [
      'throws',
      'export default (environ) => { throw new Error("secret"); };',
      /ERR_APP_ERROR: GET \/app\.cgi\/x Error: secret/,
    ],
    ['rejects', 'export default async (environ) => { throw new Error("secret"); };', /secret/],
    [
      'throws where nobody catches',
      'export default (environ) => new Promise(() => setTimeout(() => { throw new Error("secret"); }));',
      /secret/,
    ],
    [
      'never answers',
      'export default (environ) => new Promise(() => {});',
      /ERR_APP_REPLY: .*it awaits what never happens/,
    ],
  ])('because its app %s answers 500 and ends with 1', async (_, text, message) => {
    const ran = await run(text, get);
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(/^Status: 500 Internal Server Error\r\n/);
    expect(ran.stdout).not.toContain('secret');
    expect(ran.stderr).toMatch(message);
  });

  it('within its reply ends with 1', async () => {
    const text =
      'export default (environ) => ({ status: 200, body: (function* () { yield "half"; throw new Error("x"); })() });';
    const ran = await run(text, get);
    expect([ran.code, bodyOf(ran)]).toEqual([1, 'half']);
  });

  it.each<[string, string, string[], RegExp]>([
    [
      'throws while it loads',
      'throw new Error("secret");',
      [],
      /^ERR_APP_LOAD: [^\n]* threw while it loaded: Error: secret[^\n]*\n$/,
    ],
    [
      'throws a little later',
      'setTimeout(() => { throw new Error("late"); }); await new Promise((r) => setTimeout(r, 10000));',
      [],
      /^ERR_APP_LOAD: the application threw while it loaded: Error: late[^\n]*\n$/,
    ],
    [
      'never finishes to load',
      'await new Promise(() => {});',
      [],
      /^ERR_APP_LOAD: the application never finished loading[^\n]*\n$/,
    ],
    ['exports nothing', 'export {};', [], /^ERR_APP_EXPORT: [^\n]*\n$/],
    ['has a wrong flag', show, ['--grace', 'x'], /^ERR_OPTION: --grace "x"[^\n]*\n$/],
    ['has a wrong mount', show, ['--mount', 'x'], /^ERR_OPTION: mount "x"[^\n]*\n$/],
  ])('because its app %s answers a plain 500 and ends with 2', async (_, text, flags, message) => {
    const ran = await run(text, get, '', flags);
    expect(ran.code).toBe(2);
    expect(ran.stdout).toBe(
      'Status: 500 Internal Server Error\r\nContent-Type: text/plain\r\n\r\n500 Internal Server Error\n',
    );
    expect(ran.stderr).toMatch(message);
  });

  it.each<[string, NodeJS.ProcessEnv, string]>([
    ['no method', { ...get, REQUEST_METHOD: '' }, 'ERR_ENV_METHOD'],
    ['a length that is none', { ...post, CONTENT_LENGTH: 'x' }, 'ERR_ENV_LENGTH'],
  ])('because the request has %s answers 400', async (_, env, code) => {
    const ran = await run(show, env);
    expect(ran.stdout).toMatch(/^Status: 400 Bad Request\r\n/);
    expect(ran.stderr).toMatch(new RegExp(`^warn event=protocol_error proto=cgi rule=${code} [^\n]*\n$`));
  });

  it('to have its promises handled tells of them and goes on', async () => {
    const ran = await run(
      'export default (environ) => { Promise.reject(new Error("lost")); return { status: 200, body: "x" }; };',
      get,
    );
    expect([ran.code, bodyOf(ran)]).toEqual([0, 'x']);
    expect(ran.stderr).toMatch(/^ERR_APP_ERROR: a promise was rejected and nobody handled it: Error: lost/);
  });
});

describe('the end of a CGI program', () => {
  const waits = `export default async (environ) => {
    const kept = setInterval(() => {}, 1000);
    console.error('arrived');
    await new Promise((resolve) => environ['gateway.signal'].addEventListener('abort', resolve));
    console.error('told');
    clearInterval(kept);
    return { status: 200, body: 'late' };
  };`;

  it('by SIGTERM is told to the app; nothing more is written', async () => {
    const running = start(waits, get);
    await running.said(/arrived/);
    running.process.kill('SIGTERM');
    const ran = await running.ended;
    expect(ran).toMatchObject({ code: 1, signal: null, stdout: '' });
    expect(ran.stderr).toContain('told');
  });

  it('by a web server that does not read any more is no failure', async () => {
    const text = `export default (environ) => ({ status: 200, body: (async function* () {
      yield 'x';
      for (;;) { yield 'y'.repeat(100_000); await new Promise((resolve) => setTimeout(resolve, 1)); }
    })() });`;
    const running = start(text, get);
    running.process.stdout?.once('data', () => running.process.stdout?.destroy());
    const ran = await running.ended;
    expect(ran).toMatchObject({ code: 0, signal: null, stderr: '' });
  });

  it('comes when a web server reads slowly only when all is read', async () => {
    const running = start('export default (environ) => ({ status: 200, body: "z".repeat(5_000_000) });', get);
    running.process.stdout?.pause();
    await new Promise((resolve) => running.process.stdout?.once('readable', resolve));
    running.process.stdout?.resume();
    const ran = await running.ended;
    expect([ran.code, bodyOf(ran).length]).toEqual([0, 5_000_000]);
  });

  it('closes an app that has a close', async () => {
    const text = `export default { inject() {}, routing(req, res) { res.end('x'); }, async ready() {},
      async close() { console.error('closed'); } };`;
    const ran = await run(text, get);
    expect([ran.code, ran.stderr, bodyOf(ran)]).toEqual([0, 'closed\n', 'x']);
  });
});
