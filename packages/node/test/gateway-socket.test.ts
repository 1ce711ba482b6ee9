import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter, once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { finished } from 'node:stream';
import { describe, expect, it, jest } from '@jest/globals';
import { attach, nodeHandler } from '../src/node-handler.ts';
import { type Ask, type FakeExchange, serve } from './fake-exchange.ts';

type Listener = (req: IncomingMessage, res: ServerResponse) => unknown;

function run(listener: Listener, ask?: Ask): { exchange: FakeExchange; socket: Socket; res: ServerResponse } {
  const seen: Partial<{ socket: Socket; res: ServerResponse }> = {};
  const exchange = serve(
    nodeHandler((req, res) => {
      Object.assign(seen, { socket: req.socket, res });
      return listener(req, res);
    }),
    ask,
  );
  return { exchange, socket: seen.socket as Socket, res: seen.res as ServerResponse };
}

describe('the socket of a request', () => {
  it('is one for the request and the response', () => {
    const { exchange } = run((req, res) => {
      expect(req.connection).toBe(req.socket);
      expect(res.socket).toBe(req.socket);
      expect(res.connection).toBe(req.socket);
      res.end();
    });
    expect(exchange.failures).toEqual([]);
  });

  it('is open while the reply is due, and closes with it', async () => {
    const states: unknown[] = [];
    const { socket, res } = run((req, response) => {
      states.push(req.socket.readable, req.socket.writable, req.socket.destroyed, req.socket.readyState);
      req.socket.on('close', (hadError) => states.push('close', hadError));
      response.on('close', () => states.push('response close'));
      response.end();
    });
    await once(socket, 'close');
    expect(states).toEqual([true, true, false, 'open', 'response close', 'close', false]);
    expect([socket.readable, socket.writable, socket.destroyed, res.destroyed]).toEqual([false, false, true, true]);
  });

  it('takes the settings of a socket', () => {
    const { exchange } = run((req, res) => {
      const { socket } = req;
      expect(socket.setNoDelay(true).setKeepAlive(true, 1).ref().unref().pause().resume()).toBe(socket);
      expect([socket.connecting, socket.pending, socket.bytesRead, socket.bytesWritten]).toEqual([false, false, 0, 0]);
      res.end();
    });
    expect(exchange.failures).toEqual([]);
  });

  it('breaks the reply off when it is destroyed', async () => {
    const events: unknown[] = [];
    const cause = new Error('enough');
    const { exchange, socket } = run((req, res) => {
      req.socket.on('error', (error) => events.push(error));
      req.socket.on('close', (hadError) => events.push(hadError));
      res.on('close', () => events.push('response close'));
      req.on('aborted', () => events.push('aborted'));
      res.write('part');
    });
    await new Promise(setImmediate);
    socket.destroy(cause);
    await new Promise((resolve) => socket.on('close', resolve));
    expect([exchange.broken, exchange.failures]).toEqual([true, [cause]]);
    expect(events).toEqual([cause, 'aborted', 'response close', true]);
  });

  it('may be destroyed, ended or left after the reply without harm', async () => {
    const { exchange, socket, res } = run((req, response) => {
      response.end('text');
      req.socket.destroySoon();
      req.socket.end();
    });
    await once(res, 'finish');
    socket.destroy();
    expect([exchange.body, exchange.failures]).toEqual(['text', []]);
  });

  it('refuses raw bytes, which have no way to the client', async () => {
    const { exchange } = run((req) => req.socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    expect([exchange.status, exchange.failures]).toEqual([500, [expect.objectContaining({ code: 'ERR_APP_REPLY' })]]);
  });

  it('is known to stream.finished', async () => {
    let outcome: unknown = 'pending';
    const { socket } = run((req, res) => {
      finished(req.socket, (error) => {
        outcome = error;
      });
      res.end();
    });
    await once(socket, 'close');
    await new Promise(setImmediate);
    expect(outcome).not.toBe('pending');
  });
});

describe('a timeout', () => {
  it.each<[string, (req: IncomingMessage, res: ServerResponse, called: () => void) => void]>([
    ['of the response', (_req, res, called) => void res.setTimeout(5, called)],
    ['of the request', (req, _res, called) => void req.setTimeout(5, called)],
  ])('%s calls its listener, who can still answer', async (_what, set) => {
    const { exchange } = run((req, res) => set(req, res, () => res.writeHead(504).end()));
    await exchange.done;
    expect([exchange.status, exchange.failures]).toEqual([504, []]);
  });

  it('for which nobody listens breaks the reply off, and the client gets a 504', async () => {
    const events: string[] = [];
    const { exchange, socket } = run((req) => {
      req.socket.setTimeout(5, () => events.push('timeout'));
    });
    await once(socket, 'close');
    expect(events).toEqual(['timeout']);
    expect([exchange.status, exchange.failures]).toEqual([504, [expect.objectContaining({ code: 'ERR_TIMEOUT_APP' })]]);
  });

  it('of the server is that of each request, and its listener is asked', async () => {
    const server = Object.assign(new EventEmitter(), { timeout: 5 });
    let timed: unknown;
    server.on('request', (_req, res: ServerResponse) => {
      server.on('timeout', (socket) => {
        timed = socket;
        res.end('late');
      });
    });
    const exchange = serve(attach(server));
    await exchange.done;
    expect(exchange.body).toBe('late');
    expect(timed).toHaveProperty('server', server);
  });

  it('begins anew with each byte, and is taken back with 0', () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    try {
      let fired = 0;
      const { exchange, socket, res } = run(
        (req, response) => {
          response.setTimeout(100, () => fired++);
          req.resume();
          req.read();
        },
        { method: 'POST', body: 'open' },
      );
      jest.advanceTimersByTime(60);
      res.write('a');
      jest.advanceTimersByTime(60);
      exchange.input.push(Buffer.from('b'));
      jest.advanceTimersByTime(60);
      expect(fired).toBe(0);
      jest.advanceTimersByTime(60);
      expect(fired).toBe(1);
      res.setTimeout(100);
      res.setTimeout(0);
      expect(socket.timeout).toBe(0);
      jest.advanceTimersByTime(1000);
      expect(fired).toBe(1);
    } finally {
      jest.useRealTimers();
    }
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('of %p milliseconds is refused', (ms) => {
    const { exchange } = run((_req, res) => res.setTimeout(ms));
    expect(exchange.failures).toEqual([expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' })]);
  });
});

describe('the asynchronous context of a request', () => {
  it('is its own: what one enters into an AsyncLocalStorage the next does not find', () => {
    const storage = new AsyncLocalStorage<string>();
    const found: unknown[] = [];
    const handler = nodeHandler((req, res) => {
      found.push(storage.getStore());
      storage.enterWith(req.url as string);
      res.end();
    });
    serve(handler, { target: '/first' });
    serve(handler, { target: '/second' });
    expect(found).toEqual([undefined, undefined]);
    expect(storage.getStore()).toBeUndefined();
  });

  it('is not that of whoever brings it its bytes', async () => {
    const storage = new AsyncLocalStorage<string>();
    const found: unknown[] = [];
    const { exchange, res } = run(
      (req, response) => {
        req.on('data', () => found.push(storage.getStore()));
        req.on('aborted', () => found.push(storage.getStore()));
        response.on('close', () => found.push(storage.getStore()));
      },
      { method: 'POST', body: 'open' },
    );
    await new Promise(setImmediate);
    const close = once(res, 'close');
    storage.run('another request', () => {
      exchange.input.push(Buffer.from('part'));
      exchange.leave();
    });
    await close;
    expect(found).toEqual([undefined, undefined, undefined]);
  });
});
