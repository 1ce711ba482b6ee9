import type { Socket } from 'node:net';
import { type AnswerEvent, type ClientConnection, type Output, RemoteProtocolError } from '@postern/core';

/** How much is taken out of a connection for one write. */
const BUDGET = 131_072;
/** How long the end of a request that was given up is waited for, in milliseconds. */
const ABORT_PATIENCE = 5000;
/** Behind an answer, in milliseconds: who closes later has kept the connection. */
const HASTE = 1000;

/** Whom the events of one id are for. */
export interface Receiver {
  /** Its last one is `end`. */
  take(event: AnswerEvent): void;
  fail(error: Error): void;
  /** The connection broke, and nothing more comes. */
  breakOff(message: string): void;
  /** The id has bytes on the wire that waited. */
  moved(): void;
}

export interface TransportOptions {
  /** It stays open behind an answer, where the back-end does. */
  readonly keeps?: boolean;
  /** A request that is given up ends alone; without it its connection ends. */
  readonly shares?: boolean;
  /** Others wait for a place on it. */
  readonly awaited?: () => boolean;
  /** An id is free, or the connection is gone: see `running`, `usable`. */
  readonly onChange?: () => void;
}

/** One socket to a back-end: moves the bytes of its connection both ways, and hands each event to the receiver of its id. */
export class Transport {
  readonly connection: ClientConnection;
  readonly #socket: Socket;
  readonly #keeps: boolean;
  readonly #shares: boolean;
  readonly #awaited: () => boolean;
  readonly #onChange: () => void;
  readonly #receivers = new Map<number, Receiver>();
  /** Ids that were given up and whose end has not come, with the clock of each. */
  readonly #leaving = new Map<number, NodeJS.Timeout>();
  #pumping = false;
  #blocked = false;
  #peerEnded = false;
  #retired = false;
  #closed = false;
  #served = 0;
  /** When the latest answer ended. */
  #ended = 0;
  #hasty = false;

