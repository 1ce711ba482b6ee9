import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { plainGet, request } from '@postern/testkit';
import {
  type CreateServerOptions,
  createServer,
  type GatewayServer,
  type RequestListener,
} from '../src/create-server.ts';
import { ask, begin, textOf } from './ask.ts';

let folder: string;
const made: GatewayServer[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-server-'));
});
afterEach(async () => {
  for (const server of made.splice(0)) {
    server.closeAllConnections();
    await server[Symbol.asyncDispose]();
  }
  rmSync(folder, { recursive: true, force: true });
});

function create(first?: CreateServerOptions | RequestListener, second?: RequestListener): GatewayServer {
  const server = createServer(first as CreateServerOptions, second);
  made.push(server);
  return server;
}

const hello: RequestListener = (req, res) => {
  res.end(`hello ${req.url}`);
};

/** The address of a server that listens on TCP. */
function addressOf(server: GatewayServer): string {
  return `fastcgi://127.0.0.1:${(server.address() as { port: number }).port}`;
}

describe('createServer', () => {
  it('listens on any port of loopback, serves, and closes', async () => {
    const server = create(hello);
    expect([server.listening, server.address()]).toEqual([false, null]);
    expect(server.listen()).toBe(server);
    await once(server, 'listening');
    expect(server.listening).toBe(true);
    expect(server.address()).toEqual({ address: '127.0.0.1', family: 'IPv4', port: expect.any(Number) });
    expect((await ask(addressOf(server), '/x')).text).toBe('hello /x');
    const closed = once(server, 'close');
    expect(server.close()).toBe(server);
    expect([server.listening, server.address()]).toEqual([false, null]);
    await closed;
  });

  it('calls back when it listens, and when it has closed', async () => {
    const server = create({}, hello);
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', 128, resolve);
    });
    expect((await ask(addressOf(server))).status).toBe(200);
    expect(await new Promise((resolve) => server.close(resolve))).toBeUndefined();
  });

  it('listens on a unix socket by its path or address', async () => {
    const path = join(folder, 'a.sock');
    for (const where of [path, { path, host: 'localhost' }, `fastcgi+unix:${path}`]) {
      const server = create(hello);
      server.listen(where as string);
      await once(server, 'listening');
      expect(server.address()).toBe(path);
      expect((await ask(`fastcgi+unix:${path}`)).text).toBe('hello /');
      await server[Symbol.asyncDispose]();
      expect(existsSync(path)).toBe(false);
    }
  });

  it('listens on localhost by an IP address, and on IPv6', async () => {
    const server = create(hello);
    server.listen({ port: 0, host: 'localhost' });
    await once(server, 'listening');
    expect(server.address()).toMatchObject({ address: expect.stringMatching(/^(?:127\.0\.0\.1|::1)$/) });
    const six = create(hello);
    six.listen(0, '::1');
    await once(six, 'listening');
    expect(six.address()).toMatchObject({ address: '::1', family: 'IPv6' });
  });

  it('gives requests to all who listen for them, with the server in their socket', async () => {
    const server = create();
    server.on('request', (req, res) => {
      expect((req.socket as unknown as { server: unknown }).server).toBe(server);
      res.end('on request');
    });
    server.listen(0);
    await once(server, 'listening');
    expect((await ask(addressOf(server))).text).toBe('on request');
  });

  it('speaks the protocol that it is told, or that the address tells', async () => {
    const scgi = create({ protocol: 'scgi' }, hello);
    scgi.listen(0);
    await once(scgi, 'listening');
    const { port } = scgi.address() as { port: number };
    await expect(ask(`fastcgi://127.0.0.1:${port}`)).rejects.toThrow();
    const fastcgi = create(hello);
    fastcgi.listen('fastcgi://127.0.0.1:0');
    await once(fastcgi, 'listening');
    expect((await ask(addressOf(fastcgi))).status).toBe(200);
    const contradiction = create({ protocol: 'scgi' }, hello);
    expect(() => contradiction.listen('fastcgi://127.0.0.1:0')).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION' }),
    );
  });

  it('speaks uwsgi, and AJP with the secret of the environment', async () => {
    const uwsgi = create({ protocol: 'uwsgi' }, hello);
    uwsgi.listen(0);
    await once(uwsgi, 'listening');
    expect((await ask(addressOf(uwsgi).replace('fastcgi', 'uwsgi'))).text).toBe('hello /');
    process.env.AJP_SECRET = 'open sesame';
    try {
      const ajp = create({ protocol: 'ajp' }, hello);
      ajp.listen({ port: 0, host: '0.0.0.0' });
      await once(ajp, 'listening');
      const address = `ajp://127.0.0.1:${(ajp.address() as { port: number }).port}`;
      expect((await ask(address)).text).toBe('hello /');
      process.env.AJP_SECRET = 'open barley';
      expect((await ask(address)).status).toBe(403);
    } finally {
      delete process.env.AJP_SECRET;
    }
  });

  it('leaves HTTP to node:http', () => {
    const message = expect.stringContaining('that of node:http serves it');
    expect(() => createServer({ protocol: 'http' as never })).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message }),
    );
    expect(() => create(hello).listen('http://127.0.0.1:0')).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining('that of node:http does') }),
    );
  });

  it('divides the path at the mount, for those who look at the environ', async () => {
    const server = create({ mount: '/app' }, hello);
    server.listen(0);
    await once(server, 'listening');
    expect((await ask(addressOf(server), '/app/x')).text).toBe('hello /app/x');
  });

  it('refuses options that it does not know', () => {
    for (const options of [
      { protocol: 'gopher' },
      { limits: { maxBody: -1 } },
      { mount: 'x' },
      { peer: 'x' },
      { key: 'x' },
    ]) {
      expect(() => createServer(options as object)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
    }
  });
});

