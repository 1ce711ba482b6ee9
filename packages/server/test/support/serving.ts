import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { afterEach } from '@jest/globals';
import {
  type Exchange,
  type Handler,
  type LimitName,
  limitsWith,
  type PeerOptions,
  type ServerProtocol,
} from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import type { BoundAddress, ListenTarget } from '../../src/address.ts';
import type { Listened } from '../../src/auto-protocol.ts';
import type { LogEntry } from '../../src/log.ts';
import { Server } from '../../src/server.ts';
import { FakeClock } from './fake-clock.ts';
import { connectTo, type Peer } from './peer.ts';

export interface Serving {
  readonly server: Server;
  readonly clock: FakeClock;
  readonly address: BoundAddress;
  readonly logs: LogEntry[];
  /** What onError was told. */
  readonly errors: { error: unknown; exchange: Exchange | undefined }[];
  /** Every exchange that the handler was given. */
  readonly exchanges: Exchange[];
  /** The server's sockets, in the order of their connections. */
  readonly sockets: Socket[];
  connect(): Promise<Peer>;
  /** Waits until the handler was called so many times. */
  asked(count?: number): Promise<Exchange>;
}

export interface ServeOptions {
  readonly limits?: Partial<Record<LimitName, number>>;
  readonly peer?: PeerOptions;
  readonly protocol?: Listened;
  /** What the log names where it is not served. */
  readonly known?: readonly ServerProtocol[];
  readonly mount?: string;
  /** A unix socket at this path; without it TCP on loopback. */
  readonly path?: string;
}

const cleanUps: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** Done behind the test that asked for it. */
export function atEnd(cleanUp: () => unknown): void {
  cleanUps.push(async () => {
    await cleanUp();
  });
}

/**
 * A server with a clock that stands still, whose accepted sockets a test can look at. It speaks FastCGI.
 * Everything is closed behind the test.
 */
export async function serving(handler: Handler, options: ServeOptions = {}): Promise<Serving> {
  const clock = new FakeClock();
  const logs: LogEntry[] = [];
  const errors: Serving['errors'] = [];
  const exchanges: Exchange[] = [];
  const sockets: Socket[] = [];
  const waiting = new Set<() => void>();
  const server = new Server(
    (exchange) => {
      exchanges.push(exchange);
      for (const wake of waiting) wake();
      return handler(exchange);
    },
    {
      limits: limitsWith(options.limits),
      ...(options.mount === undefined ? {} : { mount: options.mount }),
      onError: (error, exchange) => errors.push({ error, exchange }),
      log: (entry) => logs.push(entry),
      clock,
      known: options.known,
    },
  );
  const door = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.push(socket);
    server.accept(socket, options.protocol ?? fastcgi, options.peer);
  });
  const address = await bound(door, options.path);
  atEnd(async () => {
    server.closeAll();
    await new Promise((resolve) => door.close(resolve));
  });
  return {
    server,
    clock,
    address,
    logs,
    errors,
    exchanges,
    sockets,
    connect: async () => {
      const peer = await connectTo(address);
      atEnd(() => peer.socket.destroy());
      return peer;
    },
    asked: async (count = 1) => {
      while (exchanges.length < count) {
        await new Promise<void>((resolve) => {
          waiting.add(resolve);
        });
      }
      return exchanges[count - 1];
    },
  };
}

function bound(door: NetServer, path: string | undefined): Promise<BoundAddress> {
  return new Promise((resolve, reject) => {
    door.once('error', reject);
    const target = path === undefined ? { host: '127.0.0.1', port: 0 } : { path };
    door.listen(target, () => {
      const address = door.address();
      if (typeof address === 'string') resolve({ transport: 'unix', path: address });
      else resolve({ transport: 'tcp', host: '127.0.0.1', port: address?.port ?? 0 });
    });
  });
}

/** A server that binds by itself, on the system's clock. It is closed behind the test. */
export async function listening(
  handler: Handler,
  target: ListenTarget,
): Promise<{ server: Server; address: BoundAddress; logs: LogEntry[] }> {
  const logs: LogEntry[] = [];
  const server = new Server(handler, { log: (entry) => logs.push(entry), onError: () => {} });
  atEnd(() => server.close(0));
  return { server, address: await server.listen(fastcgi, target), logs };
}

/** Answers at once. */
export function hello(exchange: Exchange): void {
  exchange.respond(200, 'OK', ['Content-Type', 'text/plain'], 'hello');
}

/** Never answers. */
export function silent(): void {}

/** Lets everything that is due on the event loop happen. */
export async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
