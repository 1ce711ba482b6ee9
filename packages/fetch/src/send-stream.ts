import type { ReadableStreamReadResult } from 'node:stream/web';
import { type BodyWriter, type Chunk, drained, type Exchange, LocalProtocolError } from '@postern/core';
import type { ReplyParts } from './reply-parts.ts';

type Reader = ReadableStreamDefaultReader<unknown>;

/** A stream that ends within so many pieces, each of them there at once, is sent whole. */
const READY_PIECES = 4;
/** How many microtasks "at once" is: a stream that Node makes of text or bytes needs two for its end. */
const READY_TURNS = 4;

/**
 * Sends a reply whose body is a stream. When the exchange is over the stream is cancelled; when the stream breaks off, so
 * does the reply. Never rejects.
 */
export async function sendStream(exchange: Exchange, head: ReplyParts, stream: ReadableStream): Promise<void> {
  try {
    const reader: Reader = stream.getReader();
    exchange.onOver((error) => {
      if (error !== undefined) reader.cancel(error).catch(ignore);
    });
    const ready: Chunk[] = [];
    let next = new Reading(reader);
    while (ready.length < READY_PIECES && (await next.soon())) {
      const step = await next.result;
      if (exchange.over) return;
      if (step.done) {
        exchange.respond(head.status, head.reason, head.headers, whole(ready));
        return;
      }
      ready.push(toChunk(step.value));
      next = new Reading(reader);
    }
    if (exchange.over) return;
    await pump(exchange.start(head.status, head.reason, head.headers), ready, next.result, reader);
  } catch (error) {
    exchange.fail(error);
  }
}

async function pump(
  writer: BodyWriter,
  ready: Chunk[],
  first: Promise<ReadableStreamReadResult<unknown>>,
  reader: Reader,
): Promise<void> {
  for (const chunk of ready) writer.write(chunk);
  let step = await first;
  while (!writer.closed) {
    if (step.done) {
      writer.end();
      return;
    }
    const room = writer.write(toChunk(step.value));
    if (!room) await drained(writer);
    step = await reader.read();
  }
}

/** One read that is under way. */
class Reading {
  readonly result: Promise<ReadableStreamReadResult<unknown>>;
  #settled = false;

  constructor(reader: Reader) {
    this.result = reader.read();
    const settle = (): void => {
      this.#settled = true;
    };
    this.result.then(settle, settle);
  }

  /** Whether it is done within a few microtasks. */
  async soon(): Promise<boolean> {
    for (let turn = 0; turn < READY_TURNS && !this.#settled; turn++) await undefined;
    return this.#settled;
  }
}

function whole(pieces: Chunk[]): Chunk | null {
  if (pieces.length < 2) return pieces[0] ?? null;
  return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
}

function toChunk(value: unknown): Chunk {
  if (typeof value === 'string' || value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw new LocalProtocolError('ERR_APP_REPLY', `a piece of the body is ${typeof value}, not text or bytes`);
}

function ignore(): void {}
