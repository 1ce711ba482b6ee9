import { join } from 'node:path';

/** Where a server of a row is to listen. */
export function targetFor(name, { transport }, { folder }) {
  return transport === 'tcp' ? { host: '127.0.0.1', port: 0 } : { path: join(folder, name) };
}

/** How much of its core a server used while it was asked. */
export class BusyShare {
  #cpu = 0;
  #wall = 0;

  /** Both in microseconds. */
  add(cpu, wall) {
    this.#cpu += cpu;
    this.#wall += wall;
  }

  get text() {
    return `${Math.round((this.#cpu / this.#wall) * 100)} %`;
  }
}

/** Far below a whole core the load was what limited them. */
export function busyNote(of, to) {
  return `while they were asked, the servers used ${of.text} and ${to.text} of their core`;
}