describe('a listen that fails', () => {
  it('is an "error" event with the code of the system, and can be tried again', async () => {
    const other = createNetServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const server = create(hello);
    server.listen(port, '127.0.0.1');
    const [error] = await once(server, 'error').catch((thrown) => [thrown]);
    expect(error).toMatchObject({
      code: 'EADDRINUSE',
      syscall: 'listen',
      address: '127.0.0.1',
      port,
      cause: { code: 'ERR_ADDRESS_IN_USE' },
    });
    expect(server.listening).toBe(false);
    await new Promise((resolve) => other.close(resolve));
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    expect((await ask(addressOf(server))).status).toBe(200);
  });

  it('is one where other machines could connect', async () => {
    for (const [protocol, code] of [
      ['fastcgi', 'ERR_ADDRESS_OPEN'],
      ['ajp', 'ERR_ADDRESS_OPEN'],
    ] as const) {
      const server = create({ protocol }, hello);
      server.listen({ port: 0, host: '0.0.0.0' });
      const [error] = await once(server, 'error').catch((thrown) => [thrown]);
      expect(error).toMatchObject({ code });
    }
  });

  it('is thrown where the call itself is wrong', async () => {
    const server = create(hello);
    expect(() => server.listen(70_000)).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_BAD_PORT' }));
    expect(() => server.listen('fastcgi://127.0.0.1')).toThrow(expect.objectContaining({ code: 'ERR_ADDRESS' }));
    server.listen(0);
    expect(() => server.listen(0)).toThrow(expect.objectContaining({ code: 'ERR_SERVER_ALREADY_LISTEN' }));
    await once(server, 'listening');
  });
});

