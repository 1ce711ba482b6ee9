import type { Socket } from 'node:net';

/** Who waits for the first bytes of a socket. */
export interface FirstBytes {
  /** The memory of the chunk is its own. */
  firstBytes(chunk: Buffer): void;
  /** The peer's FIN. */
  firstEnd(): void;
  firstClosed(): void;
}

const kWaiting = Symbol('waiting');

type WaitingSocket = Socket & { [kWaiting]?: FirstBytes };

/**
 * Gives what a socket receives to somebody who will hand the socket on. It is read as Node reads, not into the buffer
 * that framed connections share: a socket on which HTTP is upgraded could not leave that again.
 */
export function awaitFirstBytes(socket: Socket, waiting: FirstBytes): void {
  (socket as WaitingSocket)[kWaiting] = waiting;
  socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('error', onError);
  socket.on('close', onClose);
}

/** The socket is another's from now on. */
export function handSocketOn(socket: Socket): void {
  (socket as WaitingSocket)[kWaiting] = undefined;
  socket.off('data', onData);
  socket.off('end', onEnd);
  socket.off('error', onError);
  socket.off('close', onClose);
}

function onData(this: Socket, chunk: Buffer): void {
  (this as WaitingSocket)[kWaiting]?.firstBytes(chunk);
}

function onEnd(this: Socket): void {
  (this as WaitingSocket)[kWaiting]?.firstEnd();
}

/** `close` follows. */
function onError(): void {}

function onClose(this: Socket): void {
  (this as WaitingSocket)[kWaiting]?.firstClosed();
}
