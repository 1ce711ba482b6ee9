import type { Socket } from 'node:net';
import { type FramedSocket, LightSocket } from './light-socket.ts';
import { firstBytes, readIntoShared } from './read-buffer.ts';

/** What hears of a socket. */
export interface SocketEvents {
  /**
   * @param lent the memory of the chunk is used again afterwards
   * @returns true: a long piece of a body lies in it, which is kept if the memory is not lent
   */
  receive(chunk: Buffer, lent: boolean): boolean;
  /** The peer's FIN. */
  receiveEnd(): void;
  /** What was written has gone. */
  drained(): void;
  /** The peer cut it. `closed` follows. */
  broken(error: Error): void;
  closed(): void;
}

const kEvents = Symbol('events');

type DrivenSocket = Socket & { [kEvents]: SocketEvents };

/** Everything that happens to the socket goes to `events`, without a closure for each connection. */
export function attach(framed: FramedSocket, events: SocketEvents): void {
  if (framed instanceof LightSocket) {
    framed.attach(events);
    return;
  }
  const socket = framed as DrivenSocket;
  socket[kEvents] = events;
  if (!readIntoShared(socket, onRead)) socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('drain', onDrain);
  socket.on('error', onError);
  socket.on('close', onClose);
}

function onRead(this: Socket, count: number): boolean {
  (this as DrivenSocket)[kEvents].receive(firstBytes(count), true);
  return true;
}

function onData(this: Socket, chunk: Buffer): void {
  (this as DrivenSocket)[kEvents].receive(chunk, false);
}

function onEnd(this: Socket): void {
  (this as DrivenSocket)[kEvents].receiveEnd();
}

function onDrain(this: Socket): void {
  (this as DrivenSocket)[kEvents].drained();
}

function onError(this: Socket, error: Error): void {
  (this as DrivenSocket)[kEvents].broken(error);
}

function onClose(this: Socket): void {
  (this as DrivenSocket)[kEvents].closed();
}
