import { isBodyless, nextReplyState, type ReplyEvent, type ReplyState } from '@postern/core';
import { sendHeadersText } from './reply-head.ts';
import type { ReplyOutput } from './reply-output.ts';

/** The reply to the latest request: how far it has come, and what its events write. */
export class Reply {
  readonly #output: ReplyOutput;
  /** Bytes of one packet, at most. */
  readonly #packet: number;
  #state: ReplyState = 'ended';
  #method = '';
  /** By its head. */
  #bodyless = false;

  constructor(output: ReplyOutput, packet: number) {
    this.#output = output;
    this.#packet = packet;
  }

  /** @param method of the request; '': its head was refused */
  begin(method: string): void {
    this.#state = 'waiting';
    this.#method = method;
  }

  /** Nobody gives more of it. */
  get ended(): boolean {
    return this.#state === 'ended';
  }

  /** @throws LocalProtocolError the event is not allowed in this state; ERR_HEADER_BLOCK: see `sendHeadersText` */
  send(event: ReplyEvent): void {
    const output = this.#output;
    const next = nextReplyState(this.#state, event.type);
    switch (event.type) {
      case 'interim':
        output.push(this.#head(event.status, event.reason, event.headers));
        break;
      case 'whole':
        output.push(this.#head(event.status, event.reason, event.headers));
        output.whole(event.body, event.size);
        break;
      case 'head':
        output.push(this.#head(event.status, event.reason, event.headers));
        this.#bodyless = isBodyless(this.#method, event.status);
        break;
      case 'data':
        output.data(event.chunk);
        break;
      case 'flush':
        if (!this.#bodyless) output.flush();
        break;
      case 'end':
        output.end();
        break;
      case 'abort':
        output.clear();
        break;
      // and nothing for a log: that of the web server is out of reach
    }
    this.#state = next;
  }

  #head(status: number, reason: string, headers: readonly string[]): string {
    return sendHeadersText(status, reason, headers, this.#packet);
  }
}
