import {
  type Chunk,
  cgiReplyHead,
  type Limits,
  nextReplyState,
  type Output,
  type ReplyEvent,
  reasonOf,
} from '@postern/core';
import { asBuffer } from '@postern/wire';
import { RecordType } from './constants.ts';
import { endRequestText, endText, headerBytes, headerText, paddingText, recordText, STREAM_PIECE } from './records.ts';
import type { RequestState } from './request-state.ts';

/** Up to here a body is copied behind its head; above it goes by reference. */
const FUSE = 16_384;

/** Replies become records here: whole ones at once, streamed ones in turns of one record an id. */
export class ReplyOutput {
  #ready: (string | Buffer)[] = [];
  #readyBytes = 0;
  /** Ids that have body bytes or their end to send, in the order of their turns. */
  #turns: RequestState[] = [];

  /** Bytes that are due whatever the turns are. */
  get readyBytes(): number {
    return this.#readyBytes;
  }

  push(piece: string | Buffer): void {
    if (piece.length === 0) return;
    this.#ready.push(piece);
    this.#readyBytes += piece.length;
  }

  /** @throws LocalProtocolError ERR_HEADERS_SENT, ERR_WRITE_AFTER_END: the event is not allowed in this state */
  send(state: RequestState, event: ReplyEvent, limits: Limits): void {
    state.reply = nextReplyState(state.reply, event.type);
    switch (event.type) {
      case 'whole':
        this.#whole(state.id, cgiReplyHead(event.status, event.reason, event.headers), event.body, event.size);
        break;
      case 'interim':
        this.#records(state.id, Buffer.from(cgiReplyHead(event.status, event.reason, event.headers), 'latin1'));
        break;
      case 'head':
        this.#head(state, cgiReplyHead(event.status, event.reason, event.headers));
        break;
      case 'upgrade':
        this.#queue(state, cgiReplyHead(event.status, event.reason, event.headers), 'latin1');
        break;
      case 'half-end':
        state.half = 'ending';
        this.#takeTurns(state);
        break;
      case 'data':
        this.#queue(state, event.chunk, 'utf8');
        break;
      case 'end':
        state.ending = true;
        this.#takeTurns(state);
        break;
      case 'log':
        this.#log(state, event.text, limits.maxStderrBytes);
        break;
    }
  }

