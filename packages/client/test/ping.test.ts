import { afterEach, describe, expect, it } from '@jest/globals';
import { ajp } from '@postern/ajp';
import { environHandler } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { Server } from '@postern/server';
import { type ConnectTarget, ping } from '../src/index.ts';
import { cleanUp, scripted } from './back-ends.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close(0);
  await cleanUp();
});

async function alive(): Promise<ConnectTarget> {
  const server = new Server(
    environHandler(() => ({ status: 200 })),
    { log: () => {} },
  );
  servers.push(server);
  return (await server.listen(ajp, { transport: 'tcp', host: '127.0.0.1', port: 0 })) as ConnectTarget;
}

describe('ping', () => {
  it('tells how long an AJP back-end took to answer, on a connection that is closed then', async () => {
    const milliseconds = await ping(ajp, await alive());
    expect(milliseconds).toBeGreaterThan(0);
    expect(milliseconds).toBeLessThan(5000);
    const [server] = servers;
    while (server.connections > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it('tells that nobody listens, closes at once, or answers nothing in time', async () => {
    await expect(ping(ajp, { transport: 'unix', path: '/nowhere/app.sock' })).rejects.toMatchObject({
      code: 'ERR_ADDRESS_UNAVAILABLE',
    });
    const closing = await scripted((socket) => socket.once('data', () => socket.destroy()));
    await expect(ping(ajp, closing)).rejects.toMatchObject({ code: 'ERR_REPLY' });
    const silent = await scripted((socket) => socket.resume());
    await expect(ping(ajp, silent, { timeout: 20 })).rejects.toMatchObject({
      code: 'ERR_ADDRESS_UNAVAILABLE',
      message: expect.stringContaining('no answer to a ping within 20 ms'),
    });
  });

  it('tells that the answer is something else', async () => {
    const odd = await scripted((socket) => socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\n')));
    await expect(ping(ajp, odd)).rejects.toMatchObject({ name: 'RemoteProtocolError' });
    const reply = Buffer.from([0x41, 0x42, 0, 2, 5, 1]);
    const early = await scripted((socket) => socket.once('data', () => socket.write(reply)));
    await expect(ping(ajp, early)).rejects.toMatchObject({ name: 'RemoteProtocolError' });
  });

  it('can be given up', async () => {
    const silent = await scripted((socket) => socket.resume());
    const controller = new AbortController();
    const asked = ping(ajp, silent, { signal: controller.signal });
    controller.abort();
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('is no question of FastCGI', async () => {
    await expect(ping(fastcgi, await alive())).rejects.toMatchObject({ name: 'LocalProtocolError' });
  });
});
