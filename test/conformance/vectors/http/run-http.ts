import { connect, createServer, type Socket } from 'node:net';
import { expect, it } from '@jest/globals';
import { type Exchange, type LimitName, limitsWith } from '@postern/core';
import { type HttpListener, http, type LogEntry, Server } from '@postern/server';
import { singleBytes, until } from '@postern/testkit';
import { FakeClock } from '../../../../packages/server/test/support/fake-clock.ts';

/** One row of bad, or odd, input for the HTTP listener. */
export interface HttpVector {
  /** The row: vH1 … */
  readonly row: string;
  readonly title: string;
  /** Several inputs by name are run one by one. */
  readonly input: string | Readonly<Record<string, string>>;
  /** The status of each answer. */
  readonly answers: readonly number[];
  /** How many requests the application gets. */
  readonly asked: number;
  /** The connection ends; false: it is kept. */
  readonly ends: boolean;
  /** The rule that is logged; without it none. */
  readonly rule?: string;
  readonly limits?: Partial<Record<LimitName, number>>;
  /** So many milliseconds pass behind the input. */
  readonly pass?: number;
  /** So many pass behind each byte of it instead. */
  readonly pace?: number;
  /** It takes a megabyte. */
  readonly wholeOnly?: boolean;
  readonly check?: (seen: HttpSeen, name: string) => void;
}

export interface HttpAsked {
  readonly method: string;
  readonly target: string;
  readonly host: string | undefined;
  /** Of a (req, res) application there are none. */
  readonly variables: Readonly<Record<string, unknown>> | undefined;
  body: string | undefined;
}

export interface HttpSeen {
  readonly asked: readonly HttpAsked[];
  readonly answers: readonly number[];
  readonly output: string;
  readonly ended: boolean;
  readonly log: readonly LogEntry[];
}

type Kind = 'an exchange' | 'a (req, res) application';

export function runHttpVectors(vectors: readonly HttpVector[]): void {
  for (const vector of vectors) {
    const inputs = typeof vector.input === 'string' ? { '': vector.input } : vector.input;
    for (const [name, text] of Object.entries(inputs)) {
      const input = Buffer.from(text, 'latin1');
      for (const kind of ['an exchange', 'a (req, res) application'] as const) {
        it(`${vector.row}: ${vector.title}${name === '' ? '' : ` (${name})`}, ${kind}`, async () => {
          await run(kind, vector, [input], name);
          if (vector.wholeOnly !== true && vector.pace === undefined) await run(kind, vector, singleBytes(input), name);
        });
      }
    }
  }
}

async function run(kind: Kind, vector: HttpVector, pieces: readonly Uint8Array[], name: string): Promise<void> {
  const seen = await play(kind, vector, vector.pace === undefined ? pieces : singleBytes(pieces[0]));
  const { asked, answers, ended, log } = seen;
  expect({ asked: asked.length, answers, ended, log: log.map(({ code }) => code) }).toEqual({
    asked: vector.asked,
    answers: vector.answers,
    ended: vector.ends,
    log: vector.rule === undefined ? [] : [vector.rule],
  });
  vector.check?.(seen, name);
}

/** Runs pieces of input through a server over a real socket, with a clock that stands still. */
async function play(kind: Kind, vector: HttpVector, pieces: readonly Uint8Array[]): Promise<HttpSeen> {
  const clock = new FakeClock();
  const asked: HttpAsked[] = [];
  const log: LogEntry[] = [];
  const reported: unknown[] = [];
  const prototype = Object.getOwnPropertyNames(Object.prototype).length;
  const server = new Server((exchange) => echo(exchange, asked), {
    limits: limitsWith(vector.limits),
    clock,
    log: (entry) => {
      if (entry.level !== 'info') log.push(entry);
    },
    onError: (error) => reported.push(error),
  });
  const protocol = http(kind === 'an exchange' ? {} : { listener: echoListener(asked) });
  const accepted: Socket[] = [];
  const door = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    accepted.push(socket);
    server.accept(socket, protocol);
  });
  await new Promise<void>((resolve) => {
    door.listen(0, '127.0.0.1', resolve);
  });
  const peer = new HttpPeer((door.address() as { port: number }).port);
  const settled = async (bytes: number): Promise<void> => {
    await until(() => peer.ended || (accepted[0]?.bytesRead ?? 0) >= bytes, Boolean, 5000);
    await turns();
  };
  try {
    let sent = 0;
    for (const piece of pieces) {
      sent += piece.length;
      await peer.send(piece);
      if (vector.pace === undefined) continue;
      await settled(sent);
      clock.advance(vector.pace);
    }
    await settled(sent);
    if (vector.pass !== undefined) clock.advance(vector.pass);
    await until(() => peer.ended || (!vector.ends && peer.answers.length >= vector.answers.length), Boolean, 5000);
    await turns();
    const { output, answers, ended } = peer;
    expect(reported).toEqual([]);
    expect(Object.getOwnPropertyNames(Object.prototype).length).toBe(prototype);
    return { asked: structuredClone(asked), answers, output, ended, log: [...log] };
  } finally {
    peer.socket.destroy();
    await until(
      () => server.connections,
      (count) => count === 0,
      5000,
    );
    expect(clock.pending).toBe(0);
    await new Promise((resolve) => door.close(resolve));
  }
}

async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

class HttpPeer {
  readonly socket: Socket;
  readonly #received: Buffer[] = [];
  readonly #connected: Promise<unknown>;
  ended = false;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    this.#connected = new Promise((resolve) => this.socket.once('connect', resolve));
    this.socket.on('data', (chunk: Buffer) => this.#received.push(chunk));
    const end = (): void => {
      this.ended = true;
    };
    this.socket.on('end', end);
    this.socket.on('close', end);
    this.socket.on('error', end);
  }

  get output(): string {
    return Buffer.concat(this.#received).toString('latin1');
  }

  get answers(): number[] {
    return [...this.output.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map((match) => Number(match[1]));
  }

  async send(piece: Uint8Array): Promise<void> {
    await this.#connected;
    if (this.ended || !this.socket.writable) return;
    await new Promise<void>((resolve) => {
      this.socket.write(piece, () => resolve());
    });
  }
}

function echo(exchange: Exchange, all: HttpAsked[]): void {
  const { method, target } = exchange.head;
  const host = exchange.environ.HTTP_HOST as string | undefined;
  const asked: HttpAsked = { method, target, host, variables: { ...exchange.environ }, body: undefined };
  all.push(asked);
  exchange.input.bytes(Number.MAX_SAFE_INTEGER).then(
    (bytes) => {
      asked.body = Buffer.from(bytes).toString('latin1');
      exchange.respond(200, 'OK', ['Content-Type', 'text/plain'], `${bytes.length}\n`);
    },
    () => {},
  );
}

/** Looks at all that Node tells of a request. */
function echoListener(all: HttpAsked[]): HttpListener {
  return (req, res) => {
    const { method = '', url = '', headers } = req;
    const asked: HttpAsked = { method, target: url, host: headers.host, variables: undefined, body: undefined };
    all.push(asked);
    for (const fields of [headers, req.headersDistinct, req.rawHeaders]) JSON.stringify(fields);
    let body = '';
    req.on('data', (chunk: Buffer) => {
      body += chunk.toString('latin1');
    });
    req.on('error', () => {});
    req.on('end', () => {
      for (const fields of [req.trailers, req.trailersDistinct]) JSON.stringify(fields);
      asked.body = body;
      res.end(`${body.length}\n`);
    });
  };
}
