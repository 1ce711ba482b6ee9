import type { Server, Socket } from 'node:net';
import type { SocketEvents } from './driven-socket.ts';
import { firstBytes, shared } from './read-buffer.ts';
import { type StreamBinding, type StreamRequest, streamBinding } from './stream-binding.ts';
import { systemError, type WritableHandle, type Writer, writeData } from './stream-write.ts';

/** What a framed connection asks of its socket. */
export type FramedSocket = Pick<
  Socket,
  'readableEnded' | 'writableEnded' | 'writableLength' | 'remoteAddress' | 'remotePort' | 'remoteFamily' | 'isPaused'
> & {
  pause(): unknown;
  resume(): unknown;
  destroy(): unknown;
  destroySoon(): void;
  end(): unknown;
};

interface PeerName {
  address?: string;
  port?: number;
  family?: string;
}

/** What libuv has of one connection. */
export interface StreamHandle extends WritableHandle {
  /** What it returns is read into from then on. */
  onread: () => Uint8Array | undefined;
  readStart(): number;
  readStop(): number;
  useUserBuffer(buffer: Uint8Array): void;
  shutdown(request: StreamRequest): number;
  close(closed: () => void): void;
  /** Of TCP alone. */
  reset?(closed: () => void): number;
  getpeername?(into: PeerName): number;
}

type OwnedHandle = StreamHandle & { [kOwner]: LightSocket };
type OwnedRequest = StreamRequest & { [kOwner]: LightSocket };

const kOwner = Symbol('owner');
const UV_EOF = -4095;

/**
 * A connection of `net.Server` without the streams that make most of what a connection costs: what is read goes to
 * `SocketEvents` out of the shared memory, and what is written to the kernel. Its members are named as those of net.Socket,
 * and do the same, but for `write`: false means that something waits, and `drained` comes when nothing does any more.
 */
export class LightSocket implements FramedSocket, Writer {
  /** As net.Socket has it; null: it is closed. */
  _handle: OwnedHandle | null;
  readableEnded = false;
  writableEnded = false;
  writableFinished = false;
  destroyed = false;
  /** What was written lies with libuv alone. */
  readonly writableLength = 0;
  readonly #binding: StreamBinding;
  #events: SocketEvents | undefined;
  #paused = false;
  /** Writes that Node.js keeps. */
  #pending = 0;
  #closeWhenFinished = false;
  #error: Error | undefined;
  #peer: PeerName | undefined;
  /** What libuv reads into, where it is not the shared memory. It has the address alone: this keeps the memory. */
  #own: Buffer | undefined;

  constructor(handle: StreamHandle, binding: StreamBinding) {
    this._handle = handle as OwnedHandle;
    this._handle[kOwner] = this;
    this.#binding = binding;
  }

  /** Begins to read. */
  attach(events: SocketEvents): void {
    this.#events = events;
    const handle = this._handle;
    if (handle === null) return;
    handle.onread = onRead;
    handle.useUserBuffer(shared);
    this.#startReading(handle);
  }

