import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import type { ServerTls } from './tls-files.ts';

/** A `(req, res)` application, or an `http.Server` that does not listen and has its listeners. */
export type HttpListener = ((req: IncomingMessage, res: ServerResponse) => unknown) | HttpServer;

/** HTTP/1.1 by node:http, which no sans-I/O codec stands behind: what `Server.listen` takes beside the framed protocols. */
export interface HttpProtocol {
  readonly name: 'http' | 'https';
  readonly tls?: ServerTls;
  /** Gets Node's own `req` and `res`; without it each request is an exchange for the server's handler. */
  readonly listener?: HttpListener;
}

export function http(options: { tls?: ServerTls; listener?: HttpListener } = {}): HttpProtocol {
  return { name: options.tls === undefined ? 'http' : 'https', ...options };
}

export function isHttp(protocol: { readonly name: string }): protocol is HttpProtocol {
  return protocol.name === 'http' || protocol.name === 'https';
}
