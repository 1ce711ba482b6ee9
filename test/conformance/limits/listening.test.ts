import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type LimitName, limitCounts, limitsWith, limitTable } from '@postern/core';
import { Server } from '@postern/server';
import { plainGet, request, temporaryFolder, until } from '@postern/testkit';
import { createServer, serve } from 'postern';
import { connectTo } from '../../../packages/server/test/support/peer.ts';
import { atEnd, hello } from '../../../packages/server/test/support/serving.ts';
import { served } from './limited.ts';

const names = Object.keys(limitTable) as LimitName[];

function server(): Server {
  const one = new Server(hello, { log: () => {} });
  atEnd(() => one.close(0));
  return one;
}

function folder(): string {
  const { path, remove } = temporaryFolder();
  atEnd(remove);
  return path;
}

describe('where is listened', () => {
  it('L2: more connections than are accepted at once wait in the queue of the system', async () => {
    const one = server();
    const address = await one.listen(served.fastcgi, { transport: 'tcp', host: '127.0.0.1', port: 0 });
    const peers = await Promise.all(Array.from({ length: 300 }, () => connectTo(address)));
    atEnd(() => {
      for (const { socket } of peers) socket.destroy();
    });
    for (const peer of peers) peer.write(request(plainGet));
    for (const peer of peers) expect((await peer.reply()).stdout).toMatch(/^Status: 200 /);
  });

  it('L32: a unix socket has mode 0660', async () => {
    const path = join(folder(), 'app.sock');
    await server().listen(served.fastcgi, { transport: 'unix', path });
    expect(statSync(path).mode & 0o777).toBe(0o660);
  });

  it('L32: a path of 107 bytes is taken, a longer one is refused before anything is bound', async () => {
    const base = folder();
    const path = (bytes: number): string => join(base, 'x'.repeat(bytes - base.length - 1));
    for (const bytes of [106, 107]) await server().listen(served.fastcgi, { transport: 'unix', path: path(bytes) });
    for (const bytes of [108, 5000]) {
      await expect(server().listen(served.fastcgi, { transport: 'unix', path: path(bytes) })).rejects.toMatchObject({
        code: 'ERR_SOCKET_PATH',
      });
    }
  });

  it.each(['fastcgi', 'scgi', 'uwsgi', 'ajp'] as const)(
    'L33: %s off loopback is refused without allow',
    async (protocol) => {
      const anywhere = { transport: 'tcp', host: '0.0.0.0', port: 0 } as const;
      await expect(server().listen(served[protocol], anywhere)).rejects.toMatchObject({ code: 'ERR_ADDRESS_OPEN' });
      await server().listen(served[protocol], { ...anywhere, allow: ['192.0.2.0/24'] });
      await server().listen(served[protocol], { ...anywhere, host: '127.0.0.1' });
    },
  );

  it('L33: a peer that allow does not name is closed and counted', async () => {
    const one = server();
    const allow = ['192.0.2.0/24'];
    const address = await one.listen(served.fastcgi, { transport: 'tcp', host: '127.0.0.1', port: 0, allow });
    const peer = await connectTo(address);
    await peer.gone();
    expect(peer.size).toBe(0);
    expect(one.stats().connections).toEqual({ open: 0, accepted: 0, refused: 1 });
  });

  it('L33: AJP off loopback starts with a secret', async () => {
    const anywhere = { transport: 'tcp', host: '0.0.0.0', port: 0 } as const;
    await server().listen(served.ajp, anywhere, { secret: 'a secret of some length' });
  });
});

describe('what can be set', () => {
  it.each(names.map((name) => [limitTable[name].row, name]))(
    '%s: %s is no fraction, not negative, not infinite, and 0 only where that has a meaning',
    (_, given) => {
      const name = given as LimitName;
      const { ceiling, zero }: { ceiling: number; zero?: string } = limitTable[name];
      for (const value of [Number.POSITIVE_INFINITY, Number.NaN, -1, 1.5, ceiling + 1, 2 ** 60])
        expect(() => limitsWith({ [name]: value })).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
      expect(limitsWith({ [name]: ceiling })[name]).toBe(ceiling);
      if (zero === undefined) expect(() => limitsWith({ [name]: 0 })).toThrow();
      else expect(limitsWith({ [name]: 0 })[name]).toBe(0);
    },
  );

  it('every limit has a counter, and all of them begin at 0', () => {
    const counts = limitCounts();
    expect(server().stats().limits).toEqual(counts);
    expect(Object.keys(counts).sort()).toEqual([...names, 'packetSize'].sort());
    expect(new Set(Object.values(counts))).toEqual(new Set([0]));
  });

  it('the counters are there in what serve and createServer give', async () => {
    const app = (): { status: number; headers: object; body: string } => ({ status: 200, headers: {}, body: 'hello' });
    const serving = await serve(app, { interface: 'environ', listen: 'fastcgi://127.0.0.1:0', limits: { maxBody: 5 } });
    atEnd(() => serving.close(0));
    const peer = await connectTo({ host: '127.0.0.1', port: Number(new URL(serving.addresses[0]).port) });
    atEnd(() => peer.socket.destroy());
    peer.write(request({ ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '6' }, { body: 'sixsix' }));
    expect((await peer.reply()).stdout).toMatch(/^Status: 413 /);
    expect(serving.stats()).toMatchObject({
      connections: { accepted: 1, refused: 0 },
      requests: { begun: 1, running: 0 },
      limits: { maxBody: 1, maxEnvBytes: 0 },
    });
    const gateway = createServer();
    expect(gateway.stats()).toBeUndefined();
    gateway.listen(0);
    atEnd(() => gateway.close());
    await until(
      () => gateway.listening,
      (listening) => listening,
    );
    expect(gateway.stats()?.connections).toEqual({ open: 0, accepted: 0, refused: 0 });
  });
});
