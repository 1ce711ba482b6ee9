import type { Socket } from 'node:net';
import type { ErrorCode, PeerOptions, ServerProtocol } from '@postern/core';
import type { AutoProtocol } from './auto-protocol.ts';
import { awaitFirstBytes, type FirstBytes, handSocketOn } from './first-bytes.ts';
import { httpBeginning } from './foreign-protocols.ts';
import type { HttpProtocol } from './http-protocol.ts';
import { type LogEntry, PeerLog } from './log.ts';
import { Opening } from './opening.ts';
import type { ServedConnection, ServerContext } from './served-connection.ts';
import { TICK } from './watchdog.ts';
import { allTold, wrongProtocolMessage } from './wrong-protocol.ts';

/** A connection whose first bytes have told what it speaks. */
export interface Chosen {
  readonly socket: Socket;
  readonly protocol: ServerProtocol | HttpProtocol;
  readonly peer: PeerOptions;
  /** When its first bytes came. */
  readonly since: number;
  /** What came before the latest chunk, where it came in pieces. */
  readonly held: Buffer | undefined;
  readonly chunk: Buffer;
  /** It is to take no request but this one. */
  readonly retired: boolean;
}

/** Who goes on with it, in the place of what waited. */
export interface AutoContext extends ServerContext {
  chosen(waited: ServedConnection, chosen: Chosen): void;
}

/** A connection whose protocol is not known yet. It has as long as the head of a request has, also for its first byte. */
export class AutoConnection implements ServedConnection, FirstBytes {
  place = -1;
  readonly #context: AutoContext;
  readonly #socket: Socket;
  readonly #protocol: AutoProtocol;
  readonly #peer: PeerOptions;
  readonly #opening: Opening;
  /** When it was accepted; as soon as something came, when that did. */
  #since: number;
  #retired = false;
  #dead = false;

  constructor(context: AutoContext, socket: Socket, protocol: AutoProtocol, peer: PeerOptions) {
    this.#context = context;
    this.#socket = socket;
    this.#protocol = protocol;
    this.#peer = peer;
    this.#opening = new Opening(protocol.sniffers);
    this.#since = context.now;
    awaitFirstBytes(socket, this);
  }

  firstBytes(chunk: Buffer): void {
    if (this.idle) this.#since = this.#context.now;
    const { held } = this.#opening;
    const found = this.#opening.look(chunk);
    if (found === 'more') return;
    const protocol =
      found === httpBeginning ? this.#protocol.http : this.#protocol.framed.find((framed) => framed === found);
    if (protocol === undefined) {
      this.#refuse(
        found === undefined
          ? `the first bytes are of none of ${allTold}: ${hexOf(held === undefined ? chunk : Buffer.concat([held, chunk]))}`
          : wrongProtocolMessage(found.name, this.#protocol.name),
      );
      return;
    }
    handSocketOn(this.#socket);
    this.#context.chosen(this, {
      socket: this.#socket,
      protocol,
      peer: this.#peer,
      since: this.#since,
      held,
      chunk,
      retired: this.#retired,
    });
  }

  firstEnd(): void {
    // who connects and leaves only looked whether somebody listens
    if (this.idle) this.#leave();
    else this.#refuse(`the connection ended before it was known which of ${allTold} it speaks`);
  }

  firstClosed(): void {
    this.#context.closed(this);
  }

  #refuse(message: string): void {
    this.#tell('protocol_error', 'ERR_WRONG_PROTOCOL', message);
    this.#leave();
  }

  /** Most connections have nothing to be told of. */
  #tell(event: LogEntry['event'], code: ErrorCode, message: string): void {
    new PeerLog(this.#context, this.#protocol.name, this.#socket).write('warn', event, code, message);
  }

  #leave(): void {
    this.#dead = true;
    this.#socket.destroy();
  }

  get idle(): boolean {
    return this.#opening.held === undefined;
  }

  get busy(): boolean {
    return !this.idle;
  }

  check(): void {
    const { now, limits } = this.#context;
    if (this.#dead || now - this.#since < limits.headersTimeout + TICK) return;
    this.#context.counts.headersTimeout++;
    if (this.busy) {
      const message = `the first bytes of a connection took longer than ${limits.headersTimeout} ms`;
      this.#tell('timeout', 'ERR_TIMEOUT_HEAD', message);
    }
    this.#leave();
  }

  retire(): void {
    this.#retired = true;
    if (this.idle) this.#leave();
  }

  cut(): void {
    this.#leave();
  }
}

/** For the log. */
function hexOf(bytes: Buffer): string {
  return bytes.subarray(0, 8).toString('hex').replace(/..\B/g, '$& ');
}
