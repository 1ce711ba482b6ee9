import type { Socket } from 'node:net';
import type { PeerOptions } from '@postern/core';
import { AutoConnection, type AutoContext, type Chosen } from './auto-connection.ts';
import { isAuto, type Listened } from './auto-protocol.ts';
import { Driver } from './driver.ts';
import { HttpDoor } from './http-door.ts';
import { type HttpProtocol, isHttp } from './http-protocol.ts';
import type { FramedSocket } from './light-socket.ts';
import type { ServedConnection } from './served-connection.ts';

/** Makes connections of sockets, each in its protocol, all with one context. */
export class Entrance {
  readonly #context: AutoContext;
  /** One for each way to speak HTTP. */
  readonly #doors = new Map<HttpProtocol, HttpDoor>();

  constructor(context: AutoContext) {
    this.#context = context;
  }

  /** @param socket where the protocol may be HTTP, one of node:net */
  connect(socket: FramedSocket, protocol: Listened, peer: PeerOptions): ServedConnection {
    if (isHttp(protocol)) return this.#door(protocol, peer).accept(socket as Socket);
    if (isAuto(protocol)) return new AutoConnection(this.#context, socket as Socket, protocol, peer);
    return new Driver(this.#context, socket, protocol, peer);
  }

  /**
   * A connection on an address with `auto` goes on in its protocol, in the same turn.
   * @param replace is told of what stands for it, before anything of it is read
   */
  goOn(
    { socket, protocol, peer, since, held, chunk, retired }: Chosen,
    replace: (connection: ServedConnection) => void,
  ): void {
    let connection: ServedConnection;
    if (isHttp(protocol)) {
      const door = this.#door(protocol, peer);
      const http = door.open(socket, since);
      replace(http);
      door.begin(socket, held === undefined ? chunk : Buffer.concat([held, chunk]));
      connection = http;
    } else {
      const driver = new Driver(this.#context, socket, protocol, peer, since);
      replace(driver);
      if (held !== undefined) driver.receive(held, false);
      driver.receive(chunk, false);
      connection = driver;
    }
    if (retired) connection.retire();
  }

  #door(protocol: HttpProtocol, peer: PeerOptions): HttpDoor {
    let door = this.#doors.get(protocol);
    if (door === undefined) {
      door = new HttpDoor(this.#context, protocol, peer);
      this.#doors.set(protocol, door);
    }
    return door;
  }
}
