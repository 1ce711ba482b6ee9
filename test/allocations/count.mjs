/**
 * What requests cost in memory on one kept FastCGI connection: `node --expose-gc … count.mjs HANDLER [SOCKET]` prints
 * { allocated, retained }, bytes a request. Without the path of a unix socket there is none, so that what is allocated is
 * the server's alone. The young generation has to hold all of it, so that nothing is collected between two looks (see
 * requests.test.ts for the flags).
 */
import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { environHandler, limitsWith } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { nodeHandler } from '@postern/node';
import { Server } from '@postern/server';
import { constantWaist, environApp, nodeApp } from '../../scripts/bench/apps.mjs';
import { scenarios } from '../../scripts/bench/scenarios.mjs';
import { decode, encode } from '../../scripts/bench/wires/fastcgi.mjs';

const WARM_UP = 1000;
/** Of one batch. What Node.js itself frees or keeps once is in one batch alone. */
const REQUESTS = 2000;
const BATCHES = 5;
/** Of one turn of the event loop. */
const TURN = 10;

const leaked = [];

const handlers = {
  waist: constantWaist,
  environ: environHandler(environApp),
  node: nodeHandler(nodeApp),
  // what the test has to notice
  leak(exchange) {
    leaked.push(() => leaked.length);
    constantWaist(exchange);
  },
};

/** What of a socket a server uses. It takes everything at once. */
class Peer extends EventEmitter {
  remoteAddress = undefined;
  writableLength = 0;
  writableEnded = false;
  writableNeedDrain = false;
  readableEnded = false;
  bytesWritten = 0;
  replies = 0;
  last = undefined;
  encoding = undefined;

  write(data, encoding) {
    this.last = data;
    this.encoding = encoding;
    this.replies++;
    return true;
  }

  isPaused() {
    return false;
  }

  pause() {}
  resume() {}
  cork() {}
  uncork() {}
}

/** A client on a real socket: one request after the other. */
class Client {
  replies = 0;
  last = undefined;
  #answered = () => {};
  #socket;

  constructor(path) {
    const callback = (count, buffer) => {
      this.last = buffer.subarray(0, count);
      this.replies++;
      this.#answered();
      return true;
    };
    this.#socket = connect({ path, onread: { buffer: Buffer.alloc(65_536), callback } });
  }

  async connected() {
    await once(this.#socket, 'connect');
  }

  ask() {
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#socket.write(request);
    });
  }
}

const [name, path] = process.argv.slice(2);
const scenario = scenarios.find((one) => one.name === 'hello');
const request = encode(scenario, scenario.clients[0], 40_000, true);
const server = new Server(handlers[name], { limits: limitsWith({ maxConnectionRequests: 1_000_000 }) });
let peer;
if (path === undefined) {
  peer = new Peer();
  server.accept(peer, fastcgi);
} else {
  await server.listen(fastcgi, { transport: 'unix', path });
  peer = new Client(path);
  await peer.connected();
}

async function ask(count) {
  for (let i = 0; i < count; i += TURN) {
    for (let j = 0; j < TURN; j++) {
      if (path === undefined) peer.emit('data', request);
      else await peer.ask();
    }
    await new Promise(setImmediate);
  }
}

function used() {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** What collections of garbage leave, once a further one frees nothing. */
async function settled() {
  let least = Number.POSITIVE_INFINITY;
  for (let again = 0; again < 4; again++) {
    globalThis.gc();
    await new Promise(setImmediate);
    if (used() < least) again = 0;
    least = Math.min(least, used());
  }
  return least;
}

function middle(values) {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

await ask(WARM_UP);
const allocated = [];
const retained = [];
let before = await settled();
for (let batch = 0; batch < BATCHES; batch++) {
  await ask(REQUESTS);
  allocated.push((used() - before) / REQUESTS);
  const behind = await settled();
  retained.push((behind - before) / REQUESTS);
  before = behind;
}
const { status } = decode(Buffer.from(peer.last, peer.encoding));
const replies = WARM_UP + BATCHES * REQUESTS;
if (status !== 200 || peer.replies !== replies) throw new Error(`${peer.replies} replies, the last ${status}`);
console.log(JSON.stringify({ allocated: middle(allocated), retained: middle(retained) }));
process.exit();