  #whole(id: number, head: string, body: Chunk | null, size?: number): void {
    const tail = endText(id);
    if (body === null || (typeof body === 'string' && (size ?? Buffer.byteLength(body)) === body.length)) {
      const content = body === null ? head : head + body;
      if (content.length <= STREAM_PIECE) {
        this.push(recordText(RecordType.STDOUT, id, content) + tail);
        return;
      }
    }
    const bytes = typeof body === 'string' ? Buffer.from(body) : asBuffer(body ?? Buffer.alloc(0));
    const length = head.length + bytes.length;
    if (length <= FUSE) {
      const padding = paddingText(length);
      const fused = Buffer.allocUnsafe(8 + length + padding.length + tail.length);
      let at = fused.write(headerText(RecordType.STDOUT, id, length) + head, 0, 'latin1');
      fused.set(bytes, at);
      at += bytes.length;
      fused.write(padding + tail, at, 'latin1');
      this.push(fused);
      return;
    }
    const first = Math.min(length, STREAM_PIECE) - head.length;
    if (first <= 0) {
      // a head that fills a record by itself
      this.#records(id, Buffer.concat([Buffer.from(head, 'latin1'), bytes]));
    } else {
      this.push(headerText(RecordType.STDOUT, id, head.length + first) + head);
      this.push(bytes.subarray(0, first));
      this.push(paddingText(head.length + first));
      this.#records(id, bytes.subarray(first));
    }
    this.push(tail);
  }

  /** That of an authorizer goes out whatever comes behind it: see `deny`. */
  #head(state: RequestState, head: string): void {
    if (state.role === 'authorizer') this.#records(state.id, Buffer.from(head, 'latin1'));
    else this.#queue(state, head, 'latin1');
  }

  /**
   * Before the end of a request that was not answered: an authorizer's is denied. lighttpd takes an END_REQUEST without a
   * head before it for an allow, whatever its status.
   */
  deny({ id, role, reply }: RequestState): void {
    if (role !== 'authorizer' || reply !== 'waiting') return;
    const reason = reasonOf(500);
    const head = cgiReplyHead(500, reason, ['Content-Type', 'text/plain']);
    this.push(recordText(RecordType.STDOUT, id, `${head}500 ${reason}\n`) + headerText(RecordType.STDOUT, id, 0));
  }

  #records(id: number, bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += STREAM_PIECE) {
      const piece = bytes.subarray(at, at + STREAM_PIECE);
      this.push(headerText(RecordType.STDOUT, id, piece.length));
      this.push(piece);
      this.push(paddingText(piece.length));
    }
  }

  #log(state: RequestState, text: string, most: number): void {
    const room = most - state.stderrBytes;
    if (room < 0) return;
    let bytes = Buffer.from(text);
    state.stderrBytes += bytes.length;
    if (bytes.length > room) bytes = Buffer.concat([bytes.subarray(0, room), Buffer.from(' [the rest is dropped]\n')]);
    for (let at = 0; at < bytes.length; at += STREAM_PIECE) {
      this.push(recordText(RecordType.STDERR, state.id, bytes.toString('latin1', at, at + STREAM_PIECE)));
    }
  }

  #queue(state: RequestState, chunk: Chunk, encoding: 'latin1' | 'utf8'): void {
    state.out.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
    this.#takeTurns(state);
  }

  #takeTurns(state: RequestState): void {
    if (!this.#turns.includes(state)) this.#turns.push(state);
  }

  /** The peer gave it up, or it broke off: what waits of it is thrown away. */
  drop(state: RequestState): void {
    const at = this.#turns.indexOf(state);
    if (at >= 0) this.#turns.splice(at, 1);
  }

  endRequest(id: number, appStatus: number, protocolStatus: number): void {
    this.push(endRequestText(id, appStatus, protocolStatus));
  }

  /** @param ended is called for each id whose end goes out */
  take(budget: number, ended: (state: RequestState) => void): Output | undefined {
    if (this.#turns.length === 0) {
      if (this.#ready.length === 0) return undefined;
      const ready = this.#ready;
      this.#ready = [];
      this.#readyBytes = 0;
      return ready.length === 1 ? ready[0] : joinSmall(ready.map(toBytes));
    }
    const pieces = this.#ready.map(toBytes);
    let taken = this.#readyBytes;
    this.#ready = [];
    this.#readyBytes = 0;
    while (this.#turns.length > 0 && taken < budget) {
      const state = this.#turns.shift() as RequestState;
      taken += takeRecord(state, pieces);
      if (state.outLength > 0) this.#turns.push(state);
      else if (state.ending) {
        const end = state.half === 'ended' ? endRequestText(state.id, 0, 0) : endText(state.id);
        pieces.push(Buffer.from(end, 'latin1'));
        ended(state);
      } else if (state.half === 'ending') {
        state.half = 'ended';
        pieces.push(headerBytes(RecordType.STDOUT, state.id, 0));
      }
    }
    return pieces.length === 0 ? undefined : joinSmall(pieces);
  }
}

function takeRecord(state: RequestState, into: Uint8Array[]): number {
  const length = Math.min(state.outLength, STREAM_PIECE);
  if (length === 0) return 0;
  // without padding: nginx lets a head go at once only where nothing follows it
  into.push(headerBytes(RecordType.STDOUT, state.id, length, 0));
  for (let left = length; left > 0; ) {
    const piece = state.out.takeSome(left);
    into.push(piece);
    left -= piece.length;
  }
  return 8 + length;
}

/** Many small pieces cost more as a vector than as a copy. */
function joinSmall(pieces: Uint8Array[]): Output {
  let bytes = 0;
  for (const piece of pieces) bytes += piece.length;
  return bytes <= FUSE ? Buffer.concat(pieces, bytes) : pieces;
}

function toBytes(piece: string | Buffer): Buffer {
  return typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece;
}
