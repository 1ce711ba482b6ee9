import type { RequestEvent } from '@postern/core';
import { begin, outputText, pairs, params, plainGet, type ReadReply, readReplies } from '@postern/testkit';
import type { FastcgiServerConnection } from '../src/server-connection.ts';

/** Every event that the bytes bring. */
export function receive(connection: FastcgiServerConnection, ...parts: Uint8Array[]): RequestEvent[] {
  for (const part of parts) connection.receive(part);
  const events: RequestEvent[] = [];
  for (let event = connection.next(); event !== undefined; event = connection.next()) events.push(event);
  return events;
}

export function summary(events: RequestEvent[]): string[] {
  return events.map((event) => `${event.id} ${event.type}${'chunk' in event ? ` ${Buffer.from(event.chunk)}` : ''}`);
}

export function open(id = 1, more: Record<string, string> = {}, flags = 1): Buffer {
  return Buffer.concat([begin(id, flags), params(pairs({ ...plainGet, ...more }), id), params('', id)]);
}

export function post(id = 1, length?: number): Buffer {
  return open(id, { REQUEST_METHOD: 'POST', ...(length === undefined ? {} : { CONTENT_LENGTH: String(length) }) });
}

export function whole(connection: FastcgiServerConnection, id = 1, body: string | Uint8Array | null = 'hi'): void {
  const headers = ['Content-Type', 'text/plain'];
  connection.send({ type: 'whole', id, status: 200, reason: 'OK', headers, body });
}

export function head(connection: FastcgiServerConnection, id = 1): void {
  connection.send({ type: 'head', id, status: 200, reason: 'OK', headers: [] });
}

export function data(connection: FastcgiServerConnection, chunk: string | Uint8Array, id = 1): void {
  connection.send({ type: 'data', id, chunk });
}

export function replies(connection: FastcgiServerConnection, budget?: number): ReadReply[] {
  return readReplies(outputText(connection, budget)).replies;
}