  constructor(connection: ClientConnection, socket: Socket, options: TransportOptions = {}) {
    this.connection = connection;
    this.#socket = socket;
    this.#keeps = options.keeps === true;
    this.#shares = options.shares === true;
    this.#awaited = options.awaited ?? nobody;
    this.#onChange = options.onChange ?? ignore;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('drain', this.#onDrain);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
    // an idle connection keeps no process alive
    if (this.#keeps) socket.unref();
  }

  /** Ids that are in use. */
  get running(): number {
    return this.#receivers.size + this.#leaving.size;
  }

  /** It may carry further requests. */
  get usable(): boolean {
    return !this.#closed && !this.#retired;
  }

  /** Answers that were complete, or given up and ended. */
  get served(): number {
    return this.#served;
  }

  /** The back-end closed it right behind its first answer, as one does that keeps no connection whatever it is told. */
  get hasty(): boolean {
    return this.#hasty;
  }

  /** It stayed open behind an answer. */
  get kept(): boolean {
    return this.#served > 1 || (this.#served === 1 && this.usable && performance.now() - this.#ended >= HASTE);
  }

  /** A reply that is not read keeps others waiting. */
  get crowded(): boolean {
    return this.#awaited() || (this.#receivers.size > 1 && this.#socket.isPaused());
  }

  get freeId(): number {
    let id = 1;
    while (this.#receivers.has(id) || this.#leaving.has(id)) id++;
    return id;
  }

  add(id: number, receiver: Receiver): void {
    this.#receivers.set(id, receiver);
    this.#socket.ref();
  }

  /** The receiver wants no more: its request is given up, if its end has not come. */
  remove(id: number): void {
    if (!this.#receivers.delete(id) || this.#closed) return;
    if (!this.#shares) {
      this.close();
      return;
    }
    this.#leaving.set(id, setTimeout(this.#onImpatience, ABORT_PATIENCE).unref());
    this.connection.send({ type: 'abort', id });
    // what was held for it is in the way of others no more
    this.pump();
  }

  /** Takes no further request, and closes behind those that run. */
  retire(): void {
    this.#retired = true;
    if (this.#receivers.size === 0) this.close();
  }

  /** Receivers are told nothing: they are gone already, or told by the caller. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#leaving.values()) clearTimeout(timer);
    this.#leaving.clear();
    this.#socket.destroy();
    this.#onChange();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.connection.receive(chunk);
    this.pump();
  };

  readonly #onEnd = (): void => {
    this.#peerEnded = true;
    this.#noteHaste();
    this.connection.receiveEnd();
    this.pump();
    this.retire();
  };

  readonly #onDrain = (): void => {
    this.#blocked = false;
    this.flush();
  };

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    // behind a FIN it is our own sending that failed: all of the answers is here
    if (!this.#peerEnded) this.#breakOff(`the back-end broke the connection (${error.code ?? error.message})`);
  };

  /** Behind a FIN all that came is in the connection, which knows whether an answer is complete. */
  readonly #onClose = (): void => {
    if (!this.#peerEnded) this.#breakOff('the connection to the back-end was closed');
  };

  /** Who does not end what was given up is not asked again on this connection. */
  readonly #onImpatience = (): void => {
    this.retire();
    this.#onChange();
  };

  #noteHaste(): void {
    if (!this.#closed) this.#hasty = this.#served === 1 && performance.now() - this.#ended < HASTE;
  }

  #breakOff(message: string): void {
    this.#noteHaste();
    for (const receiver of this.#take()) receiver.breakOff(message);
    this.close();
  }

  /** All receivers, none of which hears more from here. */
  #take(): Receiver[] {
    const receivers = [...this.#receivers.values()];
    this.#receivers.clear();
    return receivers;
  }

  /** Hands out what came, and sends what is due. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (!this.#closed && this.#step());
    this.#pumping = false;
    // what came may have made something due: AJP's back-end asks for each piece of a body
    this.flush();
    this.#updateReading();
  }

  /** False: nothing more for now. */
  #step(): boolean {
    let event: AnswerEvent | undefined;
    try {
      event = this.connection.next();
    } catch (error) {
      this.#refuse(error as Error);
      return true;
    }
    if (event === undefined) return false;
    const receiver = this.#receivers.get(event.id);
    if (event.type === 'end') this.#free(event.id, event.reuse);
    try {
      receiver?.take(event);
    } catch (error) {
      receiver?.fail(error as Error);
    }
    if (event.type === 'end') this.#settle();
    return true;
  }

  #refuse(error: Error): void {
    if (error instanceof RemoteProtocolError && error.scope === 'request') {
      this.#receivers.get(error.id)?.fail(error);
      return;
    }
    for (const receiver of this.#take()) receiver.fail(error);
    this.close();
  }

  #free(id: number, reuse: boolean): void {
    this.#receivers.delete(id);
    clearTimeout(this.#leaving.get(id));
    this.#leaving.delete(id);
    this.#served++;
    this.#ended = performance.now();
    if (!reuse) this.#retired = true;
  }

  #settle(): void {
    if (this.#receivers.size === 0) {
      if (this.#retired || !this.#keeps) this.close();
      else this.#socket.unref();
    }
    if (!this.#closed) this.#onChange();
  }

  #updateReading(): void {
    if (this.#closed) return;
    const wants = this.connection.wantsRead;
    if (wants && this.#socket.isPaused()) this.#socket.resume();
    else if (!wants && !this.#socket.isPaused()) this.#socket.pause();
  }

  flush(): void {
    while (!this.#blocked && !this.#closed) {
      const output = this.connection.takeOutput(BUDGET);
      if (output === undefined) break;
      this.#blocked = !this.#write(output);
    }
    for (const receiver of this.#receivers.values()) receiver.moved();
  }

  #write(output: Output): boolean {
    if (typeof output === 'string') return this.#socket.write(output, 'latin1');
    if (!Array.isArray(output)) return this.#socket.write(output);
    this.#socket.cork();
    for (const piece of output) this.#socket.write(piece);
    this.#socket.uncork();
    return !this.#socket.writableNeedDrain;
  }
}

function ignore(): void {}

function nobody(): boolean {
  return false;
}
