import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter, once } from 'node:events';
import { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { environOf } from '../src/environ-of.ts';
import { attach } from '../src/node-handler.ts';
import type { UpgradeSocket } from '../src/upgrade-socket.ts';
import { type Ask, FakeExchange } from './fake-exchange.ts';

const wish = { host: 'site.test', connection: 'Upgrade', upgrade: 'echo' };
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\nX: y\r\n\r\n';

interface Upgraded {
  readonly exchange: FakeExchange;
  readonly server: EventEmitter;
  readonly req: IncomingMessage;
  readonly socket: UpgradeSocket;
  readonly head: Buffer;
}

/** What a listener for 'upgrade' is given. */
function upgraded(ask: Ask = {}): Upgraded {
  const exchange = new FakeExchange({ headers: wish, ...ask });
  const server = new EventEmitter();
  let given: [IncomingMessage, UpgradeSocket, Buffer] | undefined;
  server.on('upgrade', (...values) => {
    given = values as never;
  });
  attach(server)(exchange);
  if (given === undefined) throw new Error('there was no upgrade');
  const [req, socket, head] = given;
  return { exchange, server, req, socket, head };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a request for an upgrade', () => {
  it("is the event 'upgrade' of the server, as node:http has it", () => {
    const { req, socket, head } = upgraded({ target: '/chat?room=1' });
    expect(req).toBeInstanceOf(IncomingMessage);
    expect(socket).toBeInstanceOf(Duplex);
    expect([req.method, req.url, req.headers, req.httpVersion]).toEqual(['GET', '/chat?room=1', wish, '1.1']);
    expect([req.socket === (socket as unknown), head.length, req.complete]).toEqual([true, 0, true]);
    expect((req as unknown as { upgrade: boolean }).upgrade).toBe(true);
  });

  it.each([
    ["nobody listens for 'upgrade'", wish, []],
    ['it does not really ask', { ...wish, connection: 'close' }, ['upgrade']],
    ['it has a body', { ...wish, 'content-length': '2' }, ['upgrade']],
  ] as const)('is an ordinary request where %s', async (_, headers, listened) => {
    const server = new EventEmitter();
    for (const event of listened) server.on(event, () => server.emit('error', new Error(`${event} was emitted`)));
    server.on('request', (_req, res) => res.end('ordinary'));
    const exchange = new FakeExchange({ headers, ...('content-length' in headers ? { body: 'hi' } : {}) });
    attach(server)(exchange);
    await exchange.done;
    expect([exchange.body, exchange.failures]).toEqual(['ordinary', []]);
  });

  it('has a body that is empty', async () => {
    const { req } = upgraded();
    req.resume();
    await once(req, 'end');
  });

  it('is answered by 501 where none can be had, and the listener hears nothing of it', () => {
    const exchange = new FakeExchange({ headers: wish });
    exchange.canUpgrade = false;
    const server = new EventEmitter();
    let called = false;
    server.on('upgrade', () => {
      called = true;
    });
    attach(server)(exchange);
    expect([exchange.status, called]).toEqual([501, false]);
  });

  it('whose listener throws is its failure alone', () => {
    const exchange = new FakeExchange({ headers: wish });
    const server = new EventEmitter();
    const error = new Error('thrown');
    server.on('upgrade', () => {
      throw error;
    });
    attach(server)(exchange);
    expect(exchange.failures).toEqual([error]);
  });

  it('has an environ, and an asynchronous context of its own', () => {
    const { req } = upgraded({ variables: { REMOTE_USER: 'ann' } });
    expect(environOf(req).REMOTE_USER).toBe('ann');
    const storage = new AsyncLocalStorage<string>();
    const server = new EventEmitter();
    server.on('upgrade', () => storage.enterWith('within'));
    attach(server)(new FakeExchange({ headers: wish }));
    expect(storage.getStore()).toBeUndefined();
  });
});

