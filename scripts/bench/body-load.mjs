import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { content, received, SIZE } from './body-apps.mjs';
import { bodyWires } from './body-wires.mjs';

/** Longer than any slice takes; a server that hangs ends the run. */
const PATIENCE = 20_000;

const headers = [
  ['Host', 'www.example.org'],
  ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'],
  ['Accept', '*/*'],
  ['Accept-Language', 'en-US,en;q=0.5'],
  ['Accept-Encoding', 'gzip, deflate, br'],
];
const uploadHeaders = [...headers, ['Content-Type', 'application/octet-stream'], ['Content-Length', String(SIZE)]];

const scenarios = {
  upload: {
    method: 'POST',
    target: '/upload',
    headers: uploadHeaders,
    body: content,
    expected: Buffer.from(received(SIZE, createHash('sha256').update(content))),
  },
  reply: { method: 'GET', target: '/whole', headers, body: Buffer.alloc(0), expected: content },
};

/**
 * Sends or takes a MiB over and over, one request in flight on each kept connection. Every byte of every reply is
 * compared with what it must be.
 */
export class BodyLoad {
  #wire;
  #scenario;
  #lanes = [];
  #left = 0;
  #running = 0;
  #done = () => {};
  #failed = () => {};
  #error;

  /**
   * @param {'fastcgi' | 'http' | 'ajp'} wire
   * @param {'upload' | 'reply'} body
   */
  constructor(wire, body) {
    this.#wire = bodyWires[wire];
    this.#scenario = scenarios[body];
  }

  async open(address, connections) {
    for (let i = 0; i < connections; i++) {
      const lane = { question: this.#wire.question(this.#scenario, 40_000 + i) };
      const buffer = Buffer.allocUnsafeSlow(65_536);
      const take = (count) => this.#receive(lane, buffer.subarray(0, count));
      lane.socket = connect({ ...address, noDelay: true, onread: { buffer, callback: take } });
      await new Promise((resolve, reject) => lane.socket.once('connect', resolve).once('error', reject));
      lane.socket.on('error', (error) => this.#fail(error.message));
      lane.socket.on('close', () => this.#fail('a kept connection closed'));
      this.#lanes.push(lane);
    }
  }

  /** Asks `count` times. @throws Error a wrong reply, a lost connection, or silence */
  async run(count) {
    if (this.#error !== undefined) throw this.#error;
    const timer = setTimeout(() => this.#fail(`no reply for ${PATIENCE / 1000} s`), PATIENCE);
    try {
      await new Promise((resolve, reject) => {
        this.#done = resolve;
        this.#failed = reject;
        this.#left = count;
        for (const lane of this.#lanes) this.#next(lane);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  close() {
    for (const { socket } of this.#lanes) {
      socket.removeAllListeners('close');
      socket.destroy();
    }
  }

  #fail(what) {
    this.#error ??= new Error(`${this.#scenario.method} ${this.#scenario.target}: ${what}`);
    this.#failed(this.#error);
  }

  #next(lane) {
    if (this.#left === 0) return;
    this.#left--;
    this.#running++;
    lane.answer = new this.#wire.Answer(this.#scenario);
    lane.at = 0;
    lane.socket.write(lane.question);
  }

  #receive(lane, chunk) {
    const { expected } = this.#scenario;
    try {
      const complete = lane.answer.take(
        chunk,
        (part) => {
          if (expected.compare(part, 0, part.length, lane.at, lane.at + part.length) !== 0)
            throw new Error(`a wrong reply at byte ${lane.at}`);
          lane.at += part.length;
        },
        (bytes) => lane.socket.write(bytes),
      );
      if (complete) this.#answered(lane);
    } catch (error) {
      this.#fail(error.message);
    }
    return true;
  }

  #answered(lane) {
    if (lane.at !== this.#scenario.expected.length) throw new Error(`a reply with ${lane.at} bytes of body`);
    this.#running--;
    if (this.#left > 0) this.#next(lane);
    else if (this.#running === 0) this.#done();
  }
}
