import { Socket } from 'node:net';
import { streamBinding } from './stream-binding.ts';
import { systemError, type WritableHandle, type Writer, writeData } from './stream-write.ts';

/** Above this libuv copies the text to write it later. */
const AT_ONCE = 16_384;

/** Whether `writeAtOnce` may be asked for this socket: TLS encrypts in its stream. */
export function canWriteAtOnce(socket: object): boolean {
  return streamBinding !== undefined && socket.constructor === Socket;
}

/**
 * Hands a text to the kernel without the stream in between, which costs a small reply more than the write itself.
 * Latin-1. What the kernel does not take at once follows, and the socket emits `drain` then.
 * @returns whether all of it has gone; undefined: nothing was done, it is the stream's to write
 */
export function writeAtOnce(socket: Socket, text: string): boolean | undefined {
  const handle = (socket as unknown as { _handle?: WritableHandle | null })._handle;
  // what the stream holds goes first; one that has ended has its own ways
  if (handle == null || text.length > AT_ONCE || socket.writableLength > 0 || socket.writableEnded) return undefined;
  const status = writeData(handle, text, new Waiting(socket));
  // an error comes again, and the stream tells of it
  return status < 0 ? undefined : status === 0;
}

class Waiting implements Writer {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  wrote(status: number): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    if (status >= 0) socket.emit('drain');
    else socket.destroy(systemError(status, 'write'));
  }
}
