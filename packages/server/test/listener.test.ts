import { execFileSync } from 'node:child_process';
import { createSocket as createDatagramSocket } from 'node:dgram';
import { closeSync, fstatSync, linkSync, openSync } from 'node:fs';
import { createServer, type Server as NetServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '@postern/core';
import { type Child, request, temporaryFolder, until } from '@postern/testkit';
import type { ListenTarget } from '../src/address.ts';
import { openListener } from '../src/listener.ts';
import { childServer, firstLine } from './support/child.ts';
import { connectTo, type Peer } from './support/peer.ts';
import { atEnd, hello, listening } from './support/serving.ts';

const nobody = { accept() {}, turnedAway() {}, acceptFailed() {} };

async function refusal(target: ListenTarget): Promise<ConfigError> {
  const error = await openListener(target, nobody).then(
    (listener) => {
      listener.close();
      return new Error('it listens');
    },
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as ConfigError).message).not.toContain('\n');
  return error as ConfigError;
}

async function connected(address: Parameters<typeof connectTo>[0], localAddress?: string): Promise<Peer> {
  const peer = await connectTo(address, localAddress);
  atEnd(() => peer.socket.destroy());
  return peer;
}

async function asks(peer: Peer): Promise<string> {
  peer.write(request());
  return (await peer.reply()).stdout;
}

async function listener(options: { host?: string; port?: number; path?: string }): Promise<NetServer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(options, resolve));
  atEnd(() => server.close());
  return server;
}

/** The descriptor of a socket. */
function fdOf(socket: object): number {
  return (socket as { _handle: { fd: number } })._handle.fd;
}

/** Without the warning that `_handle` of these gives. */
function datagramFd(socket: object): number {
  const state = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol');
  return (socket as Record<symbol, { handle: { fd: number } }>)[state as symbol].handle.fd;
}

describe('a TCP address', () => {
  it.each(['127.0.0.1', '::1', 'localhost'])('on %s with port 0 tells the port that the system chose', async (host) => {
    const { address } = await listening(hello, { transport: 'tcp', host, port: 0 });
    expect(address).toEqual({ transport: 'tcp', host, port: expect.any(Number) });
    expect(await asks(await connected(address))).toContain('hello');
  });

  it('in use is refused ERR_ADDRESS_IN_USE, and who uses it goes on', async () => {
    const first = await listening(hello, { transport: 'tcp', host: '127.0.0.1', port: 0 });
    const { code, message } = await refusal(first.address as ListenTarget);
    expect(code).toBe('ERR_ADDRESS_IN_USE');
    expect(message).toMatch(/^127\.0\.0\.1:\d+: another process listens there: /);
    expect(await asks(await connected(first.address))).toContain('hello');
  });

  it.each(['0.0.0.0', '::', '192.0.2.1', 'example.test'])(
    '%s without allow is refused ERR_ADDRESS_OPEN',
    async (host) => {
      const { code, message } = await refusal({ transport: 'tcp', host, port: 0 });
      expect(code).toBe('ERR_ADDRESS_OPEN');
      expect(message).toContain('allow=');
    },
  );

  it.each(['192.0.2.1', 'no-such-host.invalid'])(
    '%s that this machine does not have is refused ERR_ADDRESS_UNAVAILABLE',
    async (host) => {
      const { code, message } = await refusal({ transport: 'tcp', host, port: 9, allow: ['10.0.0.0/8'] });
      expect(code).toBe('ERR_ADDRESS_UNAVAILABLE');
      expect(message.startsWith(`${host}:9: `)).toBe(true);
    },
  );

  it('with a port that is none is refused ERR_ADDRESS', async () => {
    expect(await refusal({ transport: 'tcp', host: '::1', port: 70_000 })).toMatchObject({
      code: 'ERR_ADDRESS',
      message: expect.stringMatching(/^\[::1\]:70000: /),
    });
  });

  it('with an allow that is no network is refused ERR_ADDRESS', async () => {
    expect((await refusal({ transport: 'tcp', host: '127.0.0.1', port: 0, allow: ['here'] })).code).toBe('ERR_ADDRESS');
  });

  it('with allow serves whom it names, and closes on others without a byte', async () => {
    const { server, address, logs } = await listening(hello, {
      transport: 'tcp',
      host: '127.0.0.1',
      port: 0,
      allow: ['127.0.0.2/32'],
    });
    const stranger = await connected(address, '127.0.0.1');
    await stranger.gone();
    expect(stranger.size).toBe(0);
    expect(server.connections).toBe(0);
    expect(logs).toMatchObject([{ level: 'warn', event: 'limit', code: 'ERR_PEER', peer: '127.0.0.1' }]);
    expect(await asks(await connected(address, '127.0.0.2'))).toContain('hello');
  });

  it('of both families looks IPv4 peers up as such', async () => {
    const { address } = await listening(hello, { transport: 'tcp', host: '::', port: 0, allow: ['127.0.0.2/32'] });
    const port = address.transport === 'tcp' ? address.port : 0;
    const stranger = await connected({ host: '127.0.0.1', port });
    await stranger.gone();
    expect(stranger.size).toBe(0);
    expect(await asks(await connected({ host: '127.0.0.1', port }, '127.0.0.2'))).toContain('hello');
  });

  it('sends small pieces at once: Nagle is off', async () => {
    let noDelay: unknown;
    const { address, close } = await openListener(
      { transport: 'tcp', host: '127.0.0.1', port: 0 },
      {
        ...nobody,
        accept(socket) {
          const flag = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'kSetNoDelay');
          noDelay = flag && (socket as unknown as Record<symbol, unknown>)[flag];
          socket.end('x');
        },
      },
    );
    atEnd(close);
    await (await connected(address)).gone();
    expect(noDelay).toBe(true);
  });
});

