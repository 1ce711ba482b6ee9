import { deepStrictEqual } from 'node:assert';
import { type Output, RemoteProtocolError, type RequestHead, reasonOf, type ServerConnection } from '@postern/core';

/** One request as the application would see it. */
export interface Asked {
  readonly id: number;
  readonly role: string;
  readonly head: RequestHead;
  readonly variables: string[];
  /** Bytes as latin-1. */
  body: string;
  /** How the body ended: 'end', or the code of its error or of the abort; undefined: it has not. */
  ended: string | undefined;
  /** Of a filter: its file, bytes as latin-1, and how that ended. */
  file?: string;
  fileEnded?: string;
}

/** What came of bytes on a server's side of a protocol. */
export interface Conversation {
  readonly asked: Asked[];
  /** 'CODE' where the connection broke, 'CODE status id' where a request was refused. */
  readonly errors: string[];
  /** Bytes as latin-1. */
  readonly output: string;
  readonly close: false | 'half' | 'fin' | 'reset';
}

export interface Play {
  /** When the application answers; without it at the end of the body. */
  readonly answer?: 'head' | 'end' | 'never';
  /** How it answers; without it with a whole 200 and the text "hi". */
  readonly reply?: (connection: ServerConnection, asked: Asked) => void;
  /** The application asks for more of a body only when the memory of what came is used again. */
  readonly late?: boolean;
  /** The peer's FIN behind the last chunk. */
  readonly fin?: boolean;
}

/** What stands in the memory of a chunk that was read and is used again. */
const OVERWRITTEN = 0xee;

/**
 * Plays an application and a transport without a socket: it reads all of every body and answers every request. Each
 * chunk lies in memory that is overwritten as soon as the connection was told to retain what it needs of it.
 */
export function converse(connection: ServerConnection, chunks: readonly Uint8Array[], play: Play = {}): Conversation {
  const application = new Application(connection, play);
  for (const chunk of chunks) {
    const memory = Buffer.from(chunk);
    connection.receive(memory);
    application.pump();
    connection.retain();
    memory.fill(OVERWRITTEN);
    application.pumpLate();
  }
  if (play.fin) {
    connection.receiveEnd();
    application.pump();
    connection.retain();
    application.pumpLate();
  }
  const { asked, errors, output } = application;
  // what an application asks for late is what it would have been told at once
  for (const { head, variables } of asked) deepStrictEqual(head.variables(), variables);
  return { asked, errors, output, close: connection.wantsClose };
}

class Application {
  readonly asked: Asked[] = [];
  readonly errors: string[] = [];
  output = '';
  readonly #connection: ServerConnection;
  readonly #play: Play;
  readonly #open = new Map<number, Asked>();
  /** Whose body more is wanted of, and whose file. */
  readonly #wanting = new Set<number>();
  readonly #wantingFile = new Set<number>();

  constructor(connection: ServerConnection, play: Play) {
    this.#connection = connection;
    this.#play = play;
  }

  /** Until nothing more happens. */
  pump(): void {
    for (let more = true; more; ) {
      try {
        more = this.#step();
        if (!this.#play.late) this.#pull();
      } catch (error) {
        if (!(error instanceof RemoteProtocolError)) throw error;
        this.errors.push(this.#refuse(error));
      }
    }
    this.output += outputText(this.#connection);
  }

  /** What waits to be pulled. */
  pumpLate(): void {
    while (this.#wanting.size > 0 || this.#wantingFile.size > 0) {
      this.#pull();
      this.pump();
    }
  }

  #pull(): void {
    for (const id of this.#wanting) this.#connection.pull(id);
    this.#wanting.clear();
    for (const id of this.#wantingFile) this.#connection.pull(id, 'filter-data');
    this.#wantingFile.clear();
  }

  #step(): boolean {
    const { answer = 'end' } = this.#play;
    const event = this.#connection.next();
    if (event === undefined) return false;
    if (event.type === 'request') {
      const { id, role, head, ended } = event;
      const one: Asked = { id, role, head, variables: head.variables(), body: '', ended: ended ? 'end' : undefined };
      this.asked.push(one);
      this.#open.set(id, one);
      const filters = role === 'filter';
      if (filters) one.file = '';
      if (answer === 'head' || (answer === 'end' && ended && !filters)) this.#reply(one);
      else {
        if (!ended) this.#wanting.add(id);
        if (filters) this.#wantingFile.add(id);
      }
      return true;
    }
    const one = this.#open.get(event.id);
    if (one === undefined) throw new Error(`${event.type} for id ${event.id}, of which there was no request`);
    const ended = one.file === undefined || event.type === 'data' || event.type === 'end' ? one.ended : one.fileEnded;
    if (ended !== undefined && event.type !== 'abort') throw new Error(`${event.type} after ${ended}`);
    switch (event.type) {
      case 'data':
        one.body += Buffer.from(event.chunk).toString('latin1');
        this.#wanting.add(event.id);
        break;
      case 'end':
        one.ended = 'end';
        if (answer === 'end' && one.file === undefined) this.#reply(one);
        break;
      case 'filter-data':
        one.file += Buffer.from(event.chunk).toString('latin1');
        this.#wantingFile.add(event.id);
        break;
      case 'filter-end':
        one.fileEnded = 'end';
        if (answer === 'end') this.#reply(one);
        break;
      default:
        if (event.type === 'body-error' && one.ended !== undefined) one.fileEnded = codeOf(event.error);
        else one.ended = codeOf(event.error);
        if (event.type === 'body-error' && answer === 'end') sendStatus(this.#connection, event.id, 400);
    }
    return true;
  }

  #reply(one: Asked): void {
    const { reply = replyHi } = this.#play;
    reply(this.#connection, one);
  }

  #refuse(error: RemoteProtocolError): string {
    if (error.scope === 'connection') return error.code;
    sendStatus(this.#connection, error.id, error.statusHint);
    return `${error.code} ${error.statusHint} ${error.id}`;
  }
}

function codeOf(error: Error): string {
  return (error as { code?: string }).code ?? error.name;
}

function sendStatus(connection: ServerConnection, id: number, status: number): void {
  connection.send({ type: 'whole', id, status, reason: reasonOf(status), headers: [], body: null });
}

function replyHi(connection: ServerConnection, { id }: Asked): void {
  connection.send({
    type: 'whole',
    id,
    status: 200,
    reason: 'OK',
    headers: ['Content-Type', 'text/plain'],
    body: 'hi',
  });
}

/** All that is due on the wire, bytes as latin-1. */
export function outputText(connection: { takeOutput(budget: number): Output | undefined }, budget = 1 << 20): string {
  let text = '';
  for (let output = connection.takeOutput(budget); output !== undefined; output = connection.takeOutput(budget)) {
    text += textOf(output);
  }
  return text;
}

/** One piece of output, bytes as latin-1. */
export function textOf(output: Output): string {
  if (typeof output === 'string') return output;
  const pieces = Array.isArray(output) ? output : [output];
  return pieces.map((piece) => Buffer.from(piece).toString('latin1')).join('');
}
