import { afterEach, describe, expect, it } from '@jest/globals';
import { fastcgi } from '@postern/fastcgi';
import { scgi } from '@postern/scgi';
import { getValues } from '../src/index.ts';
import { cleanUp, scripted, serveApp } from './back-ends.ts';

afterEach(cleanUp);

describe('getValues', () => {
  it('tells what our own server says of itself, on a connection that is closed then', async () => {
    const limits = { maxConnections: 10, maxConcurrentPerConnection: 20 };
    const { target, server } = await serveApp(() => ({ status: 200 }), { limits });
    const { values, atOnce } = await getValues(fastcgi, target);
    expect(Object.fromEntries(values)).toEqual({ FCGI_MAX_CONNS: '10', FCGI_MAX_REQS: '20', FCGI_MPXS_CONNS: '1' });
    expect(atOnce).toBe(20);
    while (server.connections > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it('tells that the back-end does not answer', async () => {
    const silent = await scripted((socket) => socket.resume());
    await expect(getValues(fastcgi, silent, { timeout: 20 })).rejects.toMatchObject({
      code: 'ERR_ADDRESS_UNAVAILABLE',
      message: expect.stringContaining('no answer to a question for values within 20 ms'),
    });
    const closing = await scripted((socket) => socket.once('data', () => socket.end()));
    await expect(getValues(fastcgi, closing)).rejects.toMatchObject({ code: 'ERR_REPLY' });
  });

  it('is no question of SCGI', async () => {
    const nowhere = { transport: 'unix', path: '/nowhere' } as const;
    await expect(getValues(scgi, nowhere)).rejects.toMatchObject({ code: 'ERR_PROTOCOL_LACKS' });
  });
});
