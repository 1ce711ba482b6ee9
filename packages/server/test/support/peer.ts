import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { type ReadReply, readReplies } from '@postern/testkit';
import type { BoundAddress } from '../../src/address.ts';

/** The bytes of an END_REQUEST. */
const END = 16;

/** A web server's end of one connection, with everything that came. */
export class Peer {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  /** Bytes that came. */
  size = 0;
  #tail = Buffer.alloc(0);
  /** The server's FIN. */
  ended = false;
  closed = false;
  /** Why it broke. */
  error: string | undefined;
  readonly #watchers = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      this.size += chunk.length;
      this.#tail = Buffer.concat([this.#tail, chunk.subarray(-END)]).subarray(-END);
      this.#changed();
    });
    socket.on('end', () => {
      this.ended = true;
      this.#changed();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code;
      this.#changed();
    });
    socket.on('close', () => {
      this.closed = true;
      this.#changed();
    });
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.bytes.toString('latin1');
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Waits until something is so, looking whenever anything happens on the connection. */
  async when(right: () => boolean, patience = 20_000): Promise<void> {
    if (right()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#watchers.delete(look);
        reject(
          new Error(
            `not so after ${patience} ms: ${right}; ended ${this.ended}, ${this.error}, ${this.text.slice(0, 300)}`,
          ),
        );
      }, patience);
      const look = (): void => {
        if (!right()) return;
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
    });
  }

  /** Waits for so many END_REQUEST records, and gives the replies. */
  async replies(count = 1, patience?: number): Promise<ReadReply[]> {
    let done: ReadReply[] = [];
    await this.when(() => {
      // only behind an END_REQUEST is it worth reading all of it
      if (this.#tail[0] !== 1 || this.#tail[1] !== 3) return false;
      done = this.partial.filter(({ end }) => end !== undefined);
      return done.length >= count;
    }, patience);
    return done;
  }

  async reply(): Promise<ReadReply> {
    return (await this.replies(1))[0];
  }

  /** What came of replies so far, complete or not. */
  get partial(): ReadReply[] {
    return readReplies(this.bytes).replies;
  }

  /** Waits for the end of the connection, however it comes. */
  gone(): Promise<void> {
    return this.when(() => this.closed || this.ended || this.error !== undefined);
  }
}

/** Connects to what a server bound; the peer half-closes when it wants to. */
export async function connectTo(address: BoundAddress | NetConnectOpts, localAddress?: string): Promise<Peer> {
  const options = 'transport' in address ? optionsFor(address) : address;
  const socket = connect({
    ...options,
    allowHalfOpen: true,
    ...(localAddress ? { localAddress } : {}),
  } as NetConnectOpts);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return new Peer(socket);
}

function optionsFor(address: BoundAddress): NetConnectOpts {
  if (address.transport === 'tcp') return { host: address.host, port: address.port };
  if (address.transport === 'unix') return { path: address.path };
  throw new Error('a descriptor cannot be connected to');
}