describe('an accept that fails', () => {
  it('is told, and does not end listening', async () => {
    const failed: string[] = [];
    const accepted: unknown[] = [];
    const { server, address, close } = await openListener(
      { transport: 'tcp', host: '127.0.0.1', port: 0 },
      {
        ...nobody,
        accept(socket) {
          accepted.push(socket);
          socket.destroy();
        },
        acceptFailed: (error) => failed.push(error.message),
      },
    );
    atEnd(close);
    server.emit('error', new Error('accept ECONNABORTED'));
    expect(failed).toEqual(['accept ECONNABORTED']);
    await (await connected(address)).gone();
    expect(accepted).toHaveLength(1);
  });

  it('for want of descriptors is survived: when there are some again, new peers are served', async () => {
    const child = childServer({ target: { transport: 'tcp', host: '127.0.0.1', port: 0 } }, { shell: 'ulimit -n 48' });
    const address = JSON.parse((await firstLine(child)).slice('listening '.length));
    const peers = await Promise.all(Array.from({ length: 64 }, () => connectTo(address)));
    const turnedAway = (): Peer[] => peers.filter(({ closed, ended, error }) => closed || ended || error !== undefined);
    await until(
      () => turnedAway().length,
      (count) => count > 0,
    );
    for (const peer of peers) peer.socket.destroy();
    await until(
      async () => {
        const peer = await connectTo(address);
        peer.write(request());
        await peer.when(() => peer.text.includes('served by') || peer.closed || peer.ended || peer.error !== undefined);
        const served = peer.text;
        peer.socket.destroy();
        return served;
      },
      (text) => text.includes('served by'),
    );
    expect((await child.stop('SIGTERM')).code).toBe(0);
  });
});

describe('an inherited descriptor', () => {
  it.each(['tcp', 'unix'])('that is a listening %s socket is served', async (transport) => {
    const folder = temporaryFolder();
    atEnd(folder.remove);
    const path = join(folder.path, 's');
    const opener = await listener(transport === 'unix' ? { path } : { host: '127.0.0.1', port: 0 });
    const { fd } = (opener as unknown as { _handle: { fd: number } })._handle;
    const child = childServer({ target: { transport: 'fd', fd: 3 } }, { stdio: ['ignore', 'pipe', 'pipe', fd] });
    expect(await firstLine(child)).toBe('listening {"transport":"fd","fd":3}');
    const bound = opener.address() as { port: number };
    // only the child can answer then; Node removes the path of a socket that it closes
    const kept = join(folder.path, 'kept');
    if (transport === 'unix') linkSync(path, kept);
    opener.close();
    const peer = await connected(transport === 'unix' ? { path: kept } : { host: '127.0.0.1', port: bound.port });
    expect(await asks(peer)).toContain(`served by ${child.process.pid}`);
    peer.socket.destroy();
    expect((await child.stop('SIGTERM')).code).toBe(0);
    expect(child.output()).toContain('closed true');
  });

  it.each([
    ['192.0.2.1', false],
    ['127.0.0.1', true],
  ])('lets in whom allow=%s names', async (address, welcome) => {
    const opener = await listener({ host: '127.0.0.1', port: 0 });
    const target: ListenTarget = { transport: 'fd', fd: 3, allow: [address] };
    const child = childServer({ target }, { stdio: ['ignore', 'pipe', 'pipe', fdOf(opener)] });
    expect(await firstLine(child)).toMatch(/^listening/);
    const { port } = opener.address() as { port: number };
    opener.close();
    const peer = await connected({ host: '127.0.0.1', port });
    if (welcome) expect(await asks(peer)).toContain('served by');
    else {
      await peer.gone();
      expect(peer.size).toBe(0);
      await child.said(/^logged ERR_PEER allow= does not name 127\.0\.0\.1$/m);
    }
    peer.socket.destroy();
  });

  it('that is a file is refused ERR_FD, and stays open', async () => {
    const fd = openSync(__filename, 'r');
    const { code, message } = await refusal({ transport: 'fd', fd });
    expect(code).toBe('ERR_FD');
    expect(message).toMatch(/^fd \d+: not a listening socket \(a file\): /);
    expect(fstatSync(fd).isFile()).toBe(true);
    closeSync(fd);
  });

  it.each([9999, -1, 1.5])('%d that is not open is refused ERR_FD', async (fd) => {
    expect((await refusal({ transport: 'fd', fd })).code).toBe('ERR_FD');
  });

  it('that is a connected socket is refused ERR_FD', async () => {
    const opener = await listener({ host: '127.0.0.1', port: 0 });
    const peer = await connected({ host: '127.0.0.1', port: (opener.address() as { port: number }).port });
    const { fd } = (peer.socket as unknown as { _handle: { fd: number } })._handle;
    const child = childServer({ target: { transport: 'fd', fd: 3 } }, { stdio: ['ignore', 'pipe', 'pipe', fd] });
    expect(await firstLine(child)).toMatch(/^refused ERR_FD fd 3: not a listening socket/);
    expect((await child.ended()).code).toBe(2);
  });
});

