import { once } from 'node:events';
import { createServer as createHttpServer, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { begin, pairs, params, plainGet, readReplies, stdin, until } from '@postern/testkit';
import fastify from 'fastify';
import { WebSocketServer } from 'ws';
import { createServer } from '../src/create-server.ts';
import { type Environ, type FetchContext, serve } from '../src/index.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Serving {
  readonly port: number;
  readonly errors: unknown[];
}

async function serving(app: unknown, protocol = 'scgi'): Promise<Serving> {
  const errors: unknown[] = [];
  const served = await serve(app, { listen: `${protocol}://127.0.0.1:0`, onError: (error) => errors.push(error) });
  cleanUps.push(() => served.close(0));
  return { port: Number(/:(\d+)$/.exec(served.addresses[0])?.[1]), errors };
}

/** A web server's connection over SCGI, with all that came on it. */
async function ask(port: number, more: Record<string, string>): Promise<{ socket: Socket; text(): string }> {
  const flat = Object.entries({
    CONTENT_LENGTH: '0',
    SCGI: '1',
    REQUEST_METHOD: 'GET',
    REQUEST_URI: '/',
    HTTP_HOST: 'a',
    ...more,
  });
  const block = flat.map(([name, value]) => `${name}\0${value}\0`).join('');
  const socket = connect(port, '127.0.0.1');
  cleanUps.push(() => socket.destroy());
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.write(`${block.length}:${block},`);
  await once(socket, 'connect');
  return { socket, text: () => text };
}

/** However it ends. */
function closed(socket: Duplex): Promise<unknown> {
  return until(
    () => socket.closed,
    (is) => is,
  );
}

const wish = { HTTP_UPGRADE: 'echo', HTTP_CONNECTION: 'Upgrade' };
const websocket = {
  HTTP_UPGRADE: 'websocket',
  HTTP_CONNECTION: 'keep-alive, Upgrade',
  HTTP_SEC_WEBSOCKET_KEY: 'dGhlIHNhbXBsZSBub25jZQ==',
  HTTP_SEC_WEBSOCKET_VERSION: '13',
};
/** RFC 6455 §1.3, and a frame of text "hi" */
const ACCEPTED = 'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const HI = '\x81\x02hi';
/** The same from a client, whose mask is 0. */
const MASKED_HI = '\x81\x82\0\0\0\0hi';

function echo(socket: Duplex): void {
  socket.on('data', (chunk) => socket.write(`<${chunk}>`));
  socket.on('end', () => socket.end('bye'));
}

const kinds: [string, unknown][] = [
  [
    'an environ app',
    (environ: Environ) => {
      const upgrade = environ['gateway.upgrade'];
      if (upgrade === undefined) return { status: 426, body: 'none' };
      echo(upgrade({ 'X-A': 'b' }));
      return undefined;
    },
  ],
  [
    'an environ app that waits',
    async (environ: Environ) => {
      await null;
      const upgrade = environ['gateway.upgrade'];
      if (upgrade === undefined) return { status: 426, body: 'none' };
      const socket = upgrade({ 'X-A': 'b' });
      echo(socket);
      await once(socket, 'close');
      return undefined;
    },
  ],
  [
    'a fetch app',
    {
      fetch(_request: Request, context: FetchContext): Response {
        const upgrade = context.upgrade;
        if (upgrade === undefined) return new Response('none', { status: 426 });
        echo(upgrade({ 'X-A': 'b' }));
        return new Response('for nobody');
      },
    },
  ],
];

describe.each(kinds)('%s', (_, app) => {
  it('becomes a tunnel where the request asks for one', async () => {
    const { port, errors } = await serving(app);
    const { socket, text } = await ask(port, wish);
    const head = 'Status: 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\nX-A: b\r\n\r\n';
    await until(text, (is) => is === head);
    socket.write('one');
    await until(text, (is) => is === `${head}<one>`);
    socket.end();
    await closed(socket);
    expect(text()).toBe(`${head}<one>bye`);
    expect(errors).toEqual([]);
  });

  it('is told that it cannot where the request does not ask', async () => {
    const { port } = await serving(app);
    const { socket, text } = await ask(port, {});
    await closed(socket);
    expect(text()).toMatch(/^Status: 426 .*none$/s);
  });

  it('is told that it cannot over HTTP', async () => {
    const { port, errors } = await serving(app, 'http');
    const asked = request({ port, headers: { Connection: 'Upgrade', Upgrade: 'echo' } }).end();
    const [response] = await once(asked, 'response');
    expect(response.statusCode).toBe(426);
    response.resume();
    expect(errors).toEqual([]);
  });
});

