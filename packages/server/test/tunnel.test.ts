import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { Exchange, Handler, Tunnel } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { scgi } from '@postern/scgi';
import { begin, pairs, params, plainGet, stdin, until } from '@postern/testkit';
import { TICK } from '../src/watchdog.ts';
import type { Peer } from './support/peer.ts';
import { type ServeOptions, type Serving, serving, turns } from './support/serving.ts';

const wish = { ...plainGet, HTTP_UPGRADE: 'echo', HTTP_CONNECTION: 'upgrade' };

/** As nginx sends it. */
function asking(more: Record<string, string> = {}): Buffer {
  const flat = Object.entries({ CONTENT_LENGTH: '0', SCGI: '1', ...wish, ...more }).flat();
  const block = flat.map((text) => `${text}\0`).join('');
  return Buffer.from(`${block.length}:${block},`, 'latin1');
}

const SWITCHED = 'Status: 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n';
/** The system's buffers between two sockets, and everything of ours. */
const BUFFERED = 16 * 1024 * 1024;

interface Tunnelled {
  readonly all: Serving;
  readonly peer: Peer;
  readonly exchange: Exchange;
  readonly tunnel: Tunnel;
  /** Events of the tunnel, and of its exchange. */
  readonly events: string[];
}

async function tunnelled(options: ServeOptions = {}, bytes = asking()): Promise<Tunnelled> {
  let tunnel: Tunnel | undefined;
  const events: string[] = [];
  const all = await serving(
    (exchange) => {
      tunnel = exchange.upgrade(101, []);
      exchange.onOver((error) => events.push(error === undefined ? 'over' : `over ${error.name}`));
    },
    { protocol: scgi, ...options },
  );
  const peer = await all.connect();
  peer.write(bytes);
  const exchange = await all.asked();
  await until(
    () => tunnel,
    (one) => one !== undefined,
  );
  const opened = tunnel as Tunnel;
  for (const name of ['end', 'finish', 'close']) opened.on(name, () => events.push(name));
  opened.on('error', (error: NodeJS.ErrnoException) => events.push(`error ${error.code}`));
  return { all, peer, exchange, tunnel: opened, events };
}

function over(list: readonly string[]): Promise<unknown> {
  return until(
    () => list.includes('close') && list.some((event) => event.startsWith('over')),
    (is) => is,
  );
}

function connectionsOf({ server }: Serving): Promise<number> {
  return until(
    () => server.connections,
    (count) => count === 0,
  );
}

