import { deepStrictEqual } from 'node:assert';
import { describe, it } from '@jest/globals';
import {
  type AnswerEvent,
  type ClientConnection,
  limitsWith,
  type Protocol,
  type RequestEvent,
  type ServerConnection,
} from '@postern/core';
import { outputText } from '@postern/testkit';
import fc from 'fast-check';
import { ajp } from '../../packages/ajp/src/index.ts';
import { fastcgi } from '../../packages/fastcgi/src/index.ts';
import { scgi } from '../../packages/scgi/src/index.ts';
import { uwsgi } from '../../packages/uwsgi/src/index.ts';
import { bodies, cut, fields, places, shortValues, statuses } from './generators/common.ts';
import { seed } from './properties.ts';

interface Exchanged {
  readonly headers: [name: string, value: string][];
  readonly body: string;
  readonly status: number;
  readonly reason: string;
  readonly fields: [name: string, value: string][];
  readonly reply: string;
  /** Where what goes over the wire is cut, each way. */
  readonly places: number[];
  /** The reply goes out in one piece, or as it comes. */
  readonly whole: boolean;
}

const exchanges: fc.Arbitrary<Exchanged> = fc.record({
  headers: fields.map((list) => list.map(([name, value]): [string, string] => [name, value.slice(0, 900)])),
  body: bodies,
  status: statuses.filter((status) => status < 600),
  reason: shortValues.filter((text) => text !== ''),
  fields: fields.map((list) => list.map(([name, value]): [string, string] => [name, value.slice(0, 900)])),
  reply: bodies,
  places,
  whole: fc.boolean(),
});

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** One request through our client and our server, with a wire between them that cuts where it likes. */
class Wire {
  requested: { headers: string[]; body: string } = { headers: [], body: '' };
  answered: { head: unknown; body: string; end: boolean } = { head: undefined, body: '', end: false };
  readonly #client: ClientConnection;
  readonly #server: ServerConnection;
  readonly #of: Exchanged;

  constructor(protocol: Protocol, of: Exchanged) {
    this.#client = protocol.client(limitsWith());
    this.#server = protocol.server(limitsWith(), { halfCloseServes: true });
    this.#of = of;
    const named = of.headers.flatMap(([name, value]) => [`HTTP_${name.replaceAll('-', '_')}`, value]);
    const variables = [
      'REQUEST_METHOD',
      'POST',
      'REQUEST_URI',
      '/',
      'CONTENT_LENGTH',
      String(of.body.length),
      ...named,
    ];
    this.#client.send({ type: 'request', id: 1, variables, keep: false });
    this.#client.send({ type: 'data', id: 1, chunk: latin1(of.body) });
    this.#client.send({ type: 'end', id: 1 });
  }

  run(): void {
    for (let moved = true; moved; ) {
      moved = false;
      for (const chunk of this.#due(this.#client)) {
        moved = true;
        this.#server.receive(chunk);
        for (let event = this.#server.next(); event !== undefined; event = this.#server.next()) this.#serve(event);
      }
      for (const chunk of this.#due(this.#server)) {
        moved = true;
        this.#client.receive(chunk);
        this.#hear();
      }
    }
    if (this.#server.wantsClose === 'fin') {
      this.#client.receiveEnd();
      this.#hear();
    }
  }

  #due(side: ClientConnection | ServerConnection): Uint8Array[] {
    const text = outputText(side);
    return text === '' ? [] : cut(latin1(text), this.#of.places);
  }

  #serve(event: RequestEvent): void {
    if (event.type === 'request') this.requested.headers = event.head.headers();
    else if (event.type === 'data') {
      this.requested.body += Buffer.from(event.chunk).toString('latin1');
    } else if (event.type !== 'end') throw new Error(event.type);
    if (event.type === 'end' || (event.type === 'request' && event.ended)) this.#reply();
    else this.#server.pull(1);
  }

  #reply(): void {
    const { status, reason, fields: list, reply, whole } = this.#of;
    const head = { id: 1, status, reason, headers: list.flat() };
    if (whole && reply.length <= 65_536) {
      this.#server.send({ type: 'whole', ...head, body: latin1(reply) });
      return;
    }
    this.#server.send({ type: 'head', ...head });
    for (const chunk of cut(latin1(reply), this.#of.places)) {
      if (chunk.length > 0) this.#server.send({ type: 'data', id: 1, chunk });
    }
    this.#server.send({ type: 'end', id: 1 });
  }

  #hear(): void {
    for (let event: AnswerEvent | undefined; ; ) {
      event = this.#client.next();
      if (event === undefined) return;
      const { type } = event;
      if (type === 'head') this.answered.head = [event.status, event.reason, event.headers];
      else if (type === 'data') this.answered.body += Buffer.from(event.chunk).toString('latin1');
      else if (type === 'end') this.answered.end = true;
      else throw new Error(type);
      this.#client.pull(1);
    }
  }
}

describe.each([fastcgi, scgi, ajp, uwsgi].map((protocol) => [protocol.name, protocol] as const))(
  '%s',
  (name, protocol) => {
    it('decodes what it encodes, both ways', () => {
      fc.assert(
        fc.property(exchanges, (exchange) => {
          const wire = new Wire(protocol, exchange);
          wire.run();
          const lower = exchange.headers.map(([field, value]) => [field.toLowerCase(), value]);
          const sent = wire.requested.headers;
          const got = sent.flatMap((field, i) => (i % 2 === 0 && field.startsWith('x-') ? [[field, sent[i + 1]]] : []));
          deepStrictEqual(got, lower);
          deepStrictEqual(wire.requested.body, exchange.body);
          // AJP has a place for a date of its own
          const head = wire.answered.head as [number, string, string[]];
          const headers = head[2].filter((_, i, all) => !(name === 'ajp' && all[i - (i % 2)] === 'Date'));
          deepStrictEqual([head[0], head[1], headers], [exchange.status, exchange.reason, exchange.fields.flat()]);
          deepStrictEqual([wire.answered.body, wire.answered.end], [exchange.reply, true]);
        }),
        { seed, numRuns: 1000 },
      );
    });
  },
);
