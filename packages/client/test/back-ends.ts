import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Application, environHandler, type LimitName, limitsWith, type ReplyEvent } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { type LogEntry, Server } from '@postern/server';
import type { ConnectTarget } from '../src/index.ts';

const cleanups: (() => unknown)[] = [];

/** To be called after each test. */
export async function cleanUp(): Promise<void> {
  for (const clean of cleanups.splice(0).reverse()) await clean();
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-client-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface ServedApp {
  readonly target: ConnectTarget;
  readonly server: Server;
  /** What the server had to say about its peers. */
  readonly entries: LogEntry[];
  readonly failures: unknown[];
}

/** Our own server with an environ app, over FastCGI. */
export async function serveApp(
  app: Application,
  { unix = false, limits = {} as Partial<Record<LimitName, number>> } = {},
): Promise<ServedApp> {
  const entries: LogEntry[] = [];
  const failures: unknown[] = [];
  const server = new Server(environHandler(app), {
    limits: limitsWith(limits),
    log: (entry) => entries.push(entry),
    onError: (error) => failures.push(error),
  });
  cleanups.push(() => server.close(0));
  const path = join(temporaryFolder(), 'app.sock');
  const target = unix
    ? ({ transport: 'unix', path } as const)
    : ({ transport: 'tcp', host: '127.0.0.1', port: 0 } as const);
  return { target: (await server.listen(fastcgi, target)) as ConnectTarget, server, entries, failures };
}

/** A back-end that does with its connections what the test says. */
export async function scripted(onConnection: (socket: Socket) => void): Promise<ConnectTarget> {
  const sockets = new Set<Socket>();
  const server: NetServer = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return { transport: 'tcp', host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

/** A FastCGI record of id 1 without padding. */
export function record(type: number, content: string): Buffer {
  const header = Buffer.from([1, type, 0, 1, content.length >> 8, content.length & 255, 0, 0]);
  return Buffer.concat([header, Buffer.from(content, 'latin1')]);
}

export const STDOUT = 6;
export const END = record(3, '\0'.repeat(8));

/** A FastCGI back-end that is played event by event, on any number of connections. */
export interface Played {
  readonly target: ConnectTarget;
  /** Connections that have asked for more than values. */
  readonly connections: { readonly send: (...events: ReplyEvent[]) => void; readonly socket: Socket }[];
  /** What the latest ones asked, and their connection's place. */
  readonly requests: { readonly connection: number; readonly id: number; readonly variables: string[] }[];
  readonly aborts: number[];
}

export async function played(
  onRequest: (id: number, send: (...events: ReplyEvent[]) => void, socket: Socket) => void,
  limits: Partial<Record<LimitName, number>> = {},
): Promise<Played> {
  const back: Played = {
    connections: [],
    requests: [],
    aborts: [],
    target: await scripted((socket) => {
      const server = fastcgi.server(limitsWith(limits), { halfCloseServes: true });
      let place = -1;
      const flush = (): void => {
        for (let output = server.takeOutput(1 << 20); output !== undefined; output = server.takeOutput(1 << 20))
          socket.write(typeof output === 'string' ? Buffer.from(output, 'latin1') : Buffer.concat([output].flat()));
      };
      const send = (...events: ReplyEvent[]): void => {
        for (const event of events) server.send(event);
        flush();
      };
      socket.on('data', (chunk) => {
        server.receive(chunk);
        for (let event = server.next(); event !== undefined; event = server.next()) {
          const { id } = event;
          if (event.type === 'abort') back.aborts.push(id);
          if (event.type !== 'request') server.pull(id);
          else {
            if (place < 0) place = back.connections.push({ send, socket }) - 1;
            back.requests.push({ connection: place, id, variables: event.head.variables() });
            onRequest(id, send, socket);
          }
        }
        server.retain();
        flush();
      });
      socket.on('end', () => socket.end());
    }),
  };
  return back;
}

/** A whole reply. */
export function whole(id: number, body = String(id)): ReplyEvent {
  return { type: 'whole', id, status: 200, reason: 'OK', headers: [], body };
}

/** Asks again in each turn of the event loop, until it is so. */
export async function soon(right: () => boolean): Promise<void> {
  while (!right()) await new Promise((resolve) => setImmediate(resolve));
}
