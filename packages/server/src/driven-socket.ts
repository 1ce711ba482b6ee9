import type { Socket } from 'node:net';
import { readIntoShared } from './read-buffer.ts';

/** What hears of a socket. */
export interface SocketEvents {
  /** `borrowed`: the memory of the chunk is used again afterwards. */
  receive(chunk: Buffer, borrowed: boolean): void;
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
export function attach(socket: Socket, events: SocketEvents): void {
  (socket as DrivenSocket)[kEvents] = events;
  if (!readIntoShared(socket, onRead)) socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('drain', onDrain);
  socket.on('error', onError);
  socket.on('close', onClose);
}

function onRead(this: Socket, count: number, buffer: Buffer): boolean {
  (this as DrivenSocket)[kEvents].receive(firstBytes(buffer, count), true);
  return true;
}

/** Views of the memory that is read into, which is always the same: to make one costs more than to look at it. */
const views = new Array<Buffer | undefined>(256).fill(undefined);

function firstBytes(buffer: Buffer, count: number): Buffer {
  const place = count % 256;
  let view = views[place];
  if (view === undefined || view.length !== count) {
    view = buffer.subarray(0, count);
    views[place] = view;
  }
  return view;
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
