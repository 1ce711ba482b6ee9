import { connect } from 'node:net';
import { eventText } from './growth-apps.mjs';
import * as fastcgi from './wires/fastcgi.mjs';

/** Connections that are opened at once: all of them fit into what the kernel keeps until they are accepted. */
const BATCH = 100;
/** Longer than the events take, in milliseconds. */
const PATIENCE = 20_000;
const STDOUT = 6;
const EVENT = eventText(0).length;

const shared = Buffer.allocUnsafeSlow(65_536);
const scenario = { method: 'GET', target: '/events', body: '' };
const headers = [
  ['Host', 'www.example.org'],
  ['Accept', 'text/event-stream'],
];

/** Clients of an event stream over FastCGI, that check the order of their events. */
export class EventClients {
  #address;
  #clients = [];
  #received = 0;
  #error;

  constructor(address) {
    this.#address = address;
  }

  async open(count) {
    for (let opened = 0; opened < count; opened += BATCH)
      await Promise.all(Array.from({ length: Math.min(BATCH, count - opened) }, () => this.#connect()));
  }

  async #connect() {
    const client = { received: Buffer.alloc(0), text: '', expected: -1, passed: 0, begun: () => {} };
    const callback = (count) => {
      this.#receive(client, shared.subarray(0, count));
      return true;
    };
    client.socket = connect({ ...this.#address, noDelay: true, onread: { buffer: shared, callback } });
    await new Promise((resolve, reject) => client.socket.once('connect', resolve).once('error', reject));
    client.socket.on('close', () => this.#fail('a stream ended'));
    this.#clients.push(client);
    client.socket.write(fastcgi.encode(scenario, headers, 40_000 + this.#clients.length, true));
    // the next ones wait until this one was accepted
    await new Promise((resolve) => {
      client.begun = resolve;
    });
  }

  /** Waits until each client has got so many further events. @returns {Promise<number>} all events so far */
  async pass(count) {
    for (const client of this.#clients) client.passed = 0;
    const end = performance.now() + PATIENCE;
    while (!this.#clients.every(({ passed }) => passed >= count)) {
      if (performance.now() > end) this.#fail('events did not come');
      if (this.#error !== undefined) throw this.#error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return this.#received;
  }

  #fail(what) {
    this.#error ??= new Error(what);
  }

  #receive(client, chunk) {
    client.begun();
    const bytes = Buffer.concat([client.received, chunk]);
    let at = 0;
    for (let end = recordEnd(bytes, at); end <= bytes.length; end = recordEnd(bytes, at)) {
      if (bytes[at + 1] !== STDOUT) this.#fail(`a record of type ${bytes[at + 1]}`);
      this.#text(client, bytes.latin1Slice(at + 8, at + 8 + bytes.readUInt16BE(at + 4)));
      at = end;
    }
    client.received = bytes.subarray(at);
  }

  #text(client, text) {
    let events = client.text + text;
    if (client.expected < 0) {
      const blank = events.indexOf('\r\n\r\n');
      if (blank >= 0 && !events.startsWith('Status: 200')) this.#fail(`a wrong reply: ${events.slice(0, 200)}`);
      if (blank < 0 || events.length < blank + 4 + EVENT) {
        client.text = events;
        return;
      }
      events = events.slice(blank + 4);
      client.expected = Number(/[0-9]+/.exec(events)?.[0]);
    }
    for (; events.length >= EVENT; events = events.slice(EVENT)) {
      if (events.slice(0, EVENT) !== eventText(client.expected++)) this.#fail(`a wrong event: ${events.slice(0, 200)}`);
      client.passed++;
      this.#received++;
    }
    client.text = events;
  }

  close() {
    for (const { socket } of this.#clients) socket.removeAllListeners('close').destroy();
  }
}

/** Where the record ends that begins there, and behind the end of all bytes where that is not known. */
function recordEnd(bytes, at) {
  if (at + 8 > bytes.length) return bytes.length + 1;
  return at + 8 + bytes.readUInt16BE(at + 4) + bytes[at + 6];
}