describe('a socket of systemd', () => {
  /** A child that was given descriptors from 3 on as systemd gives them. */
  function activated(name: string, fds: number[], variables: string): Child {
    const target: ListenTarget = { transport: 'systemd', name };
    return childServer(
      { target },
      { stdio: ['ignore', 'pipe', 'pipe', ...fds], shell: `export LISTEN_PID=$$ ${variables}` },
    );
  }

  it.each(['tcp', 'unix'])('over %s is served by its name', async (transport) => {
    const folder = temporaryFolder();
    atEnd(folder.remove);
    const path = join(folder.path, 's');
    const [other, opener] = [
      await listener({ port: 0 }),
      await listener(transport === 'unix' ? { path } : { port: 0 }),
    ];
    const child = activated('app', [fdOf(other), fdOf(opener)], 'LISTEN_FDS=2 LISTEN_FDNAMES=other:app');
    expect(await firstLine(child)).toBe('listening {"transport":"systemd","name":"app"}');
    const kept = join(folder.path, 'kept');
    if (transport === 'unix') linkSync(path, kept);
    const { port } = opener.address() as { port: number };
    opener.close();
    const peer = await connected(transport === 'unix' ? { path: kept } : { host: '127.0.0.1', port });
    expect(await asks(peer)).toContain(`served by ${child.process.pid}`);
  });

  it('is not told of to the children of the app', async () => {
    const child = activated('', [fdOf(await listener({ port: 0 }))], 'LISTEN_FDS=1');
    await firstLine(child);
    await child.said(/^environment (.*)$/m);
    expect(child.output()).not.toContain('LISTEN_');
  });

  it.each([
    ['a FIFO', 'a FIFO'],
    ['a datagram socket', 'a datagram socket'],
    ['a connection', 'it is connected'],
    // but what Node.js has there for itself
    ['nothing', 'no socket'],
  ])('that is %s is refused ERR_FD', async (kind, what) => {
    const child = activated('app', await given(kind), 'LISTEN_FDS=1 LISTEN_FDNAMES=app');
    expect(await firstLine(child)).toBe(
      `refused ERR_FD systemd socket "app" (descriptor 3): not a listening socket (${what}): the .socket unit must have ListenStream= and not Accept=yes`,
    );
    expect((await child.ended()).code).toBe(2);
  });

  it('of a process that systemd did not start is refused ERR_SYSTEMD', async () => {
    expect((await refusal({ transport: 'systemd', name: 'app' })).code).toBe('ERR_SYSTEMD');
  });

  async function given(kind: string): Promise<number[]> {
    switch (kind) {
      case 'a FIFO': {
        const folder = temporaryFolder();
        atEnd(folder.remove);
        execFileSync('mkfifo', [join(folder.path, 'fifo')]);
        const fd = openSync(join(folder.path, 'fifo'), 'r+');
        atEnd(() => closeSync(fd));
        return [fd];
      }
      case 'a datagram socket': {
        const socket = createDatagramSocket('udp4');
        await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
        atEnd(() => socket.close());
        return [datagramFd(socket)];
      }
      case 'a connection': {
        const opener = await listener({ host: '127.0.0.1', port: 0 });
        return [
          fdOf((await connected({ host: '127.0.0.1', port: (opener.address() as { port: number }).port })).socket),
        ];
      }
      default:
        return [];
    }
  }
});

describe('a server that is not waited for', () => {
  it('does not keep its process alive', async () => {
    const child = childServer({ target: { transport: 'tcp', host: '127.0.0.1', port: 0 }, unref: true });
    await firstLine(child);
    expect((await child.ended()).code).toBe(0);
  });
});
