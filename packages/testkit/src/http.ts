import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

export interface HttpReply {
  readonly status: number;
  readonly reason: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: string[];
  readonly body: Buffer;
  readonly text: string;
}

export interface HttpAsk {
  readonly port: number;
  readonly path?: string;
  readonly method?: string;
  /** An array gives the header several times. */
  readonly headers?: Record<string, string | string[]>;
  /** A stream is sent chunked. */
  readonly body?: string | Buffer | Readable;
  readonly signal?: AbortSignal;
}

/** One HTTP request to loopback on a connection of its own; the path is sent as it is. Rejects when the reply is cut. */
export function http(ask: HttpAsk): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    const { port, path = '/', method = 'GET', headers = {}, body, signal } = ask;
    const request = httpRequest({
      host: '127.0.0.1',
      port,
      path,
      method,
      headers: { ...headers },
      agent: false,
      signal,
    });
    let answered = false;
    request.on('response', (response) => {
      answered = true;
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const whole = Buffer.concat(chunks);
        resolve({
          status: response.statusCode ?? 0,
          reason: response.statusMessage ?? '',
          headers: response.headers,
          rawHeaders: response.rawHeaders,
          body: whole,
          text: whole.toString(),
        });
      });
    });
    // a server that answers early may close while the body is still written
    request.on('error', (error) => {
      if (!answered) reject(error);
    });
    if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) {
      if (body !== undefined && headers['content-length'] === undefined)
        request.setHeader('content-length', Buffer.byteLength(body));
      request.end(body);
    } else body.pipe(request);
  });
}
