import type { RequestEvent, ServerConnection } from '@postern/core';
import { outputText } from './conversation.ts';

/** What came of bytes on a server's side of a protocol whose application takes every upgrade. */
export interface Tunnelled {
  /** The types of events that are no raw bytes. */
  readonly events: string[];
  /** Raw bytes of the client, as latin-1. */
  readonly heard: string;
  /** What went to the web server, bytes as latin-1. */
  readonly output: string;
  readonly close: ServerConnection['wantsClose'];
}

export interface TunnelPlay {
  /** The application answers when all chunks are there, not at once. */
  readonly late?: boolean;
  /** The peer's FIN behind the last chunk. */
  readonly fin?: boolean;
  /** What the application does with raw bytes, and at their end. */
  readonly data?: (connection: ServerConnection, id: number, chunk: Buffer) => void;
  readonly end?: (connection: ServerConnection, id: number) => void;
}

/** Answers a request for an upgrade. */
export function upgrade(connection: ServerConnection, id = 1): void {
  const headers = ['Upgrade', 'echo', 'Connection', 'Upgrade'];
  connection.send({ type: 'upgrade', id, status: 101, reason: 'Switching Protocols', headers });
}

/**
 * Plays an application that becomes a tunnel and sends back what it hears, and a transport without a socket. Each chunk
 * lies in memory that is overwritten when the connection was told to retain what it needs of it.
 */
export function tunnelling(
  connection: ServerConnection,
  chunks: readonly Uint8Array[],
  play: TunnelPlay = {},
): Tunnelled {
  const { data = echo, end = endBoth } = play;
  const events: string[] = [];
  const asked: number[] = [];
  let heard = '';
  let output = '';
  const take = (event: RequestEvent): void => {
    if (event.type === 'data') {
      const chunk = Buffer.from(event.chunk);
      heard += chunk.toString('latin1');
      data(connection, event.id, chunk);
      connection.pull(event.id);
      return;
    }
    events.push(event.type);
    if (event.type === 'end') end(connection, event.id);
    else if (event.type === 'request' && play.late) asked.push(event.id);
    else if (event.type === 'request') upgrade(connection, event.id);
  };
  const pump = (): void => {
    for (let event = connection.next(); event !== undefined; event = connection.next()) take(event);
    output += outputText(connection);
  };
  for (const chunk of chunks) {
    const memory = Buffer.from(chunk);
    connection.receive(memory);
    pump();
    connection.retain();
    memory.fill(0xee);
  }
  for (const id of asked) upgrade(connection, id);
  if (play.fin) connection.receiveEnd();
  pump();
  return { events, heard, output, close: connection.wantsClose };
}

function echo(connection: ServerConnection, id: number, chunk: Buffer): void {
  connection.send({ type: 'data', id, chunk });
}

function endBoth(connection: ServerConnection, id: number): void {
  connection.send({ type: 'end', id });
}
