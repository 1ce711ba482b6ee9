import type { Socket } from 'node:net';

/** As much as one read takes. */
const SIZE = 65_536;
/** A piece of so many bytes may keep the memory of a read: at most as much again is kept with it. */
export const LONG = SIZE / 2;

/** What a socket made with the option `onread` has, and one that a server accepted has not been given. */
interface BufferKeys {
  readonly buffer: symbol;
  readonly callback: symbol;
}

interface ReadHandle {
  useUserBuffer?(buffer: Buffer): void;
}

type OnRead = (this: Socket, count: number, buffer: Buffer) => boolean;

/** One for all sockets: what is still needed of it is copied before the next read. */
export const shared = Buffer.allocUnsafeSlow(SIZE);

/** Views of it by their length, as many as there are remainders: to make one costs more than to look at it. */
const views = new Array<Buffer | undefined>(256).fill(undefined);

/** The first bytes of what is shared. */
export function firstBytes(count: number): Buffer {
  const place = count % 256;
  let view = views[place];
  if (view === undefined || view.length !== count) {
    view = shared.subarray(0, count);
    views[place] = view;
  }
  return view;
}

let keys: BufferKeys | undefined | null = null;

function findKeys(socket: Socket): BufferKeys | undefined {
  const symbols = Object.getOwnPropertySymbols(socket);
  const find = (name: string): symbol | undefined => symbols.find((symbol) => symbol.description === name);
  const buffer = find('kBuffer');
  const callback = find('kBufferCb');
  return buffer === undefined || callback === undefined ? undefined : { buffer, callback };
}

/**
 * Has a socket read into one buffer instead of 64 KiB of fresh memory for each read, as net.Socket's option `onread`
 * does for sockets that are made by hand; `net.Server` does not pass it on. False: this Node.js does it in another way,
 * and nothing was changed.
 */
export function readIntoShared(socket: Socket, onRead: OnRead): boolean {
  if (keys === null) keys = findKeys(socket);
  const handle = (socket as unknown as { _handle?: ReadHandle | null })._handle;
  if (keys === undefined || typeof handle?.useUserBuffer !== 'function') return false;
  const slots = socket as unknown as Record<symbol, unknown>;
  slots[keys.buffer] = shared;
  slots[keys.callback] = onRead;
  handle.useUserBuffer(shared);
  return true;
}
