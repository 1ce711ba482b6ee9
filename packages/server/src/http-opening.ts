import type { Socket } from 'node:net';
import { awaitFirstBytes, type FirstBytes, handSocketOn } from './first-bytes.ts';
import type { HttpConnection } from './http-connection.ts';
import { Opening, type Sniffer } from './opening.ts';

/** Who goes on with a socket that HTTP is spoken on, or what node:http is to answer as it does. */
export interface HttpBeginner {
  readonly sniffers: readonly Sniffer[];
  begin(socket: Socket, bytes: Buffer): void;
}

/** The first bytes on a port of HTTP: what is known to be of another protocol does not come to node:http. */
export class HttpOpening implements FirstBytes {
  readonly #door: HttpBeginner;
  readonly #socket: Socket;
  readonly #connection: HttpConnection;
  readonly #opening: Opening;

  constructor(door: HttpBeginner, socket: Socket, connection: HttpConnection) {
    this.#door = door;
    this.#socket = socket;
    this.#connection = connection;
    this.#opening = new Opening(door.sniffers);
    awaitFirstBytes(socket, this);
  }

  firstBytes(chunk: Buffer): void {
    const { held } = this.#opening;
    const found = this.#opening.look(chunk);
    if (found === 'more') return;
    if (found !== undefined && found.name !== 'http') {
      this.#connection.wrongProtocol(found.name);
      return;
    }
    handSocketOn(this.#socket);
    this.#door.begin(this.#socket, held === undefined ? chunk : Buffer.concat([held, chunk]));
  }

  firstEnd(): void {
    this.#connection.leave();
  }

  /** The connection hears of it by itself. */
  firstClosed(): void {}
}
