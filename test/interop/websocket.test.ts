import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { io } from 'socket.io-client';
import { parseAddress } from '../../packages/postern/src/address.ts';
import { nginxConfig } from '../../packages/postern/src/config/nginx.ts';
import {
  type Child,
  type FrontEnd,
  http,
  portOf,
  servePostern,
  startLighttpd,
  startNginx,
  until,
  writeProgram,
} from '../../packages/testkit/src/index.ts';
import { type Sites, startSites, type Way, ways } from './sites.ts';
import { echoAll, ended, openSocket, refusal, sizes } from './websocket-clients.ts';

const ECHO = 'test/fixtures/websocket/echo.mjs';
const MIB = 1024 * 1024;
const MESSAGES = 10_000;
/** What an app may take more while thousands of messages go through it, in MiB: what waits for the garbage collector too. */
const ROOM = 100;
/** A side that is killed must be heard of so soon, in milliseconds, on a machine that is busy with others. */
const SOON = 3000;

interface Memory {
  readonly rss: number;
  readonly external: number;
  readonly clients: number;
}

interface Site {
  readonly app: Child;
  readonly nginx: FrontEnd;
  readonly port: number;
  readonly url: string;
  stop(): Promise<void>;
}

/** An app behind nginx, as `postern config` has it. */
async function behindNginx(protocol: string, app = ECHO): Promise<Site> {
  const { child, addresses } = await servePostern(app, [`${protocol}://127.0.0.1:0`]);
  const { target } = parseAddress(addresses[0], 'connect');
  const nginx = await startNginx((port) =>
    nginxConfig(protocol, target).replace('listen 80;', `listen 127.0.0.1:${port};`),
  );
  return {
    app: child,
    nginx,
    port: nginx.port,
    url: `ws://127.0.0.1:${nginx.port}`,
    async stop() {
      await nginx.stop();
      await child.stop();
    },
  };
}

async function memoryOf(port: number): Promise<Memory> {
  return JSON.parse((await http({ port })).text) as Memory;
}

/** The descriptors that a process has open. */
function descriptors({ process: { pid } }: Child): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function workersOf({ process: { pid } }: Child): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').map(Number);
}