describe('a tunnel', () => {
  it('carries bytes both ways', async () => {
    const { peer, tunnel, exchange } = await tunnelled();
    expect([exchange.started, exchange.over]).toEqual([true, false]);
    tunnel.on('data', (chunk) => tunnel.write(`<${chunk}>`));
    await peer.when(() => peer.text === SWITCHED);
    peer.write(Buffer.from('one'));
    await peer.when(() => peer.text === `${SWITCHED}<one>`);
    peer.write(Buffer.from('two'));
    await peer.when(() => peer.text === `${SWITCHED}<one><two>`);
  });

  it('ends both ways when the peer ends and the application says the same', async () => {
    const { all, peer, tunnel, events } = await tunnelled();
    tunnel.on('end', () => tunnel.end('bye'));
    tunnel.resume();
    peer.socket.end();
    await peer.when(() => peer.ended);
    expect(peer.text).toBe(`${SWITCHED}bye`);
    await over(events);
    expect(events).toEqual(['end', 'over', 'finish', 'close']);
    await connectionsOf(all);
    expect(all.errors).toEqual([]);
  });

  it('that the application ends is read on until the peer ends too', async () => {
    const { all, peer, tunnel, events } = await tunnelled();
    let heard = '';
    tunnel.on('data', (chunk) => {
      heard += chunk;
    });
    tunnel.end('last');
    await peer.when(() => peer.ended);
    expect(peer.text).toBe(`${SWITCHED}last`);
    peer.write(Buffer.from('still here'));
    await until(
      () => heard,
      (text) => text === 'still here',
    );
    peer.socket.end();
    await over(events);
    expect([events[0], events.slice(1, 3).sort(), events[3]]).toEqual(['finish', ['end', 'over'], 'close']);
    await connectionsOf(all);
  });

  it('that the application destroys ends cleanly behind what was written', async () => {
    const { peer, tunnel, events } = await tunnelled();
    tunnel.write('last');
    tunnel.destroy();
    await peer.when(() => peer.ended);
    expect([peer.text, peer.error]).toEqual([`${SWITCHED}last`, undefined]);
    peer.socket.end();
    await over(events);
    expect(events).toEqual(['over', 'close']);
  });

  it('that the application destroys with an error is reset', async () => {
    const { all, peer, tunnel, events } = await tunnelled();
    await peer.when(() => peer.text === SWITCHED);
    tunnel.destroy(new Error('no more'));
    await peer.gone();
    expect(peer.error).toBe('ECONNRESET');
    await over(events);
    expect(events).toEqual(['over AbortError', 'error undefined', 'close']);
    await connectionsOf(all);
  });

  it('that the peer resets breaks', async () => {
    const { all, peer, exchange, events } = await tunnelled();
    const { signal } = exchange;
    await peer.when(() => peer.text === SWITCHED);
    peer.socket.resetAndDestroy();
    await over(events);
    expect(events).toEqual(['over AbortError', 'error ECONNRESET', 'close']);
    expect(signal.aborted).toBe(true);
    await connectionsOf(all);
    expect(all.errors).toEqual([]);
  });

  it('that breaks where nobody listens takes nothing down', async () => {
    const { all, peer, tunnel } = await tunnelled();
    tunnel.removeAllListeners('error');
    await peer.when(() => peer.text === SWITCHED);
    peer.socket.resetAndDestroy();
    // `once` would listen for errors
    await new Promise((resolve) => tunnel.on('close', resolve));
    await connectionsOf(all);
  });

  it('whose listener throws is cut, and the operator is told', async () => {
    const { all, peer, tunnel } = await tunnelled();
    const error = new Error('thrown');
    tunnel.on('data', () => {
      throw error;
    });
    await peer.when(() => peer.text === SWITCHED);
    await turns();
    peer.write(Buffer.from('x'));
    await peer.gone();
    expect(all.errors.map((told) => told.error)).toEqual([error]);
  });

  it('that is not read stops the peer', async () => {
    const { peer, tunnel } = await tunnelled();
    const { socket } = peer;
    const piece = Buffer.alloc(65_536);
    let sent = 0;
    let quiet = 0;
    // until the system takes no more for a while
    while (quiet < 20 && sent < 2 * BUFFERED) {
      if (socket.writableLength < piece.length) {
        socket.write(piece);
        sent += piece.length;
        quiet = 0;
      } else quiet++;
      await turns(10);
    }
    expect(sent).toBeLessThan(BUFFERED);
    expect(tunnel.readableLength).toBeLessThanOrEqual(3 * 65_536);
    let read = 0;
    tunnel.on('data', (chunk) => {
      read += chunk.length;
    });
    socket.end();
    await once(tunnel, 'end');
    expect(read).toBe(sent);
  });

  it('whose peer does not read stops the application, which drains when it does', async () => {
    const { peer, tunnel } = await tunnelled();
    peer.socket.pause();
    const piece = Buffer.alloc(65_536, 'x');
    let sent = 0;
    let quiet = 0;
    while (quiet < 20 && sent < 2 * BUFFERED) {
      if (tunnel.writableNeedDrain) quiet++;
      else {
        tunnel.write(piece);
        sent += piece.length;
        quiet = 0;
      }
      await turns(10);
    }
    expect(sent).toBeLessThan(BUFFERED);
    tunnel.end();
    peer.socket.resume();
    await peer.when(() => peer.ended);
    expect(peer.size).toBe(SWITCHED.length + sent);
  });

  it('may use the memory of a write again when it is told that it is gone', async () => {
    const { peer, tunnel } = await tunnelled();
    peer.socket.pause();
    for (const [byte, length] of [
      ['a', 1000],
      ['b', 5_000_000],
      ['c', 10],
    ] as const) {
      const chunk = Buffer.alloc(length, byte);
      tunnel.write(chunk, () => chunk.fill('!'));
      await turns();
    }
    tunnel.end();
    peer.socket.resume();
    await peer.when(() => peer.ended);
    const text = peer.text.slice(SWITCHED.length);
    expect(text === `${'a'.repeat(1000)}${'b'.repeat(5_000_000)}${'c'.repeat(10)}`).toBe(true);
  });

  it('is cut by no clock, whatever is silent', async () => {
    const { all, peer, exchange, tunnel } = await tunnelled();
    await peer.when(() => peer.text === SWITCHED);
    const { limits } = all.server;
    const longest = Math.max(limits.keepAliveTimeout, limits.appTimeout, limits.bodyIdleTimeout, limits.headersTimeout);
    all.clock.advance(10 * longest);
    all.server.closeIdle();
    await turns();
    expect([exchange.over, all.logs]).toEqual([false, []]);
    tunnel.write('alive');
    await peer.when(() => peer.text === `${SWITCHED}alive`);
  });

  it('whose peer reads nothing is cut behind writeTimeout', async () => {
    const { all, peer, tunnel, events } = await tunnelled({ limits: { writeTimeout: 5000 } });
    peer.socket.pause();
    tunnel.write(Buffer.alloc(BUFFERED));
    await turns();
    all.clock.advance(TICK);
    all.clock.advance(5000 + 2 * TICK);
    await over(events);
    expect(events).toEqual(['over AbortError', 'error ECONNRESET', 'close']);
    expect(all.logs).toMatchObject([{ code: 'ERR_TIMEOUT_WRITE' }]);
  });

  it('keeps a server that closes waiting for the grace, and is cut then', async () => {
    const { all, peer, events } = await tunnelled();
    await peer.when(() => peer.text === SWITCHED);
    const closed = all.server.close(5000);
    await turns();
    expect(events).toEqual([]);
    all.clock.advance(5000);
    expect(await closed).toBe(false);
    await over(events);
    expect(events).toEqual(['over AbortError', 'error ECONNRESET', 'close']);
    await peer.gone();
  });

  it('lets a server close that the application ends in time', async () => {
    const { all, peer, tunnel } = await tunnelled();
    const closed = all.server.close(5000);
    tunnel.destroy();
    await peer.when(() => peer.ended);
    peer.socket.end();
    expect(await closed).toBe(true);
  });

  it('over FastCGI does not keep its neighbours waiting when it is read', async () => {
    const open = (id: number): Buffer => Buffer.concat([begin(id, 1), params(pairs(wish), id), params('', id)]);
    const tunnels: Tunnel[] = [];
    const all = await serving((exchange) => void tunnels.push(exchange.upgrade(101, []) as Tunnel), {
      protocol: fastcgi,
    });
    const peer = await all.connect();
    peer.write(Buffer.concat([open(1), open(2), stdin('one', 1), stdin('two', 2)]));
    await all.asked(2);
    const heard = ['', ''];
    tunnels.forEach((tunnel, i) => {
      tunnel.on('data', (chunk) => {
        heard[i] += chunk;
      });
    });
    await until(
      () => heard.join(),
      (text) => text === 'one,two',
    );
    tunnels[0].destroy();
    await peer.replies(1);
    peer.write(stdin('on', 2));
    await until(
      () => heard[1],
      (text) => text === 'twoon',
    );
  });

  it('over FastCGI that is never read is cut behind stallTimeout, and its neighbour goes on', async () => {
    const open = (id: number): Buffer => Buffer.concat([begin(id, 1), params(pairs(wish), id), params('', id)]);
    const tunnels: Tunnel[] = [];
    const limits = { sharedBodyHighWater: 131_072 };
    const all = await serving((exchange) => void tunnels.push(exchange.upgrade(101, []) as Tunnel), {
      protocol: fastcgi,
      limits,
    });
    const peer = await all.connect();
    peer.write(Buffer.concat([open(1), open(2)]));
    await all.asked(2);
    let heard = '';
    tunnels[1].on('data', (chunk) => {
      heard += chunk;
    });
    for (let i = 0; i < 10; i++) peer.write(stdin(Buffer.alloc(65_528), 1));
    peer.write(stdin('behind it', 2));
    await until(
      () => tunnels[0].readableLength,
      (waiting) => waiting >= limits.sharedBodyHighWater,
    );
    await turns(50);
    expect(heard).toBe('');
    all.clock.advance(all.server.limits.stallTimeout + 3 * TICK);
    await until(
      () => heard,
      (text) => text === 'behind it',
    );
    expect(tunnels.map(({ destroyed }) => destroyed)).toEqual([true, false]);
    expect(all.logs).toMatchObject([{ code: 'ERR_TIMEOUT_STALL', id: 1 }]);
  });
});

