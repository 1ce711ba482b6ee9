import { connect } from 'node:net';
import { wires } from './wires.mjs';

/** A slice that is not over so long after its last request was to be sent has failed, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Sends requests at times that are fixed beforehand, whatever the replies do: a server that stalls is asked all the same,
 * and what waits meanwhile counts. Every reply is checked.
 */
export class OpenLoad {
  #wire;
  #scenario;
  #expected;
  #free = [];
  #sockets = [];
  #latencies;
  #answered = 0;
  #error;

  constructor(wire, scenario) {
    this.#wire = wires[wire];
    this.#scenario = scenario;
    this.#expected = scenario.expected(scenario.clients[0]);
  }

  async open(address, connections) {
    for (let i = 0; i < connections; i++) {
      const request = this.#wire.encode(this.#scenario, this.#scenario.clients[0], 40_000 + i, true);
      const lane = { request, due: 0, good: undefined, received: undefined };
      const buffer = Buffer.allocUnsafeSlow(16_384);
      const callback = (count) => {
        this.#receive(lane, buffer.subarray(0, count));
        return true;
      };
      lane.socket = connect({ ...address, noDelay: true, onread: { buffer, callback } });
      await new Promise((resolve, reject) => lane.socket.once('connect', resolve).once('error', reject));
      lane.socket.on('close', () => {
        this.#error ??= new Error('a kept connection closed');
      });
      this.#sockets.push(lane.socket);
      this.#free.push(lane);
    }
  }

  /**
   * @param rate requests a second
   * @param seconds how long
   * @returns {Promise<number>} the p99 of the latency in microseconds
   * @throws Error a wrong reply, a lost connection, or silence
   */
  async run(rate, seconds) {
    const count = Math.round(rate * seconds);
    const gap = 1000 / rate;
    this.#latencies = new Float64Array(count);
    this.#answered = 0;
    const start = performance.now() + 5;
    const end = start + seconds * 1000 + PATIENCE;
    let next = 0;
    while (this.#answered < count) {
      const now = performance.now();
      while (next < count && start + next * gap <= now && this.#free.length > 0) {
        // the one that has been free the longest: all of them are in use
        const lane = this.#free.shift();
        lane.due = start + next++ * gap;
        lane.socket.write(lane.request);
      }
      if (this.#error !== undefined) throw this.#error;
      if (now > end) throw new Error(`${count - this.#answered} requests without a reply`);
      // timers are too coarse: this process has a core of its own
      await new Promise(setImmediate);
    }
    return percentile(this.#latencies, 0.99);
  }

  #receive(lane, chunk) {
    const now = performance.now();
    const bytes = lane.received === undefined ? chunk : Buffer.concat([lane.received, chunk]);
    if (!this.#isWhole(lane, bytes)) {
      lane.received = Buffer.from(bytes);
      return;
    }
    lane.received = undefined;
    this.#latencies[this.#answered++] = (now - lane.due) * 1000;
    this.#free.push(lane);
  }

  #isWhole(lane, bytes) {
    // the bytes of the last reply that was right
    if (lane.good?.equals(bytes)) return true;
    try {
      const reply = this.#wire.decode(bytes);
      if (reply === undefined) return false;
      if (reply.size !== bytes.length || reply.status !== 200 || reply.body !== this.#expected)
        throw new Error(`a wrong reply: ${JSON.stringify(bytes.toString('latin1').slice(0, 200))}`);
      lane.good = Buffer.from(bytes);
    } catch (error) {
      this.#error ??= error;
    }
    return true;
  }

  close() {
    for (const socket of this.#sockets) socket.removeAllListeners('close').destroy();
  }
}

function percentile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
