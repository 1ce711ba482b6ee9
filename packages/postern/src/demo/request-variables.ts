import type { IncomingMessage } from 'node:http';
import { decodePath, HttpHead, normalisePath, targetPath } from '@postern/core';

/** Fields of one connection, not of the request (RFC 9110 §7.6.1), and what must not become a variable. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The fields that go on to the other side, both ways: flat [name, value, …] without those of this connection alone. */
export function endToEnd(headers: readonly string[]): string[] {
  const left = new Set(hopByHop);
  for (let i = 0; i < headers.length; i += 2) {
    // Connection names further ones
    if (headers[i].toLowerCase() === 'connection')
      for (const name of headers[i + 1].toLowerCase().split(/[\s,]+/)) left.add(name);
  }
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (!left.has(headers[i].toLowerCase())) kept.push(headers[i], headers[i + 1]);
  }
  return kept;
}

/**
 * An HTTP request as the variables that nginx would send with the configuration of `postern config nginx`: flat
 * [name, value, …], bytes as latin-1.
 */
export function requestVariables(request: IncomingMessage): string[] {
  const { method = 'GET', url: target = '/', socket, rawHeaders } = request;
  const path = targetPath(target);
  const connection = [
    'SCRIPT_NAME',
    '',
    'PATH_INFO',
    path.startsWith('/') ? normalisePath(decodePath(path)) : '',
    'SERVER_NAME',
    'localhost',
    'SERVER_ADDR',
    socket.localAddress ?? '',
    'SERVER_PORT',
    String(socket.localPort ?? ''),
    'REMOTE_ADDR',
    socket.remoteAddress ?? '',
    'REMOTE_PORT',
    String(socket.remotePort ?? ''),
    'SERVER_SOFTWARE',
    'postern-demo',
  ];
  // a body of unknown length: the empty CONTENT_LENGTH of a streaming web server, and this, which no app sees
  if (request.headers['transfer-encoding'] !== undefined) connection.push('HTTP_TRANSFER_ENCODING', 'chunked');
  const head = { method, target, protocol: `HTTP/${request.httpVersion}`, scheme: 'http', contentLength: -1 } as const;
  return new HttpHead(head, endToEnd(rawHeaders), connection).variables();
}
