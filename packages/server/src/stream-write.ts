import { getSystemErrorName } from 'node:util';
import { type StreamRequest, streamBinding } from './stream-binding.ts';

/** Who hears of a write that did not go at once. */
export interface Writer {
  wrote(status: number): void;
}

export interface WritableHandle {
  writeLatin1String(request: StreamRequest | null, text: string): StreamRequest | number;
  writeBuffer(request: StreamRequest | null, bytes: Uint8Array): StreamRequest | number;
  writev(request: StreamRequest | null, pieces: Uint8Array[], allBuffers: true): StreamRequest | number;
}

type Pending = StreamRequest & { writer: Writer | undefined; data: unknown };

/** The next write takes it, whichever connection it is of: Node.js keeps only those that have to wait. */
let spare: StreamRequest | undefined;

/**
 * Hands text (latin-1), bytes or pieces of bytes to the kernel. What it does not take at once follows, and the writer hears
 * of its end.
 * @returns 0: all has gone; 1: some of it waits; below 0: the number of an error, of which the writer does not hear
 */
export function writeData(handle: WritableHandle, data: string | Uint8Array | Uint8Array[], writer: Writer): number {
  if (streamBinding === undefined) throw new TypeError('this Node.js keeps its streams to itself');
  // libuv ends the process that hands it no pieces at all
  if (Array.isArray(data) && data.length === 0) return 0;
  const { streamBaseState, kLastWriteWasAsync, kLastWriteErr } = streamBinding;
  if (kLastWriteErr === undefined) {
    spare ??= new streamBinding.WriteWrap();
    const request = spare;
    const status = call(handle, request, data) as number;
    if (status !== 0) {
      spare = undefined;
      return status;
    }
    if (streamBaseState[kLastWriteWasAsync] === 0) return 0;
    spare = undefined;
    return wait(request, data, writer);
  }
  const request = call(handle, null, data);
  if (typeof request === 'number') return request;
  return streamBaseState[kLastWriteErr] || request.writeStatus || wait(request, data, writer);
}

function call(handle: WritableHandle, request: StreamRequest | null, data: string | Uint8Array | Uint8Array[]) {
  if (typeof data === 'string') return handle.writeLatin1String(request, data);
  return Array.isArray(data) ? handle.writev(request, data, true) : handle.writeBuffer(request, data);
}

function wait(request: StreamRequest, data: unknown, writer: Writer): number {
  // it is over, and came to 0
  if (typeof request.writeStatus === 'number') return 0;
  const pending = request as Pending;
  pending.writer = writer;
  // bytes must live until they have gone
  pending.data = data;
  pending.oncomplete = onComplete;
  return 1;
}

function onComplete(this: unknown, status: number): void {
  const pending = this as Pending;
  const { writer } = pending;
  pending.writer = undefined;
  pending.data = undefined;
  writer?.wrote(status);
}

/** The error of a number, as net.Socket has it. */
export function systemError(status: number, syscall: string): Error {
  const code = getSystemErrorName(status);
  return Object.assign(new Error(`${syscall} ${code}`), { errno: status, code, syscall });
}