describe('close', () => {
  it('lets what runs end', async () => {
    let finish = (): void => {};
    const server = create((_req, res) => {
      finish = () => res.end('finished');
      server.emit('arrived');
    });
    server.listen(0);
    await once(server, 'listening');
    const answer = ask(addressOf(server));
    await once(server, 'arrived');
    let closed = false;
    const closing = new Promise<void>((resolve) => {
      server.close(() => {
        closed = true;
        resolve();
      });
    });
    expect(await new Promise((resolve) => server.getConnections((_, count) => resolve(count)))).toBe(1);
    expect(server.connections).toBe(1);
    expect(closed).toBe(false);
    finish();
    expect((await answer).text).toBe('finished');
    await closing;
  });

  it('and then closeAllConnections cuts what runs', async () => {
    const server = create((_req, res) => {
      res.write('begun');
      server.emit('arrived');
    });
    server.listen(0);
    await once(server, 'listening');
    const answer = begin(addressOf(server), '/').then(textOf);
    answer.catch(() => {});
    await once(server, 'arrived');
    const closed = once(server, 'close');
    server.close();
    server.closeIdleConnections();
    server.closeAllConnections();
    await closed;
    await expect(answer).rejects.toThrow();
  });

  it('tells that the server does not run', async () => {
    const server = create(hello);
    expect(await new Promise((resolve) => server.close(resolve))).toMatchObject({ code: 'ERR_SERVER_NOT_RUNNING' });
  });

  it('while the server is about to listen leaves nothing behind', async () => {
    const path = join(folder, 'a.sock');
    const server = create(hello);
    let listened = false;
    server.on('listening', () => {
      listened = true;
    });
    server.listen(path);
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    expect([listened, server.listening, existsSync(path)]).toEqual([false, false, false]);
  });

  it('and listen again', async () => {
    const server = create(hello);
    for (let i = 0; i < 2; i++) {
      server.listen(0);
      await once(server, 'listening');
      expect((await ask(addressOf(server))).status).toBe(200);
      await server[Symbol.asyncDispose]();
    }
  });

  it('happens when the signal is aborted', async () => {
    const controller = new AbortController();
    const server = create(hello);
    server.listen({ port: 0, signal: controller.signal });
    await once(server, 'listening');
    const closed = once(server, 'close');
    controller.abort();
    await closed;
    const late = create(hello);
    late.listen({ port: 0, signal: controller.signal });
    await once(late, 'close');
    expect(late.listening).toBe(false);
  });
});

describe('the properties of http.Server', () => {
  it('set limits', () => {
    const server = create({ limits: { keepAliveTimeout: 1000 } });
    expect([server.keepAliveTimeout, server.headersTimeout, server.maxRequestsPerSocket]).toEqual([
      1000, 10_000, 10_000,
    ]);
    server.keepAliveTimeout = 72_000;
    server.headersTimeout = 5000;
    server.maxConnections = 64;
    expect(server.maxConnections).toBe(64);
    server.maxRequestsPerSocket = 5;
    expect([server.keepAliveTimeout, server.headersTimeout, server.maxRequestsPerSocket]).toEqual([72_000, 5000, 5]);
    server.keepAliveTimeout = 0;
    server.maxRequestsPerSocket = 0;
    expect(server.keepAliveTimeout).toBe(86_400_000);
    expect(server.maxRequestsPerSocket).toBe(1_000_000_000);
    expect(() => {
      server.headersTimeout = -1;
    }).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
  });

  it('maxRequestsPerSocket ends a connection that the web server would keep', async () => {
    const server = create(hello);
    server.maxRequestsPerSocket = 2;
    server.listen(0);
    await once(server, 'listening');
    const socket = connect((server.address() as { port: number }).port, '127.0.0.1');
    const ended = once(socket, 'end');
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    const kept = request(plainGet, { flags: 1 });
    socket.write(kept);
    socket.write(kept);
    await ended;
    expect(text.match(/hello/g)).toHaveLength(2);
    socket.destroy();
  });

  it('setTimeout tells of a request in which nothing happens', async () => {
    const server = create((_req, res) => {
      server.emit('arrived', res);
    });
    const silent = new Promise((resolve) => {
      expect(server.setTimeout(10, resolve)).toBe(server);
    });
    expect(server.timeout).toBe(10);
    expect(server.setTimeout(() => {}).timeout).toBe(10);
    server.listen(0);
    await once(server, 'listening');
    const answer = ask(addressOf(server));
    const [res] = await once(server, 'arrived');
    expect(await silent).toBe(res.socket);
    res.end('late');
    expect((await answer).text).toBe('late');
  });

  it('ref and unref give the server itself, before and after it listens', async () => {
    const server = create(hello);
    expect(server.unref()).toBe(server);
    server.listen(0);
    await once(server, 'listening');
    expect(server.ref()).toBe(server);
    expect(server.unref().ref()).toBe(server);
  });
});
