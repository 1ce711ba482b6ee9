import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Answer, type ConnectTarget, request } from '@postern/client';
import {
  type ClientProtocol,
  ConfigError,
  describeError,
  PosternError,
  RemoteProtocolError,
  reasonOf,
} from '@postern/core';
import { html } from './html.ts';
import { endToEnd, requestVariables } from './request-variables.ts';
import { UploadSource } from './upload-source.ts';

export interface FrontEndOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** How the back-end is spoken to, and where it listens. */
  readonly protocol: ClientProtocol;
  readonly backEnd: ConnectTarget;
  /** Takes the lines of the front-end's error log. */
  readonly log: (line: string) => void;
}

export interface FrontEnd {
  readonly port: number;
  /**
   * Stops accepting, finishes what runs.
   * @param grace milliseconds; after that what runs is cut
   */
  close(grace: number): Promise<void>;
}

/**
 * A web server in the small: each HTTP request becomes one request to the back-end, streamed both ways.
 * @throws ConfigError ERR_ADDRESS_IN_USE, ERR_ADDRESS_DENIED, ERR_ADDRESS_UNAVAILABLE
 */
export async function startFrontEnd(options: FrontEndOptions): Promise<FrontEnd> {
  const server = createServer((incoming, outgoing) => void forward(options, incoming, outgoing));
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    close: (grace) => close(server, grace),
  };
}

function listen(server: Server, { host, port }: FrontEndOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(bindError(error, `${host}:${port}`)));
    server.listen({ host, port }, resolve);
  });
}

function bindError(error: NodeJS.ErrnoException, name: string): ConfigError {
  const options = { cause: error };
  const todo = 'choose another port with --port';
  switch (error.code) {
    case 'EADDRINUSE':
      return new ConfigError(
        'ERR_ADDRESS_IN_USE',
        `${name}: another process listens there: stop it or ${todo}`,
        options,
      );
    case 'EACCES':
    case 'EPERM':
      return new ConfigError('ERR_ADDRESS_DENIED', `${name}: no permission to listen there: ${todo}`, options);
    default:
      return new ConfigError(
        'ERR_ADDRESS_UNAVAILABLE',
        `${name}: cannot be listened on (${error.code}): ${todo}`,
        options,
      );
  }
}

function close(server: Server, grace: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), grace);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

async function forward(options: FrontEndOptions, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const gone = new AbortController();
  outgoing.on('close', () => gone.abort());
  let answer: Answer;
  try {
    answer = await request(options.protocol, options.backEnd, {
      variables: requestVariables(incoming),
      body: hasBody(incoming) ? new UploadSource(incoming) : undefined,
      signal: gone.signal,
      onLog: (text) => logLines(options, text),
    });
  } catch (error) {
    if (!gone.signal.aborted) refuse(options, outgoing, error);
    return;
  }
  try {
    outgoing.writeHead(answer.status, answer.reason, endToEnd(answer.headers));
    // the head of a stream that is silent yet must not wait for its first byte; one with a body goes out in one piece
    setImmediate(() => outgoing.flushHeaders());
    for await (const chunk of answer.body) if (!outgoing.write(chunk)) await room(outgoing);
    outgoing.end();
  } catch (error) {
    if (!gone.signal.aborted) options.log(describe(error));
    // an answer that broke off must not look complete
    outgoing.destroy();
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** The error page of a gateway: a bare status for the client, the cause for the operator. */
function refuse(options: FrontEndOptions, outgoing: ServerResponse, error: unknown): void {
  options.log(describe(error));
  const status = error instanceof RemoteProtocolError && error.statusHint >= 500 ? error.statusHint : 502;
  const title = `${status} ${reasonOf(status)}`;
  const page = html`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<title>${title}</title>
<body style="font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1rem">
<h1>${title}</h1>
<p>The front-end got no proper answer from the app behind it. The cause stands in its log.</p>
</html>
`;
  outgoing.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' });
  outgoing.end(page.text);
}

function describe(error: unknown): string {
  return error instanceof PosternError ? `${error.code}: ${error.message}` : `ERR_INTERNAL: ${describeError(error)}`;
}

/** Quotes and backslashes stay: a careful back-end has made them safe already. */
const CONTROL = /[\x00-\x1f\x7f-\x9f]/g;

function escapeControl(control: string): string {
  return `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

function logLines({ log }: FrontEndOptions, text: string): void {
  for (const line of text.split('\n')) if (line !== '') log(`app: ${line.replace(CONTROL, escapeControl)}`);
}

/** Resolves when the client took what was written, or left. */
function room(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off('drain', done);
      outgoing.off('close', done);
      resolve();
    };
    outgoing.on('drain', done);
    outgoing.on('close', done);
    if (outgoing.destroyed) done();
  });
}
