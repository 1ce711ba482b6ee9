import type { Socket } from 'node:net';
import type { FramedSocket } from './light-socket.ts';

/** What libuv tells of a stream beside what Node's documentation names. */
interface StreamHandle {
  /** Bytes handed over for writing, and those of them that the kernel has not taken. */
  readonly bytesWritten?: number;
  readonly writeQueueSize?: number;
}

/** How many bytes the kernel has taken from a socket since the beginning. */
export function bytesTaken(socket: FramedSocket): number {
  const handle = (socket as unknown as { _handle?: StreamHandle | null })._handle;
  return (handle?.bytesWritten ?? 0) - (handle?.writeQueueSize ?? 0);
}

/** How many bytes were written and have not gone to the kernel, whichever way they were written. */
export function bytesUnsent(socket: FramedSocket): number {
  const handle = (socket as unknown as { _handle?: StreamHandle | null })._handle;
  return Math.max(socket.writableLength, handle?.writeQueueSize ?? 0);
}

/**
 * Cuts a connection so that the peer cannot take what it has for complete: RST where there is TCP. What was not sent is
 * thrown away.
 */
export function resetSocket(socket: Socket, tcp: boolean): void {
  // while the FIN is being sent a reset is refused, and the socket would never be closed
  const finishing = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
  if (tcp && !finishing && !socket.destroyed) socket.resetAndDestroy();
  else socket.destroy();
}