describe('an application that has upgraded', () => {
  it('cuts the tunnel by what it throws', async () => {
    const error = new Error('thrown');
    const { port, errors } = await serving((environ: Environ) => {
      environ['gateway.upgrade']?.();
      throw error;
    });
    const { socket } = await ask(port, wish);
    await closed(socket);
    expect(errors).toEqual([error]);
  });

  it('has no reply to give', async () => {
    const { port, errors } = await serving((environ: Environ) => {
      environ['gateway.upgrade']?.();
      return { status: 200 };
    });
    const { socket } = await ask(port, wish);
    await closed(socket);
    expect(errors).toMatchObject([{ code: 'ERR_HEADERS_SENT' }]);
  });

  it('may get the socket of a client that has left', async () => {
    let socket: Duplex | undefined;
    const { port, errors } = await serving(async (environ: Environ) => {
      const upgrade = environ['gateway.upgrade'];
      await new Promise((resolve) => environ['gateway.signal'].addEventListener('abort', resolve));
      socket = upgrade?.();
      return undefined;
    });
    const client = await ask(port, wish);
    client.socket.resetAndDestroy();
    await until(
      () => socket?.destroyed,
      (is) => is === true,
    );
    expect(errors).toEqual([]);
  });
});

describe('the npm package ws, unmodified,', () => {
  async function talkTo(port: number): Promise<void> {
    const { socket, text } = await ask(port, websocket);
    await until(text, (is) => is.includes(ACCEPTED));
    socket.write(Buffer.from(MASKED_HI, 'latin1'));
    await until(text, (is) => is.endsWith(HI));
    socket.end();
    await closed(socket);
  }

  function echoMessages(server: WebSocketServer): void {
    server.on('connection', (client) =>
      client.on('message', (data, isBinary) => client.send(data, { binary: isBinary })),
    );
  }

  it('takes createServer for its server', async () => {
    const server = createServer({ protocol: 'scgi' });
    const sockets = new WebSocketServer({ server: server as never });
    echoMessages(sockets);
    server.listen(0);
    await once(server, 'listening');
    cleanUps.push(() => server.close().closeAllConnections());
    await talkTo((server.address() as AddressInfo).port);
    expect(sockets.clients.size).toBe(0);
  });

  it('handles the upgrade of a server by itself', async () => {
    const server = createServer({ protocol: 'scgi' });
    const sockets = new WebSocketServer({ noServer: true });
    echoMessages(sockets);
    server.on('upgrade', (req, socket, head) =>
      sockets.handleUpgrade(req, socket, head, (client) => sockets.emit('connection', client, req)),
    );
    server.listen(0);
    await once(server, 'listening');
    cleanUps.push(() => server.close().closeAllConnections());
    await talkTo((server.address() as AddressInfo).port);
  });

  it('takes an http.Server that does not listen', async () => {
    const server = createHttpServer();
    echoMessages(new WebSocketServer({ server }));
    const { port } = await serving(server);
    await talkTo(port);
  });

  it.each(['fastcgi', 'scgi'])('talks over %s as lighttpd sends it from 1.4.74 on', async (protocol) => {
    const server = createHttpServer();
    echoMessages(new WebSocketServer({ server }));
    const { port } = await serving(server, protocol);
    const software = { SERVER_SOFTWARE: 'lighttpd/1.4.76' };
    if (protocol === 'scgi') {
      const { socket, text } = await ask(port, { ...websocket, ...software });
      socket.write(Buffer.from(MASKED_HI, 'latin1'));
      await until(text, (is) => is.endsWith(HI));
      socket.end();
      await closed(socket);
      return;
    }
    const socket = connect(port, '127.0.0.1');
    cleanUps.push(() => socket.destroy());
    let output = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      output = Buffer.concat([output, chunk]);
    });
    // it holds the empty STDIN back until the client has ended
    const head = pairs({ ...plainGet, ...websocket, ...software });
    socket.write(Buffer.concat([begin(), params(head), params(), stdin(MASKED_HI.slice(0, 3))]));
    socket.write(stdin(MASKED_HI.slice(3)));
    await until(
      () => output.toString('latin1'),
      (is) => is.includes(HI),
    );
    socket.write(stdin());
    await closed(socket);
    const [{ stdout, end }] = readReplies(output).replies;
    expect(stdout).toMatch(/^Status: 101 .*\r\n\r\n\x81\x02hi$/s);
    expect(end).toBe('0000000000000000');
  });

  it('takes the server of Fastify', async () => {
    const app = fastify();
    app.get('/', async () => 'ordinary');
    echoMessages(new WebSocketServer({ server: app.server }));
    const { port } = await serving(app);
    await talkTo(port);
    const { socket, text } = await ask(port, {});
    await closed(socket);
    expect(text()).toMatch(/ordinary$/);
  });

  it('refuses what is no handshake by a reply', async () => {
    const server = createHttpServer();
    new WebSocketServer({ server });
    const { port } = await serving(server);
    const { socket, text } = await ask(port, { ...websocket, HTTP_SEC_WEBSOCKET_KEY: 'short' });
    await closed(socket);
    expect(text()).toMatch(/^Status: 400 Bad Request\r\n.*Sec-WebSocket-Key/s);
  });

  it('refuses by its verifyClient', async () => {
    const server = createHttpServer();
    new WebSocketServer({ server, verifyClient: (_info, done) => done(false, 401, 'log in') });
    const { port } = await serving(server);
    const { socket, text } = await ask(port, websocket);
    await closed(socket);
    expect(text()).toMatch(/^Status: 401 Unauthorized\r\n.*log in$/s);
  });
});
