import { close, open, read, unlink, write } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChunkList, type ErrorCode, type LimitCounts } from '@postern/core';

/** Bytes that may wait to be written: above that the socket waits. */
const PENDING = 1_048_576;
/** A file is given back when all of it was read: a body is cut into files of about this size. */
const FILE = 16_777_216;
const PIECE = 65_536;

/** What all spools of a server share. */
export interface SpoolContext {
  readonly limits: { readonly maxSpoolBytes: number };
  readonly counts: LimitCounts;
  warn(code: ErrorCode, message: string): void;
}

/** How much lies in temporary files, over all connections. */
export class SpoolStore {
  readonly #context: SpoolContext;
  readonly #folder: string;
  #used = 0;

  constructor(context: SpoolContext, folder = tmpdir()) {
    this.#context = context;
    this.#folder = folder;
  }

  get full(): boolean {
    return this.#used >= this.#context.limits.maxSpoolBytes;
  }

  get used(): number {
    return this.#used;
  }

  get counts(): LimitCounts {
    return this.#context.counts;
  }

  wrote(bytes: number): void {
    const { full } = this;
    this.#used += bytes;
    if (!full && this.full) this.counts.maxSpoolBytes++;
  }

  gaveBack(bytes: number): void {
    this.#used -= bytes;
  }

  /** A file that nobody else sees: its name is gone as soon as it is open, and its bytes when the process ends. */
  create(done: (error: Error | null, fd: number) => void): void {
    // to load it takes longer than to start without it
    const { randomUUID } = process.getBuiltinModule('node:crypto');
    const path = join(this.#folder, `postern-${randomUUID()}`);
    open(path, 'wx+', 0o600, (error, fd) => {
      if (error !== null) done(error, -1);
      else unlink(path, () => done(null, fd));
    });
  }

  failed(error: Error): void {
    this.#context.warn('ERR_SPOOL', `a request body cannot be kept in ${this.#folder}: ${error.message}`);
  }
}

/** Who reads what was kept. */
export interface SpoolOwner {
  /** What `take` asked for. */
  piece(chunk: Uint8Array): void;
  /** There is room again. */
  hasRoom(): void;
  /** What was kept cannot be read back. */
  lost(error: Error): void;
}

interface KeptFile {
  readonly fd: number;
  written: number;
  read: number;
}

/** The part of one request body that found no room in memory: written at its end, read at its beginning. */
export class Spool {
  readonly #store: SpoolStore;
  readonly #owner: SpoolOwner;
  readonly #files: KeptFile[] = [];
  /** What was not written. */
  readonly #pending = new ChunkList();
  #busy = false;
  #asked = false;
  #roomWanted = false;
  /** Nothing more is written: what is pending stays in memory. */
  #broken = false;
  #closed = false;

  constructor(store: SpoolStore, owner: SpoolOwner) {
    this.#store = store;
    this.#owner = owner;
  }

  /** Whether a further piece is welcome; when not, the owner's `hasRoom` is called if that changes by what is written. */
  askRoom(): boolean {
    const room = !this.#broken && this.#pending.length < PENDING && !this.#store.full;
    this.#roomWanted = !room;
    return room;
  }

  get empty(): boolean {
    return this.#pending.length === 0 && this.#files.every((file) => file.read === file.written);
  }

  push(chunk: Uint8Array): void {
    this.#pending.push(chunk);
    this.#next();
  }

  /** Asks for one piece, which must be there: see `empty`. */
  take(): void {
    this.#asked = true;
    this.#next();
  }

  close(): void {
    this.#closed = true;
    this.#pending.clear();
    if (!this.#busy) this.#giveBack();
  }

  /** One thing at a time: reading goes before writing. */
  #next(): void {
    if (this.#busy || this.#closed) return;
    const file = this.#files[0];
    if (this.#asked && file !== undefined && file.read < file.written) this.#read(file);
    else if (this.#asked && this.#pending.length > 0) {
      // nothing lies before it: it need not go through a file
      this.#busy = true;
      process.nextTick(handPending, this);
    } else if (this.#pending.length > 0 && !this.#broken) this.#write();
  }

  handPending(): void {
    const chunk = this.#pending.shift();
    this.#idle();
    if (chunk !== undefined) this.#hand(chunk);
    this.#next();
  }

  #hand(chunk: Uint8Array): void {
    if (this.#closed) return;
    this.#asked = false;
    this.#owner.piece(chunk);
    this.#tellRoom();
  }

  #read(file: KeptFile): void {
    this.#busy = true;
    const length = Math.min(PIECE, file.written - file.read);
    read(file.fd, Buffer.allocUnsafeSlow(length), 0, length, file.read, (error, count, bytes) => {
      this.#idle();
      if (this.#closed) return;
      if (error !== null || count === 0) {
        this.#owner.lost(error ?? new Error('a temporary file was cut'));
        return;
      }
      file.read += count;
      if (file.read === file.written) this.#drop(this.#files.shift() as KeptFile);
      this.#hand(bytes.subarray(0, count));
      this.#next();
    });
  }

  #write(): void {
    const last = this.#files.at(-1);
    if (last === undefined || last.written >= FILE) {
      this.#open();
      return;
    }
    const chunk = this.#pending.join();
    this.#busy = true;
    write(last.fd, chunk, 0, chunk.length, last.written, (error, count) => {
      if (error === null) {
        last.written += count;
        this.#store.wrote(count);
        if (!this.#closed) this.#pending.skip(count);
      }
      this.#settle(error);
    });
  }

  #open(): void {
    this.#busy = true;
    this.#store.create((error, fd) => {
      if (error === null) this.#files.push({ fd, written: 0, read: 0 });
      this.#settle(error);
    });
  }

  #settle(error: Error | null): void {
    this.#idle();
    if (this.#closed) return;
    if (error !== null) {
      this.#broken = true;
      this.#store.failed(error);
    } else this.#tellRoom();
    this.#next();
  }

  #idle(): void {
    this.#busy = false;
    if (this.#closed) this.#giveBack();
  }

  #tellRoom(): void {
    if (this.#roomWanted && this.askRoom()) this.#owner.hasRoom();
  }

  #drop(file: KeptFile): void {
    this.#store.gaveBack(file.written);
    close(file.fd, () => {});
  }

  #giveBack(): void {
    for (const file of this.#files.splice(0)) this.#drop(file);
  }
}

function handPending(spool: Spool): void {
  spool.handPending();
}