describe('the socket of an upgrade', () => {
  it('becomes the tunnel by a raw 101, in as many pieces as it comes', () => {
    for (const pieces of [[SWITCH], [...SWITCH], [SWITCH.slice(0, 30), SWITCH.slice(30)]]) {
      const { exchange, socket } = upgraded();
      for (const piece of pieces) socket.write(piece);
      expect(exchange.status).toBe(101);
      expect(exchange.headers).toEqual(['X', 'y']);
    }
  });

  it('carries bytes both ways then, and what stood behind the 101', async () => {
    const { exchange, socket } = upgraded();
    socket.cork();
    socket.write(SWITCH);
    socket.write('behind');
    socket.uncork();
    socket.write(' it');
    await turn();
    await turn();
    expect(exchange.body).toBe('behind it');
    socket.received(Buffer.from('hello'));
    expect(String(socket.read())).toBe('hello');
  });

  it('gives back what is put before its bytes', () => {
    const { socket } = upgraded();
    socket.write(SWITCH);
    socket.unshift(Buffer.from('first'));
    socket.received(Buffer.from('second'));
    // from Node 26 on one call gives one piece
    const pieces: Buffer[] = [];
    for (let piece = socket.read(); piece !== null; piece = socket.read()) pieces.push(piece);
    expect(String(Buffer.concat(pieces))).toBe('firstsecond');
  });

  it('ends its halves one by one', async () => {
    const { exchange, socket } = upgraded();
    socket.write(SWITCH);
    socket.resume();
    socket.receivedEnd();
    await once(socket, 'end');
    expect(socket.readyState).toBe('writeOnly');
    socket.end('bye');
    await once(socket, 'close');
    expect([exchange.body, exchange.carrier?.ended, exchange.carrier?.left]).toEqual(['bye', true, 'cleanly']);
    expect(socket.readyState).toBe('closed');
  });

  it('is a reply where the answer is another, however it is ended', async () => {
    const answer = 'HTTP/1.1 401 Unauthorized\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nno!';
    const ways: [string, (socket: UpgradeSocket) => void][] = [
      ['ws', (socket) => socket.once('finish', socket.destroy).end(answer)],
      ['engine.io', (socket) => void (socket.write(answer) && socket.destroy())],
      ['piece by piece', (socket) => void [...answer].map((piece) => socket.write(piece))],
      ['without a length', (socket) => socket.end(answer.replace('Content-Length: 3\r\n', ''))],
    ];
    for (const [way, act] of ways) {
      const { exchange, socket } = upgraded();
      act(socket);
      await turn();
      expect([way, exchange.status, exchange.reason, exchange.body]).toEqual([way, 401, 'Unauthorized', 'no!']);
      expect(exchange.header('content-length')).toEqual(['3']);
      expect(exchange.failures).toEqual([]);
    }
  });

  it('is a reply without a body where a head is all of the answer', () => {
    const { exchange, socket } = upgraded();
    socket.write('HTTP/1.1 403 Forbidden\r\n\r\n');
    socket.destroy();
    expect([exchange.status, exchange.body]).toEqual([403, '']);
  });

  it('turns the request away where it is ended without an answer', async () => {
    for (const act of [(socket: UpgradeSocket) => socket.end(), (socket: UpgradeSocket) => socket.destroy()]) {
      const { exchange, socket } = upgraded();
      act(socket);
      await turn();
      expect([exchange.status, exchange.failures]).toEqual([400, []]);
    }
  });

  it.each([
    ['an answer that is no HTTP', (socket: UpgradeSocket) => socket.write('\x81\x00')],
    ['an answer that is cut short', (socket: UpgradeSocket) => socket.end('HTTP/1.1 101 x\r\n')],
    [
      'a body that is cut short',
      (socket: UpgradeSocket) => socket.end('HTTP/1.1 400 x\r\nContent-Length: 9\r\n\r\nno'),
    ],
    ['an error', (socket: UpgradeSocket) => socket.destroy(new Error('mine'))],
  ])('fails the request by %s', async (_, act) => {
    const { exchange, socket } = upgraded();
    socket.on('error', () => {});
    act(socket);
    await turn();
    expect(exchange.failures.length).toBe(1);
    expect(exchange.status).toBe(500);
  });

  it('breaks when the client leaves before it is answered', async () => {
    const { exchange, socket } = upgraded();
    const broken = once(socket, 'error');
    exchange.leave();
    expect(await broken).toMatchObject([{ code: 'ECONNRESET' }]);
    expect(socket.destroyed).toBe(true);
  });

  it('has of a net.Socket what libraries use', () => {
    const { socket, server } = upgraded({
      scheme: 'https',
      variables: { REMOTE_ADDR: '192.0.2.7', REMOTE_PORT: '4711', SERVER_ADDR: '192.0.2.1', SERVER_PORT: '443' },
    });
    expect([socket.remoteAddress, socket.remotePort, socket.remoteFamily]).toEqual(['192.0.2.7', 4711, 'IPv4']);
    expect(socket.address()).toEqual({ address: '192.0.2.1', port: 443, family: 'IPv4' });
    expect([socket.encrypted, socket.server === server, socket.connecting]).toEqual([true, true, false]);
    expect(socket.setNoDelay().setKeepAlive().ref().unref()).toBe(socket);
    expect([socket.bytesRead, socket.bytesWritten, socket.readyState]).toEqual([0, 0, 'open']);
    socket.write(SWITCH);
    socket.received(Buffer.from('hello'));
    expect([socket.bytesRead, socket.bytesWritten]).toEqual([5, SWITCH.length]);
  });

  it('waits for what was written, when it is to be destroyed soon', async () => {
    const { exchange, socket } = upgraded();
    socket.write(SWITCH);
    socket.write('last');
    socket.destroySoon();
    await once(socket, 'close');
    expect([exchange.body, exchange.carrier?.left]).toEqual(['last', 'cleanly']);
  });

  it('breaks when it is reset', async () => {
    const { exchange, socket } = upgraded();
    socket.write(SWITCH);
    socket.resetAndDestroy();
    await once(socket, 'close');
    expect(exchange.carrier?.left).toBeInstanceOf(Error);
  });

  it('times out behind so much silence, and not when that is taken back', async () => {
    const { socket } = upgraded();
    socket.write(SWITCH);
    let told = 0;
    const taken = (): void => {
      told++;
    };
    socket.setTimeout(5, taken);
    socket.setTimeout(0, taken);
    expect(socket.timeout).toBe(0);
    await new Promise<void>((resolve) => socket.setTimeout(5, resolve));
    expect([socket.timeout, told]).toEqual([5, 0]);
    expect(() => socket.setTimeout(-1)).toThrow(RangeError);
    socket.destroy();
  });
});