describe.each(['scgi', 'uwsgi', 'http'])('the npm package ws, unmodified, behind nginx over %s', (protocol) => {
  let site: Site;
  beforeAll(async () => {
    site = await behindNginx(protocol);
  });
  afterAll(() => site.stop());

  it(`echoes ${MESSAGES} messages of 1 byte to 1 MB, and memory stays level`, async () => {
    const client = await openSocket(`${site.url}/echo`);
    // what is loaded and grown once does not count
    await echoAll(client, sizes(500));
    client.removeAllListeners('message').removeAllListeners('close');
    const before = await memoryOf(site.port);
    const most = { rss: 0, external: 0 };
    let running = true;
    const watching = (async () => {
      while (running) {
        const { rss, external } = await memoryOf(site.port);
        most.rss = Math.max(most.rss, rss - before.rss);
        most.external = Math.max(most.external, external - before.external);
      }
    })();
    const bytes = await echoAll(client, sizes(MESSAGES));
    running = false;
    await watching;
    expect(bytes).toBeGreaterThan(500 * MIB);
    expect(most.rss / MIB).toBeLessThan(ROOM);
    expect(most.external / MIB).toBeLessThan(ROOM);
    client.removeAllListeners('close').close();
    await site.app.said(/closed \/echo 1005/);
  }, 120_000);

  it('tells the app who the client is', async () => {
    const client = await openSocket(`${site.url}/who`);
    await site.app.said(/open \/who from 127\.0\.0\.1/);
    client.close();
    await ended(client);
  });

  it('carries close codes and reasons both ways', async () => {
    const client = await openSocket(`${site.url}/by-client`);
    client.close(4001, 'enough');
    expect(await ended(client)).toEqual({ code: 4001, reason: 'enough' });
    await site.app.said(/closed \/by-client 4001 enough/);

    const other = await openSocket(`${site.url}/by-app`);
    other.send('close 4002 no more');
    expect(await ended(other)).toEqual({ code: 4002, reason: 'no more' });
    await site.app.said(/closed \/by-app 4002 no more/);
  });

  it('closes for a message that is too long, with the code of ws', async () => {
    const client = await openSocket(`${site.url}/too-long`);
    client.send(Buffer.alloc(3_000_000));
    expect((await ended(client)).code).toBe(1009);
  });

  it('tells the app that the client was killed', async () => {
    const client = await openSocket(`${site.url}/killed`);
    const since = performance.now();
    client.terminate();
    await site.app.said(/closed \/killed 1006/);
    expect(performance.now() - since).toBeLessThan(SOON);
  });

  it('tells the app that the client ended its half', async () => {
    const socket = connect(site.port, '127.0.0.1');
    socket.write(
      `GET /half HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    );
    await once(socket, 'data');
    socket.end();
    socket.resume();
    await site.app.said(/closed \/half 1006/);
    await until(
      () => socket.closed,
      (is) => is,
      SOON,
    );
  });

  it('lets the app find by pings that a client is gone, and keep one that answers', async () => {
    const deaf = await openSocket(`${site.url}/pinged`, { autoPong: false });
    const answering = await openSocket(`${site.url}/pinged`);
    expect((await ended(deaf)).code).toBe(1006);
    expect(answering.readyState).toBe(answering.OPEN);
    answering.close();
    await ended(answering);
  });

  it('leaves nothing behind', async () => {
    await until(
      () => memoryOf(site.port),
      ({ clients }) => clients === 0,
    );
    const before = descriptors(site.app);
    for (let i = 0; i < 50; i++) {
      const client = await openSocket(`${site.url}/many`);
      if (i % 2 === 0) client.terminate();
      else client.close();
      await ended(client);
    }
    await until(
      () => descriptors(site.app),
      (count) => count <= before,
    );
    expect((await memoryOf(site.port)).clients).toBe(0);
    expect(site.app.output()).not.toMatch(/^(?:warn|error event|ERR_)/m);
  });

  it('still answers ordinary requests', async () => {
    expect((await http({ port: site.port })).status).toBe(200);
  });
});

describe.each(['scgi', 'uwsgi'])('behind nginx over %s', (protocol) => {
  it('a client hears that the app was killed', async () => {
    const site = await behindNginx(protocol);
    const client = await openSocket(site.url);
    const since = performance.now();
    const closed = ended(client);
    await site.app.stop('SIGKILL');
    expect((await closed).code).toBe(1006);
    expect(performance.now() - since).toBeLessThan(SOON);
    await site.stop();
  });

  it('client and app hear that nginx was killed', async () => {
    const site = await behindNginx(protocol);
    const client = await openSocket(`${site.url}/orphan`);
    const since = performance.now();
    const closed = ended(client);
    for (const worker of workersOf(site.nginx.child)) process.kill(worker, 'SIGKILL');
    expect((await closed).code).toBe(1006);
    await site.app.said(/closed \/orphan 1006/);
    expect(performance.now() - since).toBeLessThan(SOON);
    await site.stop();
  });

  it('the app stops within its grace, and a client that is still there hears it', async () => {
    const { child, addresses } = await servePostern(ECHO, [`${protocol}://127.0.0.1:0`], {
      flags: ['--grace', '300ms'],
    });
    const nginx = await startNginx((port) =>
      nginxConfig(protocol, parseAddress(addresses[0], 'connect').target).replace(
        'listen 80;',
        `listen 127.0.0.1:${port};`,
      ),
    );
    const client = await openSocket(`ws://127.0.0.1:${nginx.port}`);
    const closed = ended(client);
    expect((await child.stop()).code).toBe(1);
    expect((await closed).code).toBe(1006);
    await nginx.stop();
  });

  it('Socket.IO begins by polling and upgrades to WebSocket', async () => {
    const site = await behindNginx(protocol, 'test/fixtures/websocket/socket-io.mjs');
    const socket = io(`http://127.0.0.1:${site.port}`, { reconnection: false });
    await once(socket as never, 'connect');
    const { engine } = socket.io;
    if (engine.transport.name !== 'websocket') await once(engine as never, 'upgrade');
    expect(engine.transport.name).toBe('websocket');
    await site.app.said(/upgraded to websocket/);
    const value = { text: 'ä', bytes: Buffer.alloc(200_000, 7) };
    const back = (await socket.timeout(5000).emitWithAck('echo', value)) as typeof value;
    expect([back.text, Buffer.compare(back.bytes, value.bytes)]).toEqual(['ä', 0]);
    // pings of half a second go both ways meanwhile
    const pings: string[] = [];
    engine.on('ping', () => pings.push('ping'));
    await until(
      () => pings.length,
      (count) => count >= 2,
    );
    expect(socket.connected).toBe(true);
    socket.disconnect();
    await site.app.said(/left: client namespace disconnect/);
    await site.stop();
  });
});

