import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { UploadSource } from '../../src/demo/upload-source.ts';
import { ask, open } from './http-client.ts';

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0).reverse()) clean();
});

async function serve(handler: (source: UploadSource, outgoing: ServerResponse) => unknown): Promise<number> {
  const server = createServer((incoming: IncomingMessage, outgoing) => handler(new UploadSource(incoming), outgoing));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe('the body of an upload', () => {
  it('comes whole, chunk by chunk', async () => {
    const port = await serve(async (source, outgoing) => outgoing.end(await buffer(source)));
    const body = Buffer.alloc(1_000_000, 'abc');
    expect((await ask(port, '/', { method: 'POST', body })).body.equals(body)).toBe(true);
  });

  it('waits in the client while nobody asks for more', async () => {
    let source: UploadSource | undefined;
    const port = await serve((given) => {
      source = given;
    });
    const outgoing = open(port, '/', { method: 'POST', headers: { 'Content-Length': '64000000' } });
    outgoing.on('error', () => {});
    cleanups.push(() => outgoing.destroy());
    const full = new Promise<number>((resolve) => {
      let written = 0;
      let quiet = setTimeout(() => resolve(written), 300);
      const more = (): void => {
        clearTimeout(quiet);
        quiet = setTimeout(() => resolve(written), 300);
        while (written < 64_000_000) {
          written += 100_000;
          if (!outgoing.write(Buffer.alloc(100_000))) break;
        }
      };
      outgoing.on('drain', more);
      more();
    });
    expect(await full).toBeLessThan(30_000_000);
    expect((await source?.next())?.done).toBe(false);
  });

  it('that is not wanted to its end is drained, so that the connection can carry another request', async () => {
    const port = await serve(async (source, outgoing) => {
      await source.next();
      await source.return();
      expect(await source.next()).toEqual({ done: true, value: undefined });
      outgoing.end('enough');
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    cleanups.push(() => agent.destroy());
    for (let i = 0; i < 2; i++) {
      expect((await ask(port, '/', { method: 'POST', body: Buffer.alloc(8_000_000), agent })).text).toBe('enough');
    }
  });

  it('that breaks off throws', async () => {
    let broken: (reason: unknown) => void = () => {};
    const reason = new Promise<unknown>((resolve) => {
      broken = resolve;
    });
    const port = await serve((source) => buffer(source).catch(broken));
    const outgoing = open(port, '/', { method: 'POST', headers: { 'Content-Length': '10' } });
    outgoing.on('error', () => {});
    outgoing.write('some');
    await once(outgoing, 'socket');
    outgoing.write('more', () => outgoing.destroy());
    expect(await reason).toMatchObject({ message: 'the client left before its request was complete' });
  });
});
