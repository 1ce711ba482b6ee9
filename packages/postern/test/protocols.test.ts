import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { fiveProtocols, type OneOfFive, replyInFive, requestInFive, temporaryFolder, until } from '@postern/testkit';
import { type CreateServerOptions, createServer, type GatewayServer } from '../src/create-server.ts';
import { knownProtocols, protocolOf } from '../src/protocols.ts';
import { serve } from '../src/serve.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** What is answered to one request made by hand, at a port or a path. */
async function replyOf(where: number | string, protocol: OneOfFive, path: string): Promise<unknown> {
  const socket = typeof where === 'number' ? connect(where, '127.0.0.1') : connect(where);
  const chunks: Buffer[] = [];
  let ended = false;
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('end', () => {
    ended = true;
  });
  socket.write(requestInFive(protocol, path));
  const reply = await until(
    () => replyInFive(protocol, Buffer.concat(chunks), ended),
    (answer) => answer !== undefined,
  );
  socket.destroy();
  return reply;
}

describe('protocolOf', () => {
  it('gives each protocol by its name', async () => {
    for (const name of fiveProtocols) expect((await protocolOf(name, {})).name).toBe(name);
    expect((await protocolOf('auto', {})).name).toBe('auto');
    expect((await knownProtocols()).map(({ name }) => name)).toEqual(['fastcgi', 'scgi', 'ajp', 'uwsgi']);
  });

  it('lets pings through with auto where uwsgi answers them', async () => {
    const ping = Buffer.from('64000000', 'hex');
    const autos = [await protocolOf('auto', {}), await protocolOf('auto', { uwsgi: { ping: true } })];
    const answers = autos.map(
      (auto) => 'sniffers' in auto && auto.sniffers.map((sniffer) => sniffer.sniff(ping)).includes('yes'),
    );
    expect(answers).toEqual([false, true]);
  });
});

describe('a server from createServer', () => {
  async function listening(options: CreateServerOptions, where: string | number): Promise<[GatewayServer, number]> {
    const server = createServer(options);
    cleanUps.push(
      () => server[Symbol.asyncDispose](),
      () => server.closeAllConnections(),
    );
    server.listen(where as number);
    await once(server, 'listening');
    return [server, (server.address() as { port: number }).port];
  }

  it.each<[string, CreateServerOptions, string | number]>([
    ['the address', {}, 'auto://127.0.0.1:0'],
    ['the option', { protocol: 'auto' }, 0],
  ])('tells five protocols apart where %s says auto', async (_, options, where) => {
    const [server, port] = await listening(options, where);
    server.on('request', (req, res) => {
      res.end(`${req.url} ${req.socket.constructor.name} ${(req.socket as { server?: unknown }).server === server}`);
    });
    for (const protocol of fiveProtocols) {
      // over HTTP it is a socket of node:net, with the server of node:http
      const socket = protocol === 'http' ? 'Socket false' : 'GatewaySocket true';
      expect(await replyOf(port, protocol, '/a')).toEqual({ status: 200, body: `/a ${socket}` });
    }
  });

  it('tells of a silent HTTP request too', async () => {
    const [server, port] = await listening({ protocol: 'auto' }, 0);
    server.on('request', () => {});
    server.timeout = 50;
    const timedOut = once(server, 'timeout');
    const socket = connect(port, '127.0.0.1');
    cleanUps.push(() => socket.destroy());
    socket.on('error', () => {});
    socket.write(requestInFive('http', '/'));
    const [told] = await timedOut;
    expect(told.destroyed).toBe(false);
  });

  it('tells why there is no socket of systemd', async () => {
    const [error] = await once(createServer().listen('auto+systemd:app'), 'error');
    expect(error).toMatchObject({ code: 'ERR_SYSTEMD' });
  });

  it('needs the secret of AJP off loopback', async () => {
    const server = createServer({ protocol: 'auto' }).listen(0, '0.0.0.0');
    const [error] = await once(server, 'error');
    expect(error).toMatchObject({ code: 'ERR_ADDRESS_OPEN', message: expect.stringContaining('AJP (of auto)') });
  });
});

describe('serve', () => {
  it.each<[string, unknown]>([
    ['environ', (_environ: unknown) => ({ status: 200, headers: {}, body: 'served' })],
    ['node', (_req: unknown, res: { end(text: string): void }) => res.end('served')],
    ['fetch', { fetch: () => new Response('served') }],
  ])('tells five protocols apart for an app of the kind %s', async (_, app) => {
    const folder = temporaryFolder();
    cleanUps.push(folder.remove);
    const path = `${folder.path}/s`;
    const served = await serve(app, { listen: ['auto://127.0.0.1:0', `auto+unix:${path}`] });
    cleanUps.push(() => served.close(0));
    expect(served.addresses[1]).toBe(`auto+unix:${path}`);
    const [, port] = /^auto:\/\/127\.0\.0\.1:(\d+)$/.exec(served.addresses[0]) as RegExpExecArray;
    for (const protocol of fiveProtocols)
      for (const where of [Number(port), path])
        expect(await replyOf(where, protocol, '/')).toEqual({ status: 200, body: 'served' });
  });

  it('has no auto for an authorizer alone', async () => {
    const authorizer = (_environ: unknown): object => ({ allow: {} });
    await expect(serve(undefined, { listen: 'auto://127.0.0.1:0', authorizer })).rejects.toMatchObject({
      code: 'ERR_ROLE',
    });
  });
});
