import { type BodySource, RequestBody } from '@postern/core';
import { repliedError } from './exchange-errors.ts';
import { Spool, type SpoolOwner, type SpoolStore } from './spool.ts';

/** Whose body it is. */
export interface BodyOwner {
  /** The reader waits for bytes. */
  bodyWanted(): void;
  /** The connection may go on with this body. */
  pullBody(): void;
  /** What was kept of it cannot be read back. */
  loseBody(error: Error): void;
}

/**
 * A body between the transport and its reader. What is not read waits in memory, and where it would keep the other
 * requests of its connection waiting, in a temporary file behind that.
 */
export class ReceivedBody implements BodySource, SpoolOwner {
  readonly body: RequestBody;
  readonly #owner: BodyOwner;
  #spool: Spool | undefined;
  /** All of it has come. */
  #ended: boolean;

  /** @param length as declared, in bytes; -1: not stated */
  constructor(owner: BodyOwner, length: number, ended: boolean) {
    this.#owner = owner;
    this.#ended = ended;
    this.body = new RequestBody(this, length, ended);
  }

  /** The transport: bytes have come. */
  push(chunk: Uint8Array): void {
    if (this.#spool === undefined) this.body.push(chunk);
    else this.#spool.push(chunk);
  }

  /** The transport: all of it has come. */
  end(): void {
    this.#ended = true;
    if (this.#spool === undefined) this.body.finish();
  }

  /** The exchange is over, for a reason or because the reply is complete; what was kept is for nobody. */
  close(reason: Error | undefined): void {
    this.#spool?.close();
    if (reason !== undefined || this.body.used) this.body.fail(reason ?? repliedError());
    else this.body.discard();
  }

  /**
   * The transport: this body fills its window, and others wait behind it.
   * @returns true: a further window of it finds room
   */
  keep(store: SpoolStore, inMemory: number): boolean {
    if (this.#spool === undefined) {
      if (this.body.waiting < inMemory) return true;
      if (store.full) return false;
      store.counts.sharedBodyHighWater++;
      this.#spool = new Spool(store, this);
    }
    return this.#spool.askRoom();
  }

  /** BodySource: what was kept comes first. */
  wantBody(): void {
    this.#owner.bodyWanted();
    const spool = this.#spool;
    if (spool !== undefined) {
      if (!spool.empty) {
        spool.take();
        return;
      }
      this.#spool = undefined;
      spool.close();
      if (this.#ended) {
        this.body.finish();
        return;
      }
    }
    this.#owner.pullBody();
  }

  /** SpoolOwner */
  piece(chunk: Uint8Array): void {
    this.body.push(chunk);
  }

  /** SpoolOwner */
  hasRoom(): void {
    if (!this.#ended) this.#owner.pullBody();
  }

  /** SpoolOwner */
  lost(error: Error): void {
    this.#owner.loseBody(error);
  }
}