describe('where a WebSocket cannot be carried', () => {
  it('nginx over FastCGI gives the client a 501, and the log says what to change', async () => {
    const site = await behindNginx('fastcgi');
    const { status, text } = await refusal(site.url);
    expect([status, text]).toEqual([501, expect.stringContaining('does not carry upgrades')]);
    await refusal(site.url);
    expect(site.app.output().match(/ERR_UPGRADE/g)).toEqual(['ERR_UPGRADE']);
    expect(site.app.output()).toMatch(
      /ERR_UPGRADE .* nginx carries none over fastcgi_pass: use scgi_pass or uwsgi_pass/,
    );
    await site.stop();
  });
});

/** Ways that `postern config` prints, and what becomes of a WebSocket on them. */
const others: [name: string, becomes: 'carried' | 'refused' | 'not asked for'][] = [
  ['apache over http', 'carried'],
  ['lighttpd over http', 'carried'],
  ['caddy over http', 'carried'],
  ['haproxy over http', 'carried'],
  ['apache over fastcgi', 'refused'],
  ['apache over scgi', 'refused'],
  ['apache over uwsgi', 'refused'],
  ['apache over ajp', 'refused'],
  ['apache with mod_cgid', 'refused'],
  ['lighttpd over fastcgi', 'refused'],
  ['lighttpd over scgi', 'refused'],
  ['lighttpd over ajp', 'refused'],
  ['caddy over fastcgi', 'refused'],
  // it takes Upgrade out of what it sends, and so does lighttpd where cgi.upgrade is off
  ['haproxy over fastcgi', 'not asked for'],
  ['lighttpd with mod_cgi', 'not asked for'],
];

describe('behind other web servers', () => {
  const chosen = others.map(([name]) => ways.find((way) => way.name === name) as Way);
  let sites: Sites;
  beforeAll(async () => {
    sites = await startSites(ECHO, chosen);
  }, 60_000);
  afterAll(() => sites.stop());

  it.each(others)('%s a WebSocket is %s', async (name, becomes) => {
    const url = `ws://127.0.0.1:${sites.ports[others.findIndex((other) => other[0] === name)]}/`;
    if (becomes === 'carried') {
      const client = await openSocket(url);
      await echoAll(client, sizes(50));
      client.removeAllListeners('close').close(4005, 'done');
      expect(await ended(client)).toEqual({ code: 4005, reason: 'done' });
    } else expect((await refusal(url)).status).toBe(becomes === 'refused' ? 501 : 200);
  });
});

describe('without nginx', () => {
  it('over HTTP ws gets the socket of Node itself', async () => {
    const { child, addresses } = await servePostern(ECHO, ['http://127.0.0.1:0']);
    const client = await openSocket(`ws://127.0.0.1:${portOf(addresses[0])}/direct`);
    await echoAll(client, sizes(300));
    client.removeAllListeners('close').close(4003);
    await child.said(/closed \/direct 4003/);
    expect((await child.stop()).code).toBe(0);
  });

  it("lighttpd's CGI carries it with cgi.upgrade, a process each", async () => {
    const lighttpd = await startLighttpd((_, folder) => {
      writeProgram(join(folder, 'app.cgi'), ECHO);
      return 'server.modules += ( "mod_cgi" )\ncgi.assign = ( ".cgi" => "" )\ncgi.upgrade = "enable"';
    });
    const url = `ws://127.0.0.1:${lighttpd.port}/app.cgi`;
    const client = await openSocket(url);
    await echoAll(client, sizes(300));
    client.removeAllListeners('close').close(4004, 'done');
    expect(await ended(client)).toEqual({ code: 4004, reason: 'done' });
    await lighttpd.child.said(/closed \/app\.cgi 4004 done/);
    const killed = await openSocket(url);
    killed.terminate();
    await until(
      () => workersOf(lighttpd.child).filter((pid) => pid > 0),
      (processes) => processes.length === 0,
    );
    await lighttpd.stop();
  });
});
