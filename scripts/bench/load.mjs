import { connect } from 'node:net';
import * as fastcgi from './wires/fastcgi.mjs';
import * as http from './wires/http.mjs';

const wires = { fastcgi, http };

/** Longer than any slice takes; a server that hangs ends the run. */
const PATIENCE = 30_000;

/**
 * Asks one server one scenario over and over, one request in flight on each connection, and compares every reply with
 * what is expected: a broken server cannot look fast.
 */
export class Load {
  #subject;
  #scenario;
  #address;
  #encode;
  #decode;
  #lanes = [];
  #left = 0;
  #running = 0;
  #done = () => {};
  #failed = () => {};
  #error;

  /**
   * @param {{ name: string, wire: 'fastcgi' | 'http', kept: boolean }} subject
   * @param address where `net.connect` finds the server
   */
  constructor(subject, scenario, address) {
    this.#subject = subject;
    this.#scenario = scenario;
    this.#address = address;
    this.#encode = wires[subject.wire].encode;
    this.#decode = wires[subject.wire].decode;
  }

  /** Opens the connections; those that serve one request each are opened when it is asked. */
  async open(connections) {
    for (let i = 0; i < connections; i++) {
      const { clients, expected } = this.#scenario;
      const headers = clients[i % clients.length];
      // the clients' ports differ, so that no two connections send the same bytes
      const request = this.#encode(this.#scenario, headers, 40_000 + i, this.#subject.kept);
      const lane = { request, expected: expected(headers), socket: undefined, received: undefined, busy: false };
      this.#lanes.push(lane);
      if (this.#subject.kept) await new Promise((resolve, reject) => this.#connect(lane, resolve, reject));
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
    for (const { socket } of this.#lanes) socket?.destroy();
  }

  #fail(what) {
    this.#error ??= new Error(`${this.#subject.name}, ${this.#scenario.name}: ${what}`);
    this.#failed(this.#error);
  }

  #connect(lane, opened, failed) {
    const socket = connect({ ...this.#address, noDelay: true });
    lane.socket = socket;
    socket.on('error', failed);
    socket.on('connect', opened);
    socket.on('data', (chunk) => this.#receive(lane, chunk));
    socket.on('close', () => this.#closed(lane, socket));
  }

  #next(lane) {
    if (this.#left === 0) return;
    this.#left--;
    this.#running++;
    lane.busy = true;
    if (this.#subject.kept) lane.socket.write(lane.request);
    else {
      this.#connect(
        lane,
        () => lane.socket.write(lane.request),
        (error) => this.#fail(error.message),
      );
    }
  }

  #receive(lane, chunk) {
    lane.received = lane.received === undefined ? chunk : Buffer.concat([lane.received, chunk]);
    let reply;
    try {
      reply = this.#decode(lane.received);
    } catch (error) {
      this.#fail(error.message);
      return;
    }
    if (reply === undefined) return;
    const behind = lane.received.length - reply.size;
    lane.received = undefined;
    if (!lane.busy) this.#fail('a reply that nobody asked for');
    else if (behind > 0 && this.#subject.kept) this.#fail(`${behind} bytes behind the end of a reply`);
    else if (reply.status !== 200 || reply.body !== lane.expected)
      this.#fail(`a wrong reply: ${reply.status} ${JSON.stringify(reply.body.slice(0, 200))}`);
    else {
      lane.busy = false;
      if (this.#subject.kept) this.#answered(lane);
    }
  }

  #closed(lane, socket) {
    if (lane.socket !== socket) return;
    if (lane.busy) this.#fail('the connection closed before the end of the reply');
    else if (this.#subject.kept) this.#fail('a kept connection closed');
    else this.#answered(lane);
  }

  #answered(lane) {
    this.#running--;
    if (this.#left > 0) this.#next(lane);
    else if (this.#running === 0) this.#done();
  }
}
