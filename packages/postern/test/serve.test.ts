import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, get } from 'node:http';
import { get as httpsGet } from 'node:https';
import { createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ping } from '@postern/client';
import type { Application, Environ } from '@postern/core';
import { uwsgi } from '@postern/uwsgi';
import { parseAddress } from '../src/address.ts';
import { type Served, type ServeOptions, serve } from '../src/serve.ts';
import { ask, begin, textOf } from './ask.ts';

const TCP = 'fastcgi://127.0.0.1:0';
let folder: string;
const running: Served[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-serve-'));
});
afterEach(async () => {
  for (const served of running.splice(0)) await served.close(0);
  rmSync(folder, { recursive: true, force: true });
});

async function started(app: unknown, options: ServeOptions): Promise<Served> {
  const served = await serve(app, options);
  running.push(served);
  return served;
}

/** The body of the answer to one request over HTTP. */
function got(address: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(`${address}${path}`, { agent: false }, (incoming) => text(incoming).then(resolve, reject)).on('error', reject);
  });
}

function makeCertificate(where: string): { cert: string; key: string } {
  const [cert, key] = [join(where, 'a.crt'), join(where, 'a.key')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
  return { cert, key };
}

const paths: Application = ({ SCRIPT_NAME, PATH_INFO, REQUEST_URI }) => ({
  status: 200,
  body: `${SCRIPT_NAME}|${PATH_INFO}|${REQUEST_URI}`,
});

/** An app whose reply waits until it is told to end. */
function held(): { app: Application; arrived: Promise<void>; release: () => void } {
  let release = (): void => {};
  let arrive = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const app = async (_environ: Environ): Promise<{ status: number; body: string }> => {
    arrive();
    await released;
    return { status: 200, body: 'held' };
  };
  return { app, arrived, release };
}

describe('serve', () => {
  it('serves the three kinds of app', async () => {
    const environ = await started((e: Environ) => ({ status: 200, body: `environ ${e.REMOTE_ADDR}` }), { listen: TCP });
    const node = await started(
      createHttpServer((req, res) => {
        res.end(`node ${req.socket.remoteAddress}`);
      }),
      { listen: TCP },
    );
    const fetch = await started({ fetch: (request: Request) => new Response(`fetch ${request.url}`) }, { listen: TCP });
    expect((await ask(environ.addresses[0])).text).toBe('environ 192.0.2.1');
    expect((await ask(node.addresses[0])).text).toBe('node 192.0.2.1');
    expect((await ask(fetch.addresses[0], '/x')).text).toBe('fetch http://example.org/x');
  });

  it('listens on several addresses at once, and tells where', async () => {
    const path = join(folder, 'a b.sock');
    const served = await started(paths, { listen: [TCP, `fastcgi+unix:${path}?mode=0600`, 'scgi://[::1]:0'] });
    expect(served.addresses).toEqual([
      expect.stringMatching(/^fastcgi:\/\/127\.0\.0\.1:[1-9]\d*$/),
      `fastcgi+unix:${folder}/a%20b.sock`,
      expect.stringMatching(/^scgi:\/\/\[::1\]:[1-9]\d*$/),
    ]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    for (const address of served.addresses.slice(0, 2)) expect((await ask(address, '/p')).text).toBe('|/p|/p');
  });

  it('divides the path at the mount, and leaves the rest as it is', async () => {
    const { addresses } = await started(paths, { listen: TCP, mount: '/app/' });
    expect((await ask(addresses[0], '/app/x%20y?q')).text).toBe('/app|/x y|/app/x%20y?q');
    expect((await ask(addresses[0], '/app')).text).toBe('/app||/app');
    const root = await started(paths, { listen: TCP, mount: '/' });
    expect((await ask(root.addresses[0], '/app/x', { SCRIPT_NAME: '/app' })).text).toBe('|/app/x|/app/x');
  });

  it('gives the failures of the app to onError, and the client a bare 500', async () => {
    const failures: unknown[] = [];
    const app = (_environ: Environ): never => {
      throw new Error('secret');
    };
    const { addresses } = await started(app, { listen: TCP, onError: (error) => failures.push(error) });
    const { status, text } = await ask(addresses[0]);
    expect([status, text.includes('secret')]).toEqual([500, false]);
    expect(failures).toEqual([expect.objectContaining({ message: 'secret' })]);
  });

  it('keeps the limits that it is given', async () => {
    const { addresses } = await started(paths, { listen: TCP, limits: { maxBody: 4 } });
    expect((await ask(addresses[0], '/', {}, Buffer.from('1234'))).status).toBe(200);
    expect((await ask(addresses[0], '/', {}, Buffer.from('12345'))).status).toBe(413);
  });

  it('gives functions that can be taken apart', async () => {
    const { addresses, stats, close } = await started(paths, { listen: 'http://127.0.0.1:0' });
    expect(await got(addresses[0], '/a')).toBe('|/a|/a');
    expect(stats().requests.begun).toBe(1);
    expect(await close()).toBe(true);
  });

  it('closes the first address again when the second cannot be bound', async () => {
    const first = join(folder, 'first.sock');
    const second = join(folder, 'second.sock');
    writeFileSync(second, 'a file');
    const closed: string[] = [];
    const app = {
      inject() {},
      routing() {},
      async ready() {},
      async close() {
        closed.push('app');
      },
    };
    await expect(serve(app, { listen: [`fastcgi+unix:${first}`, `fastcgi+unix:${second}`] })).rejects.toMatchObject({
      code: 'ERR_SOCKET_PATH',
    });
    expect(existsSync(first)).toBe(false);
    expect(existsSync(second)).toBe(true);
    expect(closed).toEqual(['app']);
  });

  it('binds nothing when an address, a limit, the mount, the peer or an option is wrong', async () => {
    const path = join(folder, 'a.sock');
    const listen = [`fastcgi+unix:${path}`];
    const wrong: [ServeOptions, string][] = [
      [{ listen: [...listen, 'fastcgi://127.0.0.1:99999'] }, 'ERR_ADDRESS'],
      [{ listen: [] }, 'ERR_OPTION'],
      [{} as ServeOptions, 'ERR_OPTION'],
      [{ listen, limits: { maxBody: -1 } }, 'ERR_OPTION'],
      [{ listen, mount: 'app' }, 'ERR_OPTION'],
      [{ listen, peer: 'iis' }, 'ERR_OPTION'],
      [{ listen, interface: 'wsgi' as never }, 'ERR_APP_INTERFACE'],
      [{ listen, workers: 4 } as ServeOptions, 'ERR_OPTION'],
    ];
    for (const [options, code] of wrong) {
      await expect(serve(paths, options)).rejects.toMatchObject({ code });
    }
    await expect(serve(() => ({}), { listen })).rejects.toMatchObject({ code: 'ERR_APP_INTERFACE' });
    await expect(serve(undefined, { listen })).rejects.toMatchObject({ code: 'ERR_APP_EXPORT' });
    expect(existsSync(path)).toBe(false);
  });

  it('tells of an address in use, and of one that is open to everybody', async () => {
    const other = createNetServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    await expect(serve(paths, { listen: `fastcgi://127.0.0.1:${port}` })).rejects.toMatchObject({
      code: 'ERR_ADDRESS_IN_USE',
    });
    await new Promise((resolve) => other.close(resolve));
    await expect(serve(paths, { listen: 'fastcgi://0.0.0.0:0' })).rejects.toMatchObject({ code: 'ERR_ADDRESS_OPEN' });
  });
});

describe('serve over HTTP', () => {
  it('serves the three kinds of app; a node app gets the objects of node:http', async () => {
    const listen = 'http://127.0.0.1:0';
    const environ = await started((e: Environ) => ({ status: 200, body: `${e['gateway.protocol']} ${e.PATH_INFO}` }), {
      listen,
    });
    const fetch = await started({ fetch: (request: Request) => new Response(`fetch ${request.url}`) }, { listen });
    const node = await started(
      createHttpServer((req, res) => {
        res.end(`node ${req.socket.constructor.name} ${req.url}`);
      }),
      { listen },
    );
    expect(await got(environ.addresses[0], '/a%20b')).toBe('http /a b');
    expect(await got(fetch.addresses[0], '/x')).toBe(`fetch ${fetch.addresses[0]}/x`);
    expect(await got(node.addresses[0], '/y?z')).toBe('node Socket /y?z');
  });

  it('serves one app over HTTP and FastCGI at once', async () => {
    const { addresses } = await started(paths, { listen: ['http://127.0.0.1:0', TCP], mount: '/app' });
    expect(await got(addresses[0], '/app/x')).toBe('/app|/x|/app/x');
    expect((await ask(addresses[1], '/app/x')).text).toBe('/app|/x|/app/x');
  });

  it('serves over TLS, and reads the files before anything is bound', async () => {
    const { cert, key } = makeCertificate(folder);
    const path = join(folder, 'a.sock');
    await expect(
      serve(paths, { listen: [`fastcgi+unix:${path}`, `https://127.0.0.1:0?cert=${key}&key=${key}`] }),
    ).rejects.toMatchObject({ code: 'ERR_TLS_FILE', message: expect.stringContaining(`cert=${key}: it holds no`) });
    expect(existsSync(path)).toBe(false);
    const { addresses } = await started(paths, { listen: `https://127.0.0.1:0?cert=${cert}&key=${key}` });
    expect(addresses[0]).toMatch(/^https:\/\/127\.0\.0\.1:[1-9]\d*$/);
    const body = await new Promise<string>((resolve, reject) => {
      httpsGet(`${addresses[0]}/s`, { ca: readFileSync(cert) }, (incoming) => text(incoming).then(resolve, reject)).on(
        'error',
        reject,
      );
    });
    expect(body).toBe('|/s|/s');
  });

  it('may be reached by other machines', async () => {
    const { addresses } = await started(paths, { listen: 'http://0.0.0.0:0' });
    expect(await got(addresses[0].replace('0.0.0.0', '127.0.0.1'), '/')).toBe('|/|/');
  });

  it('is closed with the rest', async () => {
    const { app, arrived, release } = held();
    const served = await started(app, { listen: 'http://127.0.0.1:0' });
    const answer = got(served.addresses[0], '/');
    await arrived;
    const closing = served.close();
    release();
    expect(await answer).toBe('held');
    expect(await closing).toBe(true);
    await expect(got(served.addresses[0], '/')).rejects.toThrow();
  });
});

describe('serve over AJP', () => {
  it('asks for the secret that is set, on loopback too', async () => {
    const file = join(folder, 'secret');
    writeFileSync(file, 'open sesame\n');
    const { addresses } = await started(paths, { listen: `ajp://127.0.0.1:0?secret-file=${file}` });
    expect((await ask(`${addresses[0]}?secret-file=${file}`)).status).toBe(200);
    expect((await ask(addresses[0])).status).toBe(403);
    process.env.AJP_SECRET = 'open sesame';
    try {
      expect((await ask(addresses[0])).status).toBe(200);
      const open = await started(paths, { listen: 'ajp://0.0.0.0:0' });
      expect((await ask(open.addresses[0].replace('0.0.0.0', '127.0.0.1'))).status).toBe(200);
    } finally {
      delete process.env.AJP_SECRET;
    }
    await expect(serve(paths, { listen: 'ajp://0.0.0.0:0' })).rejects.toMatchObject({ code: 'ERR_ADDRESS_OPEN' });
  });

  it('says before it listens which attribute cannot be let in', async () => {
    await expect(serve(paths, { listen: 'ajp://127.0.0.1:0?attributes=HTTP_HOST' })).rejects.toMatchObject({
      code: 'ERR_OPTION',
      message: expect.stringContaining('"HTTP_HOST" cannot be let in'),
    });
  });
});

describe('closing', () => {
  it('lets what runs end, refuses what comes, and takes the socket away', async () => {
    const path = join(folder, 'a.sock');
    const { app, arrived, release } = held();
    const served = await started(app, { listen: `fastcgi+unix:${path}` });
    const answer = ask(served.addresses[0]);
    await arrived;
    const closing = served.close();
    expect(existsSync(path)).toBe(false);
    await expect(ask(served.addresses[0])).rejects.toMatchObject({ code: 'ERR_ADDRESS_UNAVAILABLE' });
    release();
    expect((await answer).text).toBe('held');
    expect(await closing).toBe(true);
  });

  it('cuts what runs longer than the grace', async () => {
    const { app, arrived } = held();
    const served = await started(app, { listen: TCP });
    const answer = begin(served.addresses[0], '/').then(textOf);
    answer.catch(() => {});
    await arrived;
    expect(await served.close(20)).toBe(false);
    await expect(answer).rejects.toThrow();
  });

  it('hurries when it is asked again with less patience', async () => {
    const { app, arrived } = held();
    const served = await started(app, { listen: TCP });
    ask(served.addresses[0]).catch(() => {});
    await arrived;
    const closing = served.close(60_000);
    await served.close(0);
    await closing;
  });

  it('refuses a grace that is no time', async () => {
    const served = await started(paths, { listen: TCP });
    await expect(served.close(-1)).rejects.toMatchObject({ code: 'ERR_OPTION' });
    await expect(served.close(Number.NaN)).rejects.toMatchObject({ code: 'ERR_OPTION' });
  });

  it('closes the app after its last request, and waits for it within the grace', async () => {
    const order: string[] = [];
    let finish = (): void => {};
    const app = {
      inject() {},
      routing: (_req: unknown, res: { end(text: string): void }) => res.end('x'),
      async ready() {},
      close: () =>
        new Promise<void>((resolve) => {
          order.push('close');
          finish = resolve;
        }),
    };
    const served = await started(app, { listen: TCP });
    await ask(served.addresses[0]);
    expect(order).toEqual([]);
    expect(await served.close(30)).toBe(false);
    expect(order).toEqual(['close']);
    finish();
  });

  it('reports an app whose close fails', async () => {
    const failures: unknown[] = [];
    const app = {
      inject() {},
      routing() {},
      async ready() {},
      close() {
        throw new Error('close failed');
      },
    };
    const served = await started(app, { listen: TCP, onError: (error) => failures.push(error) });
    expect(await served.close()).toBe(true);
    expect(failures).toEqual([expect.objectContaining({ message: 'close failed' })]);
  });

  it('happens when the signal is aborted', async () => {
    const path = join(folder, 'a.sock');
    const controller = new AbortController();
    const served = await started(paths, { listen: `fastcgi+unix:${path}`, signal: controller.signal });
    expect((await ask(served.addresses[0])).status).toBe(200);
    controller.abort();
    expect(existsSync(path)).toBe(false);
    expect(await served.close()).toBe(true);
  });

  it('happens before anything is bound when the signal was aborted before', async () => {
    const path = join(folder, 'a.sock');
    const reason = new Error('not any more');
    await expect(serve(paths, { listen: `fastcgi+unix:${path}`, signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
    expect(existsSync(path)).toBe(false);
  });
});

it('serve installs nothing on the process', async () => {
  const events = ['SIGTERM', 'SIGINT', 'SIGHUP', 'uncaughtException', 'unhandledRejection', 'exit', 'beforeExit'];
  const before = events.map((event) => process.listenerCount(event));
  await started(paths, { listen: TCP });
  expect(events.map((event) => process.listenerCount(event))).toEqual(before);
});

describe('uwsgi', () => {
  const app: Application = (_environ) => ({ status: 200 });
  const pinged = ({ addresses }: Served) => {
    const { target } = parseAddress(addresses[0], 'connect');
    return ping(uwsgi, target as Parameters<typeof ping>[1]);
  };

  it('answers pings where that is asked for, and not by itself', async () => {
    const listen = 'uwsgi://127.0.0.1:0';
    expect(await pinged(await started(app, { listen, uwsgi: { ping: true } }))).toBeGreaterThan(0);
    await expect(pinged(await started(app, { listen }))).rejects.toMatchObject({ code: 'ERR_REPLY' });
  });
});
