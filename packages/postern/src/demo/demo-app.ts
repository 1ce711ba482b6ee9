import { createHash } from 'node:crypto';
import type { Environ, Reply } from '@postern/core';
import { pageHeaders, renderPage } from './page.ts';

/** What was found out about the body of a request. */
export interface Received {
  readonly bytes: number;
  readonly sha256: string;
  /** In how many pieces it came to the application. */
  readonly pieces: number;
}

/** How many lines the stream has, and how many milliseconds lie between two. */
const LINES = 12;
const PAUSE = 400;

const sendsBody = new Set(['POST', 'PUT', 'PATCH']);

/** An environ application that shows its environ: on any path, for any method. */
export function demoApp(environ: Environ): Reply | Promise<Reply> {
  if (environ.PATH_INFO === '/stream' && environ.REQUEST_METHOD === 'GET') return stream(environ);
  if (sendsBody.has(environ.REQUEST_METHOD)) return receive(environ);
  return page(environ, undefined);
}

function page(environ: Environ, received: Received | undefined): Reply {
  const body = renderPage(environ, received);
  return { status: 200, headers: { ...pageHeaders, 'Content-Length': String(Buffer.byteLength(body)) }, body };
}

/** Reads the body as it comes: only its hash is kept, so its size does not matter. */
async function receive(environ: Environ): Promise<Reply> {
  const hash = createHash('sha256');
  let bytes = 0;
  let pieces = 0;
  for await (const chunk of environ['gateway.input']) {
    hash.update(chunk);
    bytes += chunk.length;
    pieces++;
  }
  const received: Received = { bytes, sha256: hash.digest('hex'), pieces };
  if (!/\bapplication\/json\b/.test(String(environ.HTTP_ACCEPT ?? ''))) return page(environ, received);
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
  return { status: 200, headers, body: `${JSON.stringify(received)}\n` };
}

/** A line now and then; it ends with its client. */
function stream(environ: Environ): Reply {
  const headers = {
    'Content-Type': 'text/plain; charset=utf-8',
    'Cache-Control': 'no-store',
    // nginx and Apache would hold a stream back otherwise
    'X-Accel-Buffering': 'no',
    'X-Content-Type-Options': 'nosniff',
  };
  return { status: 200, headers, body: lines(environ['gateway.signal']) };
}

async function* lines(signal: AbortSignal): AsyncGenerator<string, void, void> {
  const start = performance.now();
  for (let line = 1; line <= LINES; line++) {
    if (line > 1) await pause(signal);
    if (signal.aborted) return;
    yield `${line} of ${LINES}, written at ${((performance.now() - start) / 1000).toFixed(1)} s\n`;
  }
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, PAUSE);
    signal.addEventListener('abort', done);
  });
}
