import type { ServedConnection } from './served-connection.ts';

/**
 * The open connections of a server. Not a Set: where connections come and go its discarded tables keep those that are
 * closed, until the next collection of all memory.
 */
export class ConnectionList {
  readonly #connections: ServedConnection[] = [];

  get size(): number {
    return this.#connections.length;
  }

  add(connection: ServedConnection): void {
    connection.place = this.#connections.length;
    this.#connections.push(connection);
  }

  /** Does nothing where it is not among them. */
  delete(connection: ServedConnection): void {
    const { place } = connection;
    if (this.#connections[place] !== connection) return;
    const last = this.#connections.pop() as ServedConnection;
    if (last !== connection) {
      this.#connections[place] = last;
      last.place = place;
    }
    connection.place = -1;
  }

  /** Those that are open now, whatever closes meanwhile. */
  [Symbol.iterator](): Iterator<ServedConnection> {
    return [...this.#connections].values();
  }
}
