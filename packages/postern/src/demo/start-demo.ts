import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectTarget, proxy } from '@postern/client';
import { ConfigError } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { http, Server } from '@postern/server';
import { formatAddress, parseAddress } from '../address.ts';
import { serve } from '../serve.ts';
import { demoApp } from './demo-app.ts';
import { appLines, errorLine } from './log-lines.ts';

export interface DemoOptions {
  /** Of the front-end, on 127.0.0.1; 0: any free port. */
  readonly port: number;
  /** Takes the lines of the front-end's error log. */
  readonly log: (line: string) => void;
}

export interface Demo {
  /** Where the page is. */
  readonly url: string;
  /** Where the app listens, in the grammar of addresses. */
  readonly backEnd: string;
  /**
   * Stops accepting, finishes what runs; the socket is gone afterwards.
   * @param grace milliseconds; after that what runs is cut
   */
  close(grace: number): Promise<void>;
}

const HOST = '127.0.0.1';
/** `sun_path` has 108 bytes, and a temporary folder may have a long name. */
const MAX_SOCKET_PATH = 100;

/**
 * Serves the demo app over FastCGI, and a front-end that makes HTTP of it.
 * @throws ConfigError ERR_ADDRESS_IN_USE and others: what cannot be bound; nothing is left behind
 */
export async function startDemo({ port, log }: DemoOptions): Promise<Demo> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-demo-'));
  const closing: ((grace: number) => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const close = async (grace: number): Promise<void> => {
    const part = closing.pop();
    if (part === undefined) return;
    try {
      await part(grace);
    } finally {
      await close(grace);
    }
  };
  try {
    const served = await serve(demoApp, { listen: listenAddress(folder), interface: 'environ' });
    closing.push((grace) => served.close(grace));
    const [backEnd] = served.addresses;
    const { target } = parseAddress(backEnd, 'connect');
    const frontEnd = frontEndOf(target as ConnectTarget, log);
    closing.push((grace) => frontEnd.close(grace));
    return { url: `${await listen(frontEnd, port)}/`, backEnd, close };
  } catch (error) {
    await close(0);
    throw error;
  }
}

/** A web server in the small: each HTTP request becomes one request to the back-end, streamed both ways. */
function frontEndOf(backEnd: ConnectTarget, log: DemoOptions['log']): Server {
  const onError = (error: unknown): void => log(errorLine(error));
  const onLog = (text: string): void => {
    for (const line of appLines(text)) log(line);
  };
  return new Server(proxy(fastcgi, backEnd, { onLog, onError }), {
    onError,
    log: ({ level, code, message }) => {
      if (level !== 'info') log(`${code}: ${message}`);
    },
  });
}

/** @returns the address @throws ConfigError */
async function listen(frontEnd: Server, port: number): Promise<string> {
  try {
    return formatAddress('http', await frontEnd.listen(http(), { transport: 'tcp', host: HOST, port }));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(error.code, `${error.message} with --port`, { cause: error });
  }
}

/** A socket that nobody else can reach; where such a one cannot be, a port of loopback. */
function listenAddress(folder: string): string {
  const path = join(folder, 'demo.sock');
  if (process.platform === 'win32' || Buffer.byteLength(path) > MAX_SOCKET_PATH) return `fastcgi://${HOST}:0`;
  return `fastcgi+unix:${path.replace(/[^A-Za-z0-9/._~-]/g, encodeURIComponent)}`;
}
