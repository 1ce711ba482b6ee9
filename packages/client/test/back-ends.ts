import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Application, environHandler, type LimitName, limitsWith } from '@postern/core';
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
