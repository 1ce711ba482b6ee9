import { Socket } from 'node:net';

/** What libuv is handed with a write; it is used up only where the kernel does not take all of it at once. */
interface WriteRequest {
  socket: Socket | undefined;
  oncomplete(status: number): void;
  /** Above 0 while libuv has it. */
  getAsyncId(): number;
}

interface WriteHandle {
  writeLatin1String(request: WriteRequest, text: string): number;
}

type RequestClass = new () => WriteRequest;

/** The class of such requests, which Node.js gives to nobody; undefined: none has been seen, null: they are of another kind. */
let Request: RequestClass | undefined | null;
/** The next write takes it, whichever socket it goes to. */
let spare: WriteRequest | undefined;

/** Above this libuv copies the text to write it later. */
const AT_ONCE = 16_384;

/** A stream's own write to this handle shows the class. */
function learnFrom(handle: WriteHandle): void {
  const write = handle.writeLatin1String;
  handle.writeLatin1String = (request, text) => {
    // what it covers lies on the prototype
    Reflect.deleteProperty(handle, 'writeLatin1String');
    const Class = request.constructor as RequestClass;
    Request = Class.name === 'WriteWrap' ? Class : null;
    return write.call(handle, request, text);
  };
}

/** Whether `writeAtOnce` may be asked for this socket: TLS encrypts in its stream. */
export function canWriteAtOnce(socket: Socket): boolean {
  return socket.constructor === Socket;
}

/**
 * Hands a text to the kernel without the stream in between, which costs a small reply more than the write itself.
 * Latin-1. What the kernel does not take at once follows, and the socket emits `drain` then.
 * @returns whether all of it has gone; undefined: nothing was done, it is the stream's to write
 */
export function writeAtOnce(socket: Socket, text: string): boolean | undefined {
  const handle = (socket as unknown as { _handle?: WriteHandle | null })._handle;
  // what the stream holds goes first; one that has ended has its own ways
  if (handle == null || text.length > AT_ONCE || socket.writableLength > 0 || socket.writableEnded) return undefined;
  if (Request === null) return undefined;
  if (Request === undefined) {
    learnFrom(handle);
    return undefined;
  }
  spare ??= makeRequest(Request);
  if (handle.writeLatin1String(spare, text) !== 0) {
    // an error comes again, and the stream tells of it; whether libuv had the request is not known
    spare = undefined;
    return undefined;
  }
  // the queue may be empty and the request used up all the same, where the peer reads meanwhile: Node.js ends the process
  // when one that libuv has is given to it again
  if (!(spare.getAsyncId() > 0)) return true;
  spare.socket = socket;
  spare = undefined;
  return false;
}

function makeRequest(Class: RequestClass): WriteRequest {
  const request = new Class();
  request.socket = undefined;
  request.oncomplete = onComplete;
  return request;
}

function onComplete(this: WriteRequest, status: number): void {
  const { socket } = this;
  this.socket = undefined;
  if (socket === undefined || socket.destroyed) return;
  if (status >= 0) socket.emit('drain');
  else {
    const code = process.getBuiltinModule('node:util').getSystemErrorName(status);
    socket.destroy(Object.assign(new Error(`write ${code}`), { errno: status, code, syscall: 'write' }));
  }
}