  #startReading(handle: StreamHandle): void {
    const status = handle.readStart();
    if (status < 0) this.#fail(status, 'read');
  }

  /**
   * What the kernel has given: see `kReadBytesOrError`.
   * @returns where it is to read into from now on; undefined: as before
   */
  read(): Buffer | undefined {
    const { streamBaseState, kReadBytesOrError } = this.#binding;
    const count = streamBaseState[kReadBytesOrError];
    if (count > 0) return this.#receive(count);
    if (count === UV_EOF) this.#readEnd();
    else if (count < 0) this.#fail(count, 'read');
    return undefined;
  }

  /**
   * Behind a full read with a long piece of a body the next is into memory that goes to the application, for to copy it
   * costs more than new memory. What is not full was all there is: a connection that may be idle then holds no memory.
   */
  #receive(count: number): Buffer | undefined {
    const own = this.#own;
    const chunk = own === undefined ? firstBytes(count) : own.subarray(0, count);
    const long = this.#events?.receive(chunk, own === undefined) === true;
    // not before: libuv goes on with what it has if that throws, and nothing may be returned then
    const more = long && count === shared.length && !this.destroyed;
    this.#own = more ? Buffer.allocUnsafeSlow(shared.length) : undefined;
    return own === undefined && !more ? undefined : (this.#own ?? shared);
  }

  #readEnd(): void {
    if (this.readableEnded) return;
    this.readableEnded = true;
    this.#events?.receiveEnd();
    if (this.writableFinished) this.destroy();
  }

  get #peerName(): PeerName {
    if (this.#peer === undefined) {
      this.#peer = {};
      this._handle?.getpeername?.(this.#peer);
    }
    return this.#peer;
  }

  get remoteAddress(): string | undefined {
    return this.#peerName.address;
  }

  get remotePort(): number | undefined {
    return this.#peerName.port;
  }

  get remoteFamily(): string | undefined {
    return this.#peerName.family;
  }

  isPaused(): boolean {
    return this.#paused;
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this._handle?.readStop();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this._handle !== null && !this.readableEnded) this.#startReading(this._handle);
  }

  /** @returns false: something has not gone */
  write(data: string | Uint8Array | Uint8Array[]): boolean {
    const handle = this._handle;
    if (handle === null || this.writableEnded) return false;
    const status = writeData(handle, data, this);
    if (status > 0) this.#pending++;
    else if (status < 0) this.#fail(status, 'write');
    return status >= 0 && this.#pending === 0;
  }

  /** A write that had to wait. */
  wrote(status: number): void {
    this.#pending--;
    if (this.destroyed) return;
    if (status < 0) this.#fail(status, 'write');
    else if (this.#pending === 0) {
      if (this.writableEnded) this.#shutDown();
      this.#events?.drained();
    }
  }

  /** Closes our half, behind all that was written. */
  end(): void {
    if (this.destroyed || this.writableEnded) return;
    this.writableEnded = true;
    // as long as something waits it can still be reset
    if (this.#pending === 0) this.#shutDown();
  }

  #shutDown(): void {
    const handle = this._handle;
    if (handle === null) return;
    const request = new this.#binding.ShutdownWrap() as OwnedRequest;
    request[kOwner] = this;
    request.oncomplete = onShutdown;
    const status = handle.shutdown(request);
    // the peer has left meanwhile
    if (status !== 0) this.finished();
  }

  /** Our half is closed, or cannot be. */
  finished(): void {
    this.writableFinished = true;
    if (this.#closeWhenFinished || this.readableEnded) this.destroy();
  }

  destroySoon(): void {
    this.#closeWhenFinished = true;
    // closing the descriptor sends a FIN too, where nothing waits
    if (this.writableFinished || (this.#pending === 0 && !this.writableEnded)) this.destroy();
    else this.end();
  }

  destroy(): void {
    const handle = this.#release();
    handle?.close(onClosed);
  }

  /** As `destroy`, with a reset where there is TCP. */
  resetAndDestroy(): void {
    const handle = this.#release();
    if (handle === null) return;
    // while the FIN is being sent a reset is refused, and the handle would never be closed
    const finishing = this.writableEnded && !this.writableFinished && this.#pending === 0;
    if (handle.reset === undefined || finishing) handle.close(onClosed);
    else handle.reset(onClosed);
  }

  /** It is closed from now on. */
  #release(): OwnedHandle | null {
    const handle = this._handle;
    this._handle = null;
    this.destroyed = true;
    return handle;
  }

  #fail(status: number, syscall: string): void {
    if (this.destroyed) return;
    this.#error = systemError(status, syscall);
    this.destroy();
  }

  /** The descriptor is closed. */
  closed(): void {
    const events = this.#events;
    this.#events = undefined;
    if (this.#error !== undefined) events?.broken(this.#error);
    events?.closed();
  }
}

type OnConnection = (
  this: unknown,
  status: number,
  handle?: StreamHandle & { setNoDelay?(on: boolean): number },
) => void;

/**
 * Has what a server accepts from now on go through the door as light sockets, in the place of its 'connection' events.
 * Where this Node.js does it in another way these go on.
 */
export function acceptLight(server: Server, door: (socket: LightSocket) => void): void {
  const listening = (server as unknown as { _handle?: { onconnection?: OnConnection } | null })._handle;
  const accept = listening?.onconnection;
  const binding = streamBinding;
  if (listening == null || typeof accept !== 'function' || binding === undefined) return;
  listening.onconnection = function onConnection(status, handle) {
    if (status !== 0 || typeof handle?.useUserBuffer !== 'function') accept.call(this, status, handle);
    else {
      handle.setNoDelay?.(true);
      door(new LightSocket(handle, binding));
    }
  };
}

function onRead(this: unknown): Buffer | undefined {
  return (this as OwnedHandle)[kOwner].read();
}

function onShutdown(this: unknown): void {
  (this as OwnedRequest)[kOwner].finished();
}

function onClosed(this: unknown): void {
  (this as OwnedHandle)[kOwner].closed();
}
