import { expect } from '@jest/globals';
import { type AnswerEvent, type BackEndOptions, type LimitName, limitsWith, RemoteProtocolError } from '@postern/core';
import { everyWay, outputText } from '@postern/testkit';
import { AjpClientConnection } from '../src/client-connection.ts';
import { endResponse, getBodyChunk, packetHeader, requestBody, sendBodyChunk, sendHeaders } from '../src/layouts.ts';
import { hex, str, u16 } from './writer.ts';

/** A packet towards the web server, by the layouts. */
export function answer(...parts: Uint8Array[]): Buffer {
  const payload = Buffer.concat(parts);
  return Buffer.concat([packetHeader.write({ magic: 0x4142, length: payload.length }), payload]);
}

/** A header of a reply: a number is its code, whose name does not go out. */
export type Field = [name: string | number | null, value: string | null];

export function headers(
  fields: Field[] = [],
  { status = 200, reason = 'OK' as string | null, count = -1 } = {},
): Buffer {
  const bytes = fields.flatMap(([name, value]) => [typeof name === 'number' ? u16(name) : str(name), str(value)]);
  const start = sendHeaders.write({ type: 4, status });
  return answer(start, str(reason), u16(count < 0 ? fields.length : count), ...bytes);
}

export function chunk(text: string, { nul = true } = {}): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  return answer(sendBodyChunk.write({ type: 3, length: bytes.length }), bytes, Buffer.alloc(nul ? 1 : 0));
}

export const getBody = (length = 8186): Buffer => answer(getBodyChunk.write({ type: 6, length }));
export const end = (reuse = 1): Buffer => answer(endResponse.write({ type: 5, reuse }));
export const FLUSH = chunk('');
export const CPONG = hex('41 42 00 01 09');
export const REPLY = Buffer.concat([headers([[0xa001, 'text/plain']]), chunk('hello'), end()]);

export interface Asking {
  keep?: boolean;
  /** Flat [name, value, …] behind REQUEST_METHOD. */
  variables?: string[];
  method?: string;
  set?: Partial<Record<LimitName, number>>;
  options?: BackEndOptions;
}

/** A connection whose request has gone out; without `complete` its body may still be given. */
export function asked(asking: Asking = {}, complete = true): AjpClientConnection {
  const { keep = true, variables = [], method = 'GET', set = {}, options } = asking;
  const connection = new AjpClientConnection(limitsWith(set), options);
  connection.send({ type: 'request', id: 1, variables: ['REQUEST_METHOD', method, ...variables], keep });
  if (complete) connection.send({ type: 'end', id: 1 });
  outputText(connection);
  return connection;
}

/** A connection that is to send a body of this length. */
export const posting = (length: number | 'chunked', options?: BackEndOptions): AjpClientConnection =>
  asked(
    {
      method: 'POST',
      variables: length === 'chunked' ? ['HTTP_TRANSFER_ENCODING', 'chunked'] : ['CONTENT_LENGTH', String(length)],
      options,
    },
    false,
  );

export interface Heard {
  head?: { status: number; reason: string; headers: string[] };
  body: string;
  end?: { reuse: boolean };
  pongs: number;
}

/** Everything that is heard of these bytes, each piece of a body pulled. */
export function hear(connection: AjpClientConnection, ...parts: Uint8Array[]): Heard {
  const heard: Heard = { body: '', pongs: 0 };
  for (const part of parts) {
    connection.receive(part);
    for (let event = connection.next(); event !== undefined; event = connection.next()) {
      collect(heard, event);
      connection.pull(1);
    }
  }
  return heard;
}

function collect(heard: Heard, event: AnswerEvent): void {
  switch (event.type) {
    case 'head':
      expect(heard.head).toBeUndefined();
      heard.head = { status: event.status, reason: event.reason, headers: event.headers };
      break;
    case 'data':
      expect(heard.head).toBeDefined();
      expect(event.chunk.length).toBeGreaterThan(0);
      heard.body += Buffer.from(event.chunk).toString('latin1');
      break;
    case 'end':
      expect(heard.end).toBeUndefined();
      heard.end = { reuse: event.reuse };
      break;
    case 'pong':
      heard.pongs++;
      break;
    default:
      throw new Error(`${event.type}, which AJP does not have`);
  }
}

/** What is heard in every way; `make` gives a connection that waits for an answer. */
export const hearEveryWay = (bytes: Uint8Array, make = (): AjpClientConnection => asked()): Heard =>
  everyWay(bytes, (chunks) => hear(make(), ...chunks));

/** How these bytes are refused, in every way; what was heard before does not count. */
export function refusal(
  bytes: Uint8Array,
  make = (): AjpClientConnection => asked(),
): { code: string; message: string } {
  return everyWay(
    bytes,
    (chunks) => {
      const connection = make();
      try {
        hear(connection, ...chunks);
      } catch (error) {
        expect(error).toBeInstanceOf(RemoteProtocolError);
        const { code, message, scope, statusHint } = error as RemoteProtocolError;
        expect({ scope, statusHint }).toEqual({ scope: 'connection', statusHint: 502 });
        expect(connection.wantsClose).toBe('reset');
        connection.receive(REPLY);
        expect(connection.next()).toBeUndefined();
        expect(outputText(connection)).toBe('');
        return { code, message };
      }
      throw new Error('the bytes were not refused');
    },
    { trailing: REPLY.subarray(0, 7) },
  );
}

/** The body packets in output, by the layouts; all else is no body packet. @throws Error it is malformed */
export function bodyPackets(text: string): string[] {
  const bytes = Buffer.from(text, 'latin1');
  const found: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { magic, length } = packetHeader.parse(bytes, at);
    const inner = requestBody.parse(bytes, at + packetHeader.size).length;
    if (magic !== 0x1234 || length !== inner + 2) throw new Error(`no body packet at ${at}`);
    const from = at + packetHeader.size + requestBody.size;
    found.push(bytes.toString('latin1', from, from + inner));
    at = from + inner;
    if (at > bytes.length) throw new Error('half a packet');
  }
  return found;
}
