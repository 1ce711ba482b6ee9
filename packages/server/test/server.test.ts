import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { type Exchange, limitsWith } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { begin, pairs, params, plainGet, request, stdin, temporaryFolder, until } from '@postern/testkit';
import type { LogEntry } from '../src/log.ts';
import { Server } from '../src/server.ts';
import { FakeClock } from './support/fake-clock.ts';
import { connectTo, type Peer } from './support/peer.ts';
import { atEnd, hello, listening, serving, silent, turns } from './support/serving.ts';

const keep = { flags: 1 };
const loopback = { transport: 'tcp', host: '127.0.0.1', port: 0 } as const;

afterEach(() => {
  jest.restoreAllMocks();
});

function folder(): string {
  const { path, remove } = temporaryFolder();
  atEnd(remove);
  return path;
}

async function connected(address: Parameters<typeof connectTo>[0]): Promise<Peer> {
  const peer = await connectTo(address);
  atEnd(() => peer.socket.destroy());
  return peer;
}

describe('maxConnections', () => {
  it('counts over all listeners: one more is refused and logged once a second', async () => {
    const clock = new FakeClock();
    const logs: LogEntry[] = [];
    const server = new Server(silent, {
      limits: limitsWith({ maxConnections: 2 }),
      clock,
      log: (entry) => logs.push(entry),
    });
    atEnd(() => server.closeAll());
    const one = await server.listen(fastcgi, loopback);
    const two = await server.listen(fastcgi, loopback);
    atEnd(() => void server.close(0));
    await connected(one);
    const second = await connected(two);
    await until(
      () => server.connections,
      (count) => count === 2,
    );
    for (const address of [one, two, one]) {
      const refused = await connected(address);
      refused.write(request(plainGet, keep));
      expect((await refused.reply()).stdout).toMatch(/^Status: 503 .*\r\n(.*\r\n)*Retry-After: 1\r\n/);
      await refused.gone();
      refused.socket.destroy();
    }
    await until(
      () => server.connections,
      (count) => count === 2,
    );
    expect(logs).toMatchObject([{ level: 'warn', event: 'limit', code: 'ERR_CONNECTIONS' }]);
    clock.advance(1000);
    const late = await connected(one);
    await until(
      () => logs.length,
      (count) => count === 2,
    );
    late.socket.destroy();
    await until(
      () => server.connections,
      (count) => count === 2,
    );
    // there is room again
    second.socket.destroy();
    await until(
      () => server.connections,
      (count) => count === 1,
    );
    const third = await connected(one);
    await until(
      () => server.connections,
      (count) => count === 2,
    );
    expect(third.ended).toBe(false);
  });
});