describe('an upgrade', () => {
  const nginx = { SERVER_SOFTWARE: 'nginx/1.22.1' };
  const upgrading: Handler = (exchange) => {
    expect(exchange.upgrade(101, [])).toBeUndefined();
  };

  it('that the web server does not carry is a 501, and the log says once what is missing', async () => {
    const all = await serving(upgrading);
    for (let i = 0; i < 2; i++) {
      const peer = await all.connect();
      peer.write(Buffer.concat([begin(1, 0), params(pairs({ ...wish, ...nginx })), params(), stdin()]));
      const { stdout } = await peer.reply();
      expect(stdout).toMatch(/^Status: 501 Not Implemented\r\n.*does not carry upgrades such as WebSocket\n$/s);
    }
    expect(all.logs).toMatchObject([
      { level: 'warn', code: 'ERR_UPGRADE', message: expect.stringContaining('scgi_pass') },
    ]);
    expect(all.errors).toEqual([]);
  });

  it('goes by the web server that the address names', async () => {
    const all = await serving(upgrading, { peer: { peer: 'caddy' } });
    const peer = await all.connect();
    peer.write(Buffer.concat([begin(1, 0), params(pairs(wish)), params(), stdin()]));
    expect((await peer.reply()).stdout).toMatch(/^Status: 501 /);
    expect(all.logs[0].message).toContain('Caddy');
  });

  it('is told beforehand whether it can be had', async () => {
    const seen: boolean[] = [];
    const look: Handler = (exchange) => {
      seen.push(exchange.upgradable);
      exchange.respond(200, 'OK', [], null);
      seen.push(exchange.upgradable);
    };
    const all = await serving(look, { protocol: scgi });
    for (const bytes of [
      asking(),
      asking({ HTTP_CONNECTION: 'close' }),
      asking({ SERVER_SOFTWARE: 'Apache/2.4.71' }),
    ]) {
      const peer = await all.connect();
      peer.write(bytes);
      await peer.gone();
    }
    expect(seen).toEqual([true, false, false, false, false, false]);
    expect(all.logs.map(({ code }) => code)).toEqual(['ERR_UPGRADE']);
  });

  it.each([
    ['of a request that asks for none', asking({ HTTP_CONNECTION: 'close' }), 101, 'ERR_UPGRADE'],
    ['with another status', asking(), 200, 'ERR_UPGRADE'],
  ])('%s is the error of the application', async (_, bytes, status, code) => {
    const all = await serving((exchange) => void exchange.upgrade(status, []), { protocol: scgi });
    const peer = await all.connect();
    peer.write(bytes);
    await peer.gone();
    expect(peer.text).toMatch(/^Status: 500 /);
    expect(all.errors).toMatchObject([{ error: { code } }]);
  });

  it('with a header that cannot be sent is the error of the application, and nothing is sent of it', async () => {
    const all = await serving((exchange) => void exchange.upgrade(101, ['A', 'b\r\nC: d']), { protocol: scgi });
    const peer = await all.connect();
    peer.write(asking());
    await peer.gone();
    expect(peer.text).toMatch(/^Status: 500 /);
  });

  it('comes once, and in the place of a reply', async () => {
    const { exchange } = await tunnelled();
    for (const again of [() => exchange.upgrade(101, []), () => exchange.respond(200, 'OK', [], null)])
      expect(again).toThrow(expect.objectContaining({ code: 'ERR_HEADERS_SENT' }));
  });

  it('of a client that has left gives nothing', async () => {
    const all = await serving(() => {}, { protocol: scgi });
    const peer = await all.connect();
    peer.write(asking());
    const exchange = await all.asked();
    peer.socket.resetAndDestroy();
    await until(
      () => exchange.over,
      (is) => is,
    );
    expect(exchange.upgrade(101, [])).toBeUndefined();
  });
});
