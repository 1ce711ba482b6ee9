import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** How far the latest request of an HTTP connection has come, as far as the bytes of its socket tell. */
export class RequestProgress {
  readonly #socket: Socket;
  #latest: IncomingMessage | undefined;
  /** It is not through: its body is on its way, or it is not answered. */
  #open = false;
  /** Bytes received when it was through; what comes behind begins the next. */
  #through = 0;
  /** Bytes received as of the latest look, and when there were new ones. */
  #received = 0;
  #heardAt: number;

  constructor(socket: Socket, now: number) {
    this.#socket = socket;
    this.#heardAt = now;
  }

  begin(request: IncomingMessage): void {
    this.#latest = request;
    this.#open = true;
  }

  /** A request is not through. */
  get open(): boolean {
    return this.#open;
  }

  get latest(): IncomingMessage | undefined {
    return this.#latest;
  }

  /** Its body has come, or there has been no request. */
  get complete(): boolean {
    return this.#latest?.complete !== false;
  }

  /** Every request has been answered: that is the end of the latest, unless its body is still on its way. */
  settle(): void {
    if (!this.#open || !this.complete) return;
    this.#open = false;
    this.#through = this.#socket.bytesRead;
  }

  /** The clock ticked. True: something has come since it did before. */
  look(now: number): boolean {
    const { bytesRead } = this.#socket;
    if (bytesRead === this.#received) return false;
    this.#received = bytesRead;
    this.#heardAt = now;
    return true;
  }

  /** The beginning of a request has come. */
  get pending(): boolean {
    return !this.#open && this.#socket.bytesRead !== this.#through;
  }

  /** Bytes received as of the latest look. */
  get received(): number {
    return this.#received;
  }

  silentFor(now: number): number {
    return now - this.#heardAt;
  }
}