describe('close', () => {
  it('closes idle connections at once, and new ones are refused', async () => {
    const { server, address } = await listening(hello, loopback);
    const peer = await connected(address);
    peer.write(request(plainGet, keep));
    await peer.reply();
    const closing = server.close(10_000);
    await peer.when(() => peer.ended);
    peer.socket.end();
    expect(await closing).toBe(true);
    expect(server.connections).toBe(0);
    await expect(connectTo(address)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('does not wait for a peer that only does not close an idle connection', async () => {
    const all = await serving(hello, { limits: { lingerTimeout: 2000 } });
    const peer = await all.connect();
    peer.write(request(plainGet, keep));
    await peer.reply();
    all.clock.advance(5000);
    expect(await all.server.close(30_000)).toBe(true);
    await peer.when(() => peer.ended);
    expect(peer.error).toBeUndefined();
  });

  it('is complete when grace runs out while such a peer is waited for', async () => {
    const all = await serving(hello, { limits: { lingerTimeout: 2000 } });
    const peer = await all.connect();
    peer.write(request(plainGet, keep));
    await peer.reply();
    const closing = all.server.close(1000);
    await peer.when(() => peer.ended);
    all.clock.advance(1000);
    expect(await closing).toBe(true);
  });

  it('lets what runs finish, then closes its connection', async () => {
    const all = await serving(silent);
    const peer = await all.connect();
    peer.write(request(plainGet, keep));
    const exchange = await all.asked();
    const closing = all.server.close(10_000);
    await turns();
    expect(peer.ended).toBe(false);
    const writer = exchange.start(200, 'OK', []);
    writer.write('slow ');
    all.clock.advance(9000);
    writer.write('but sure');
    writer.end();
    expect((await peer.reply()).stdout).toContain('slow but sure');
    await peer.when(() => peer.ended);
    peer.socket.end();
    expect(await closing).toBe(true);
    expect(exchange.signal.aborted).toBe(false);
  });

  it('answers 503 to a request that comes behind it on a connection that is busy', async () => {
    const all = await serving(silent);
    const peer = await all.connect();
    peer.write(request(plainGet, { id: 1, flags: 1 }));
    const exchange = await all.asked();
    void all.server.close(10_000);
    peer.write(request(plainGet, { id: 2, flags: 1 }));
    expect((await peer.reply()).stdout).toMatch(/^Status: 503 /);
    hello(exchange);
    expect((await peer.replies(2))[1].stdout).toContain('hello');
  });

  it('takes an upload that runs to its end', async () => {
    const post = { ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '10' };
    const all = await serving(async (exchange) => exchange.respond(200, 'OK', [], await exchange.input.bytes()));
    const peer = await all.connect();
    peer.write(Buffer.concat([begin(1, 1), params(pairs(post)), params(), stdin('01234')]));
    await all.asked();
    const closing = all.server.close(10_000);
    peer.write(Buffer.concat([stdin('56789'), stdin()]));
    expect((await peer.reply()).stdout).toBe('Status: 200 OK\r\n\r\n0123456789');
    peer.socket.end();
    expect(await closing).toBe(true);
  });

  it('cuts what runs when grace is over: false, the signal fires, and a reply that has begun does not look complete', async () => {
    const all = await serving(silent);
    const peers = [await all.connect(), await all.connect()];
    for (const [i, peer] of peers.entries()) {
      peer.write(request(plainGet, keep));
      await all.asked(i + 1);
    }
    const [waiting, begun] = all.exchanges;
    const reasons: unknown[] = [];
    for (const exchange of [waiting, begun]) exchange.onOver((error) => reasons.push(error));
    const { signal } = waiting;
    begun.start(200, 'OK', []).write('begun');
    await peers[1].when(() => peers[1].text.includes('begun'));
    const closing = all.server.close(3000);
    all.clock.advance(2999);
    expect(signal.aborted).toBe(false);
    all.clock.advance(1);
    expect(await closing).toBe(false);
    expect(signal.reason).toMatchObject({ name: 'AbortError', code: 'ERR_SHUTDOWN' });
    expect(reasons).toMatchObject([{ code: 'ERR_SHUTDOWN' }, { code: 'ERR_SHUTDOWN' }]);
    expect(all.server.connections).toBe(0);
    await peers[1].gone();
    expect(peers[1].error === 'ECONNRESET' || peers[1].text.endsWith('\0\0\0\0\0\0\0\0')).toBe(true);
    expect(all.errors).toEqual([]);
  });

  it('cuts what runs on a unix socket so that it does not look complete', async () => {
    const all = await serving(silent, { path: join(folder(), 's') });
    const peer = await all.connect();
    peer.write(request(plainGet, keep));
    (await all.asked()).start(200, 'OK', []).write('begun');
    await peer.when(() => peer.text.includes('begun'));
    all.server.closeAll();
    await peer.gone();
    expect(peer.text.endsWith('\0\0\0\0\0\0\0\0')).toBe(true);
  });

  it('twice is the same close', async () => {
    const { server } = await listening(hello, loopback);
    const first = server.close();
    expect(server.close(0)).toBe(first);
    expect(await first).toBe(true);
  });

  it('of a server that never listened is complete', async () => {
    expect(await new Server(hello).close()).toBe(true);
  });

  it('while listen is under way leaves nothing open: it rejects with ERR_SHUTDOWN', async () => {
    const server = new Server(hello);
    const path = join(folder(), 's');
    const opening = server.listen(fastcgi, { transport: 'unix', path });
    const refused = expect(opening).rejects.toMatchObject({ name: 'ConfigError', code: 'ERR_SHUTDOWN' });
    expect(await server.close()).toBe(true);
    await refused;
    await expect(connectTo({ path })).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('lets no connection in that is handed over later', async () => {
    const all = await serving(hello);
    await all.server.close();
    const peer = await all.connect();
    await peer.gone();
    expect(all.server.connections).toBe(0);
    expect(all.logs).toEqual([]);
  });
});

describe('closeIdle', () => {
  it('closes the connections on which nothing runs, and no others', async () => {
    const all = await serving(silent);
    const [idle, busy] = [await all.connect(), await all.connect()];
    busy.write(request(plainGet, keep));
    const exchange = await all.asked();
    await until(
      () => all.server.connections,
      (count) => count === 2,
    );
    all.server.closeIdle();
    await idle.when(() => idle.ended);
    expect(busy.ended).toBe(false);
    hello(exchange);
    expect((await busy.reply()).stdout).toContain('hello');
  });
});

describe('onError and log', () => {
  it('that throw do not harm the server, and what they were told is not lost', async () => {
    const printed = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    const server = new Server(
      (exchange: Exchange) => {
        throw new Error(`thrown for ${exchange.head.target}`);
      },
      {
        onError() {
          throw new Error('thrown by onError');
        },
        log() {
          throw new Error('thrown by log');
        },
      },
    );
    const address = await server.listen(fastcgi, loopback);
    atEnd(() => server.close(0));
    const peer = await connected(address);
    peer.write(request(plainGet, keep));
    expect((await peer.reply()).stdout).toMatch(/^Status: 500 /);
    peer.write(Buffer.from('\x02'));
    await peer.gone();
    const other = await connected(address);
    other.write(request(plainGet, keep));
    await other.reply();
    const text = printed.mock.calls.map(([line]) => String(line)).join('');
    printed.mockRestore();
    for (const said of ['thrown for /', 'thrown by onError', 'thrown by log']) expect(text).toContain(said);
  });

  it('without an onError the failure is on stderr', async () => {
    const printed = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    const server = new Server(() => {
      throw new Error('for the operator');
    });
    const address = await server.listen(fastcgi, loopback);
    atEnd(() => server.close(0));
    const peer = await connected(address);
    peer.write(request(plainGet, keep));
    await peer.reply();
    const text = printed.mock.calls.map(([line]) => String(line)).join('');
    printed.mockRestore();
    expect(text).toMatch(/^ERR_APP_ERROR: GET \/ Error: for the operator\n/);
  });
});
