// A server of five protocols, and of an address for all of them, in a process of its own, which watches its own memory:
//   fault-server.ts '{"limits": …, "standing": true}'
// It says `listening {"fastcgi":port, …, "auto":port, "control":port}`. `control` is a plain HTTP server beside it, for the test alone.
import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ajp } from '@postern/ajp';
import { type Exchange, type Handler, limitsWith } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { nodeHandler } from '@postern/node';
import { scgi } from '@postern/scgi';
import { auto, http, type LogEntry, Server, systemClock } from '@postern/server';
import { uwsgi } from '@postern/uwsgi';
import { FakeClock } from '../../../packages/server/test/support/fake-clock.ts';

const options = JSON.parse(process.argv[2]);
const MIB = 1_048_576;
const piece = Buffer.alloc(65_536, 'd');

const seen = { asked: 0, running: 0, mostRunning: 0, aborted: 0, rejected: 0, sent: 0 };
const logs: LogEntry[] = [];
const errors: string[] = [];

function* pieces(total: number): Generator<Buffer> {
  for (let sent = 0; sent < total; sent += piece.length) {
    seen.sent += piece.length;
    yield piece;
  }
}

const large = nodeHandler(async (_, res) => {
  try {
    await pipeline(Readable.from(pieces(1024 * MIB), { objectMode: false, highWaterMark: 65_536 }), res);
  } catch {
    seen.rejected++;
  }
});

/** What it opened, and what it works on. */
const opened: number[] = [];
const at: (() => void)[] = [];

const paths: Record<string, Handler> = {
  '/hello': (exchange) => exchange.respond(200, 'OK', ['Content-Type', 'text/plain'], 'hello'),
  '/never': () => {},
  '/begun': (exchange) => void exchange.start(200, 'OK', []).write('begun'),
  '/large': large,
  '/copy': nodeHandler((req, res) => void req.pipe(res)),
  '/throw': () => {
    throw new Error('thrown');
  },
  '/log': (exchange) => {
    for (let i = 0; i < 100_000; i++) exchange.errors.write(`${'x'.repeat(1000)}\n`);
    exchange.respond(200, 'OK', [], 'logged');
  },
  '/echo': async (exchange) => {
    try {
      exchange.respond(200, 'OK', [], Buffer.from(await exchange.input.bytes(MIB)));
    } catch (error) {
      seen.rejected++;
      exchange.fail(error);
    }
  },
  // works on when its client has left
  '/work': () => new Promise<void>((resolve) => at.push(resolve)),
  '/open': (exchange) => {
    opened.push(openSync(__filename, 'r'));
    exchange.respond(200, 'OK', [], 'opened');
  },
};

function handler(exchange: Exchange): unknown {
  seen.asked++;
  seen.running++;
  seen.mostRunning = Math.max(seen.mostRunning, seen.running);
  exchange.onOver(() => {
    seen.running--;
  });
  exchange.signal.addEventListener('abort', () => {
    seen.aborted++;
  });
  return paths[exchange.head.target](exchange);
}

const clock = options.standing ? new FakeClock() : systemClock;
const server = new Server(handler, {
  limits: limitsWith(options.limits),
  clock,
  log: (entry) => logs.push(entry),
  onError: (error) => errors.push(String((error as { code?: string }).code ?? error)),
});

function level(): { rss: number; external: number } {
  globalThis.gc?.();
  // from Node 24 on buffers are given back beside the program, and are sure to be gone when it begins once more
  globalThis.gc?.();
  const { rss, external } = process.memoryUsage();
  return { rss: rss / MIB, external: external / MIB };
}

let base = level();
let most = base;

function sample(): void {
  try {
    const now = level();
    most = { rss: Math.max(most.rss, now.rss), external: Math.max(most.external, now.external) };
  } catch {
    // to be told of memory a process needs a descriptor, and may have none
  }
}

/** All the while, but for a fifth of the time at most. */
function watch(): void {
  const began = performance.now();
  sample();
  setTimeout(watch, Math.max(50, 4 * (performance.now() - began))).unref();
}

function reset(): void {
  base = level();
  most = base;
  logs.length = 0;
  errors.length = 0;
  for (const name of Object.keys(seen) as (keyof typeof seen)[]) if (name !== 'running') seen[name] = 0;
}

const control = createServer((req, res) => {
  const { pathname, searchParams } = new URL(req.url ?? '/', 'http://control');
  if (pathname === '/reset') reset();
  if (pathname === '/close') for (const fd of opened.splice(0)) closeSync(fd);
  if (pathname === '/finish') for (const finish of at.splice(0)) finish();
  if (pathname === '/advance' && clock instanceof FakeClock) clock.advance(Number(searchParams.get('ms')));
  if (pathname === '/grown') sample();
  const growth = { rss: most.rss - base.rss, external: most.external - base.external };
  const { connections, requests } = server.stats();
  const timers = clock instanceof FakeClock ? clock.pending : -1;
  res.end(
    JSON.stringify({ ...seen, working: requests.running, connections: connections.open, timers, growth, logs, errors }),
  );
});

async function start(): Promise<void> {
  const ports: Record<string, number> = {};
  const framed = [fastcgi, scgi, ajp, uwsgi];
  for (const protocol of [...framed, http(), auto(framed, http())]) {
    const address = await server.listen(protocol, { transport: 'tcp', host: '127.0.0.1', port: 0 });
    if (address.transport === 'tcp') ports[protocol.name] = address.port;
  }
  await new Promise<void>((resolve) => control.listen(0, '127.0.0.1', resolve));
  ports.control = (control.address() as AddressInfo).port;
  reset();
  if (options.watched !== false) watch();
  console.log(`listening ${JSON.stringify(ports)}`);
}

process.on('SIGTERM', () => {
  control.close();
  control.closeAllConnections();
  server.close(0).then((complete) => console.log(`closed ${complete}`));
});
void start();
