import { expect } from '@jest/globals';
import {
  type AnswerEvent,
  type BackEndOptions,
  type LimitName,
  limitsWith,
  type Output,
  RemoteProtocolError,
  type Role,
} from '@postern/core';
import { FastcgiClientConnection } from '../src/client-connection.ts';
import { RecordType } from '../src/constants.ts';
import { endRequest, recordHeader } from '../src/layouts.ts';

export const OK = 'Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n';

export function record(type: number, content: string | Buffer = '', { id = 1, padding = 0 } = {}): Buffer {
  const bytes = Buffer.from(content as string, 'latin1');
  const header = recordHeader.write({
    version: 1,
    type,
    requestId: id,
    contentLength: bytes.length,
    paddingLength: padding,
  });
  return Buffer.concat([header, bytes, Buffer.alloc(padding, 0xee)]);
}

export const stdout = (content = '', set = {}): Buffer => record(RecordType.STDOUT, content, set);
export const stderr = (content = '', set = {}): Buffer => record(RecordType.STDERR, content, set);
export const end = (protocolStatus = 0, id = 1): Buffer =>
  record(RecordType.END_REQUEST, endRequest.write({ protocolStatus }), { id });
/** A whole reply. */
export const reply = (body: string, id = 1): Buffer =>
  Buffer.concat([stdout(OK + body, { id }), stdout('', { id }), end(0, id)]);

export function bytesOf(output: Output | undefined): Buffer {
  if (output === undefined) return Buffer.alloc(0);
  if (typeof output === 'string') return Buffer.from(output, 'latin1');
  return Array.isArray(output) ? Buffer.concat(output) : Buffer.from(output);
}

export interface Cut {
  type: number;
  id: number;
  content: Buffer;
  padding: number;
}

/** Cuts output into records by the layout, which is the oracle. */
export function cut(bytes: Buffer): Cut[] {
  const records: Cut[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { version, type, requestId: id, contentLength, paddingLength: padding } = recordHeader.parse(bytes, at);
    expect(version).toBe(1);
    at += recordHeader.size;
    records.push({ type, id, content: bytes.subarray(at, at + contentLength), padding });
    at += contentLength + padding;
    expect(at).toBeLessThanOrEqual(bytes.length);
  }
  return records;
}

export function asked({ keep = false, body = '', set = {} } = {}): FastcgiClientConnection {
  const connection = new FastcgiClientConnection(limitsWith(set));
  connection.send({ type: 'request', id: 1, variables: ['REQUEST_METHOD', 'GET'], keep });
  if (body !== '') connection.send({ type: 'data', id: 1, chunk: Buffer.from(body) });
  connection.send({ type: 'end', id: 1 });
  connection.takeOutput(1_000_000);
  return connection;
}

export interface Heard {
  head?: { status: number; reason: string; headers: string[] };
  body: string;
  log: string;
  end?: { reuse: boolean };
}

export function collect(heard: Heard, event: AnswerEvent): void {
  switch (event.type) {
    case 'head':
      expect(heard.head).toBeUndefined();
      heard.head = { status: event.status, reason: event.reason, headers: event.headers };
      break;
    case 'data':
      expect(heard.head).toBeDefined();
      heard.body += Buffer.from(event.chunk).toString('latin1');
      break;
    case 'log':
      heard.log += Buffer.from(event.chunk).toString('latin1');
      break;
    case 'end':
      expect(heard.end).toBeUndefined();
      heard.end = { reuse: event.reuse };
  }
}

/** Everything that is heard of these bytes when they come in pieces of one size. */
export function hear(bytes: Buffer, size = bytes.length, connection = asked()): Heard {
  const heard: Heard = { body: '', log: '' };
  for (let at = 0; at < bytes.length; at += size) {
    connection.receive(bytes.subarray(at, at + size));
    for (let event = connection.next(); event !== undefined; event = connection.next()) {
      collect(heard, event);
      connection.pull(1);
    }
  }
  return heard;
}

export function refusal(bytes: Buffer, size = bytes.length, connection = asked()): RemoteProtocolError {
  try {
    hear(bytes, size, connection);
  } catch (error) {
    expect(error).toBeInstanceOf(RemoteProtocolError);
    expect(connection.wantsClose).toBe('reset');
    expect(connection.next()).toBeUndefined();
    return error as RemoteProtocolError;
  }
  throw new Error('the bytes were not refused');
}

interface Several {
  readonly ids: readonly number[];
  readonly role?: Role;
  readonly set?: Partial<Record<LimitName, number>>;
  readonly options?: BackEndOptions;
}

/** A connection on which requests of these ids run, all of them sent. */
export function askedFor({ ids, role, set, options }: Several): FastcgiClientConnection {
  const connection = new FastcgiClientConnection(limitsWith(set), options);
  for (const id of ids) {
    connection.send({ type: 'request', id, role, variables: ['REQUEST_METHOD', 'GET'], keep: true });
    connection.send({ type: 'end', id });
  }
  connection.takeOutput(1_000_000);
  return connection;
}

/** What was heard, in its order; the pieces of one body are joined. */
export class Listener {
  readonly heard: string[] = [];
  readonly bodies = new Map<number, string>();
  readonly connection: FastcgiClientConnection;
  /** Whose bodies are pulled as they come; without it all. */
  readonly reads: (id: number) => boolean;

  constructor(connection: FastcgiClientConnection, reads: (id: number) => boolean = () => true) {
    this.connection = connection;
    this.reads = reads;
  }

  receive(...chunks: Uint8Array[]): this {
    for (const chunk of chunks) {
      this.connection.receive(chunk);
      this.listen();
    }
    return this;
  }

  listen(): void {
    for (;;) {
      try {
        const event = this.connection.next();
        if (event === undefined) return;
        this.#add(event);
      } catch (error) {
        if (!(error instanceof RemoteProtocolError)) throw error;
        const { code, scope, statusHint, id } = error;
        this.heard.push(scope === 'request' ? `${id} ${code} ${statusHint}` : `${code} ${statusHint}`);
      }
    }
  }

  #add(event: AnswerEvent): void {
    const { id } = event;
    switch (event.type) {
      case 'data':
        this.bodies.set(id, (this.bodies.get(id) ?? '') + Buffer.from(event.chunk).toString('latin1'));
        break;
      case 'head':
        this.heard.push(`${id} head ${event.status}`);
        break;
      case 'end':
        this.heard.push(`${id} end ${event.reuse ? 'reuse' : 'close'}`);
        break;
      case 'values':
        this.heard.push(`${id} values ${event.values.join(' ')} at once ${event.atOnce}`);
        break;
      default:
        this.heard.push(`${id} ${event.type}`);
    }
    if (this.reads(id)) this.connection.pull(id);
  }
}
