import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { ChildServer } from '../child-server.mjs';
import { pairedRounds } from '../rounds.mjs';
import { scenarios } from '../scenarios.mjs';
import { targetFor } from '../sides.mjs';
import { wires } from '../wires.mjs';

const CONNECTIONS = 10_000;
/** Files beside the connections. */
const SPARE = 200;
/** Connections that are opened at once: all of them fit into what the kernel keeps until they are accepted. */
const BATCH = 100;
/** Requests before the first look: the code is compiled, what is shared is built. */
const WARM_UP = 3000;
const MIB = 1_048_576;

const scenario = scenarios.find(({ name }) => name === 'hello');
const [headers] = scenario.clients;

/** How much a process grows by connections that are kept and idle, each after one request. */
export async function measure(_row, options, context) {
  const files = Number(spawnSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).stdout);
  if (files < CONNECTIONS + SPARE) return { absent: `${CONNECTIONS + SPARE} files: ulimit -n says ${files}` };
  let served = 0;
  const grow = (server, wire) => growth(server, wire, targetFor(`memory${served++}`, options, context), context);
  const samples = await pairedRounds(
    () => grow('environ', 'fastcgi'),
    () => grow('node', 'http'),
    options,
  );
  return { samples, unit: 'MiB' };
}

async function growth(name, wire, target, context) {
  const server = await ChildServer.start(name, wire, target, context);
  const idle = new IdleConnections(wire, server.address);
  try {
    await idle.open(1);
    for (let i = 0; i < WARM_UP; i++) await idle.askFirst();
    const before = await server.memory();
    await idle.open(CONNECTIONS);
    const after = await server.memory();
    idle.check();
    return (after.rss - before.rss) / MIB;
  } finally {
    idle.close();
    await server.stop();
  }
}

/** Connections that have been asked once and are kept. */
class IdleConnections {
  #wire;
  #address;
  #sockets = [];
  #error;

  constructor(wire, address) {
    this.#wire = wires[wire];
    this.#address = address;
  }

  async open(count) {
    for (let opened = 0; opened < count; opened += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, count - opened) }, () => this.#connect());
      this.#sockets.push(...(await Promise.all(batch)));
    }
  }

  async #connect() {
    const socket = connect({ ...this.#address, noDelay: true });
    socket.on('close', () => {
      this.#error ??= new Error('a kept connection closed');
    });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    await this.#ask(socket);
    return socket;
  }

  askFirst() {
    return this.#ask(this.#sockets[0]);
  }

  #ask(socket) {
    return new Promise((resolve, reject) => {
      socket.removeAllListeners('data');
      socket.removeAllListeners('error');
      socket.on('error', reject);
      let received = Buffer.alloc(0);
      socket.on('data', (chunk) => {
        received = Buffer.concat([received, chunk]);
        const reply = this.#wire.decode(received);
        if (reply === undefined) return;
        if (reply.status === 200 && reply.body === scenario.expected(headers)) resolve();
        else reject(new Error(`a wrong reply: ${received.toString('latin1')}`));
      });
      socket.write(this.#wire.encode(scenario, headers, 40_000 + this.#sockets.length, true));
    });
  }

  /** All of them are still there. @throws Error */
  check() {
    if (this.#error !== undefined) throw this.#error;
  }

  close() {
    for (const socket of this.#sockets) socket.removeAllListeners('close').destroy();
  }
}
