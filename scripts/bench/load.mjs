import { connect } from 'node:net';
import { wires } from './wires.mjs';

/** Longer than any slice takes; a server that hangs ends the run. */
const PATIENCE = 30_000;

/** All sockets read into it: the load is to be as light as it can be, or a fast server would wait for it. */
const shared = Buffer.allocUnsafeSlow(65_536);

/**
 * Asks one server one scenario over and over, one request in flight on each connection, and compares every reply with
 * what is expected: a broken server cannot look fast.
 */
export class Load {
  #name;
  #wire;
  #scenario;
  #address;
  #lanes = [];
  #left = 0;
  #running = 0;
  #done = () => {};
  #failed = () => {};
  #error;

  /**
   * @param {string} name of the server, for messages
   * @param {string} wire of `wires`
   * @param address where `net.connect` finds the server
   */
  constructor(name, wire, scenario, address) {
    this.#name = name;
    this.#wire = wires[wire];
    this.#scenario = scenario;
    this.#address = address;
  }

  /** Opens the connections; those that serve one request each are opened when it is asked. */
  async open(connections) {
    const { encode, kept } = this.#wire;
    for (let i = 0; i < connections; i++) {
      const { clients, expected } = this.#scenario;
      const headers = clients[i % clients.length];
      // the clients' ports differ, so that no two connections send the same bytes
      const request = encode(this.#scenario, headers, 40_000 + i, kept);
      // good: the bytes of a reply that was right
      const lane = { request, expected: expected(headers), good: undefined };
      Object.assign(lane, { socket: undefined, received: undefined, busy: false });
      this.#lanes.push(lane);
      if (kept) await this.#opened(lane);
    }
  }

  /** Thousands at once are more than a unix socket keeps until they are accepted. */
  async #opened(lane) {
    for (;;) {
      const error = await new Promise((resolve) => {
        const failed = (why) => {
          lane.socket = undefined;
          resolve(why);
        };
        this.#connect(lane, resolve, failed);
      });
      if (error === undefined) return;
      if (error.code !== 'EAGAIN') throw error;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Sends `count` requests and takes their replies. @throws Error a wrong reply, a lost connection, or silence */
  async run(count) {
    if (this.#error !== undefined) throw this.#error;
    let timer;
    try {
      await new Promise((resolve, reject) => {
        this.#done = resolve;
        this.#failed = reject;
        timer = setTimeout(() => this.#fail(`no reply for ${PATIENCE / 1000} s`), PATIENCE);
        this.#left = count;
        for (const lane of this.#lanes) this.#next(lane);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  close() {
    for (const lane of this.#lanes) {
      const { socket } = lane;
      lane.socket = undefined;
      socket?.destroy();
    }
  }

  #fail(what) {
    this.#error ??= new Error(`${this.#name}, ${this.#scenario.name}: ${what}`);
    this.#failed(this.#error);
  }

  #connect(lane, opened, failed) {
    const callback = (count) => {
      this.#receive(lane, shared.subarray(0, count));
      return true;
    };
    const socket = connect({ ...this.#address, noDelay: true, onread: { buffer: shared, callback } });
    lane.socket = socket;
    socket.on('error', failed);
    socket.on('connect', opened);
    socket.on('close', () => this.#closed(lane, socket));
  }

  #next(lane) {
    if (this.#left === 0) return;
    this.#left--;
    this.#running++;
    lane.busy = true;
    if (this.#wire.kept) lane.socket.write(lane.request);
    else {
      this.#connect(
        lane,
        () => lane.socket.write(lane.request),
        (error) => this.#fail(error.message),
      );
    }
  }

  #receive(lane, chunk) {
    const bytes = lane.received === undefined ? chunk : Buffer.concat([lane.received, chunk]);
    if (!lane.busy) this.#fail('a reply that nobody asked for');
    else if (!this.#wire.kept || !this.#check(lane, bytes, false)) {
      // what comes next is read into the same memory
      lane.received = bytes === chunk ? Buffer.from(chunk) : bytes;
    } else {
      lane.received = undefined;
      lane.busy = false;
      this.#answered(lane);
    }
  }

  /** False: the reply is not whole. One that has the bytes of the last right one is right. */
  #check(lane, bytes, closed) {
    if (lane.good?.equals(bytes)) return true;
    let reply;
    try {
      reply = this.#wire.decode(bytes, closed);
    } catch (error) {
      this.#fail(error.message);
    }
    if (reply === undefined) return false;
    if (reply.size !== bytes.length) this.#fail(`${bytes.length - reply.size} bytes behind the end of a reply`);
    else if (reply.status !== 200 || reply.body !== lane.expected)
      this.#fail(`a wrong reply: ${reply.status} ${JSON.stringify(reply.body.slice(0, 200))}`);
    lane.good = Buffer.from(bytes);
    return true;
  }

  #closed(lane, socket) {
    if (lane.socket !== socket) return;
    if (this.#wire.kept) this.#fail('a kept connection closed');
    else if (lane.received === undefined || !this.#check(lane, lane.received, true))
      this.#fail('the connection closed before the end of the reply');
    else {
      lane.received = undefined;
      lane.busy = false;
      this.#answered(lane);
    }
  }

  #answered(lane) {
    this.#running--;
    if (this.#error !== undefined) return;
    if (this.#left > 0) this.#next(lane);
    else if (this.#running === 0) this.#done();
  }
}
