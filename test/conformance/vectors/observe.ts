import { ajp } from '@postern/ajp';
import { type Exchange, limitsWith, type ServerProtocol } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { scgi } from '@postern/scgi';
import { type LogEntry, Server } from '@postern/server';
import { uwsgi } from '@postern/uwsgi';
import { FakeClock } from '../../../packages/server/test/support/fake-clock.ts';
import { type Answers, answersOf, type Framed } from './answers.ts';
import { BytesSocket } from './bytes-socket.ts';
import type { Vector } from './vector.ts';

export const protocols: Record<Framed, ServerProtocol> = { fastcgi, scgi, ajp, uwsgi };

/** What the application saw of one request. */
export interface AskedRequest {
  readonly method: string;
  readonly target: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Bytes as latin-1; undefined: it was not read to its end. */
  body: string | undefined;
  /** Why the body, or the request, was given up, and what was behind that. */
  lost: string | undefined;
  cause?: string;
}

export interface Seen extends Answers {
  readonly asked: AskedRequest[];
  readonly closed: 'open' | 'fin' | 'close' | 'reset';
  readonly aborted: number;
  /** What an operator reads: warnings and errors. */
  readonly log: LogEntry[];
  readonly output: string;
  /** Errors of the application, and defects of the server. */
  readonly reported: string[];
}

export interface Play {
  /** A request that is answered before the input comes. */
  readonly before?: Uint8Array;
  /** What comes behind the input, each of them in a turn of its own. */
  readonly later?: readonly (readonly Uint8Array[])[];
  readonly fin?: boolean;
  readonly reset?: boolean;
  /** Milliseconds that pass behind the input. */
  readonly pass?: number;
}

/** Lets promises and the turns that they ask for happen. */
async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Notes what an application is given, and is the application. */
export class Audience {
  readonly asked: AskedRequest[] = [];
  aborted = 0;
  readonly #app: ((exchange: Exchange) => void) | undefined;

  constructor(app: Vector['app']) {
    this.#app = app;
  }

  readonly handler = (exchange: Exchange): void => {
    const { head, environ } = exchange;
    const variables: Record<string, string> = Object.create(null);
    for (const name of Object.keys(environ)) {
      const value = environ[name];
      if (typeof value === 'string') variables[name] = value;
    }
    const asked: AskedRequest = {
      method: head.method,
      target: head.target,
      variables,
      body: undefined,
      lost: undefined,
    };
    this.asked.push(asked);
    exchange.onOver((error) => {
      if (error === undefined) return;
      this.aborted++;
      if (error.cause !== undefined) asked.cause ??= codeOf(error.cause);
      asked.lost ??= codeOf(error);
    });
    if (this.#app !== undefined) this.#app(exchange);
    else answerWithBody(exchange, asked);
  };
}

function answerWithBody(exchange: Exchange, asked: AskedRequest): void {
  exchange.input.bytes(Number.MAX_SAFE_INTEGER).then(
    (bytes) => {
      asked.body = Buffer.from(bytes).toString('latin1');
      exchange.respond(200, 'OK', ['Content-Type', 'text/plain'], bytes);
    },
    (error) => {
      asked.lost = codeOf(error);
    },
  );
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code ?? error);
}

/** Runs pieces of input through a server, without a socket and with a clock that stands still. */
export async function observe(
  protocol: Framed,
  vector: Pick<Vector, 'app' | 'limits' | 'peer'>,
  pieces: readonly Uint8Array[],
  { before, later = [], fin = false, reset = false, pass = 0 }: Play = {},
): Promise<Seen> {
  const clock = new FakeClock();
  const socket = new BytesSocket();
  const audience = new Audience(vector.app);
  const log: LogEntry[] = [];
  const reported: string[] = [];
  const server = new Server(audience.handler, {
    limits: limitsWith(vector.limits),
    clock,
    known: Object.values(protocols),
    log: (entry) => {
      if (entry.level !== 'info') log.push(entry);
    },
    onError: (error) => reported.push(codeOf(error)),
  });
  const prototype = Object.getOwnPropertyNames(Object.prototype).length;
  server.accept(socket.asSocket, protocols[protocol], vector.peer);
  if (before !== undefined) {
    socket.give(before);
    await settle();
  }
  for (const turn of [pieces, ...later]) {
    for (const piece of turn) socket.give(piece);
    await settle();
  }
  if (fin) {
    socket.giveEnd();
    await settle();
  }
  if (reset) {
    socket.giveReset();
    await settle();
  }
  if (pass > 0) {
    clock.advance(pass);
    await settle();
  }
  const closed = stateOf(socket);
  const { aborted } = audience;
  const output = socket.output;
  const seen: Seen = {
    ...answersOf(protocol, output, closed === 'fin' || closed === 'close'),
    asked: structuredClone(audience.asked),
    closed,
    aborted,
    log: [...log],
    output: output.toString('latin1'),
    reported,
  };
  // a peer that leaves, and all the clocks: nothing may be left behind
  socket.giveEnd();
  socket.giveReset();
  await settle();
  clock.advance(200_000);
  await settle();
  if (server.connections > 0) throw new Error('the connection was never given up');
  if (clock.pending > 0) throw new Error(`${clock.pending} timers are left`);
  if (Object.getOwnPropertyNames(Object.prototype).length !== prototype)
    throw new Error('Object.prototype was changed');
  return seen;
}

function stateOf(socket: BytesSocket): Seen['closed'] {
  if (socket.wasReset) return 'reset';
  if (socket.writableEnded) return 'fin';
  return socket.destroyed ? 'close' : 'open';
}
