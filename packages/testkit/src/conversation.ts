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
}

/** What came of bytes on a server's side of a protocol. */
export interface Conversation {
  readonly asked: Asked[];
  /** 'CODE' where the connection broke, 'CODE status id' where a request was refused. */
  readonly errors: string[];
  /** Bytes as latin-1. */
  readonly output: string;
  readonly close: false | 'fin' | 'reset';
}

export interface Play {
  /** When the application answers; without it at the end of the body. */
  readonly answer?: 'head' | 'end' | 'never';
  /** How it answers; without it with a whole 200 and the text "hi". */
  readonly reply?: (connection: ServerConnection, asked: Asked) => void;
  /** The peer's FIN behind the last chunk. */
  readonly fin?: boolean;
}

/** Plays an application and a transport without a socket: it reads all of every body and answers every request. */
export function converse(connection: ServerConnection, chunks: readonly Uint8Array[], play: Play = {}): Conversation {
  const asked: Asked[] = [];
  const open = new Map<number, Asked>();
  const errors: string[] = [];
  const { answer = 'end', reply = replyHi } = play;
  let output = '';
  const pump = (): void => {
    for (let more = true; more; ) {
      try {
        more = step(connection, asked, open, answer, reply);
      } catch (error) {
        if (!(error instanceof RemoteProtocolError)) throw error;
        errors.push(refuse(connection, error));
      }
    }
    output += outputText(connection);
  };
  for (const chunk of chunks) {
    connection.receive(chunk);
    pump();
  }
  if (play.fin) {
    connection.receiveEnd();
    pump();
  }
  return { asked, errors, output, close: connection.wantsClose };
}

function step(
  connection: ServerConnection,
  asked: Asked[],
  open: Map<number, Asked>,
  answer: Play['answer'],
  reply: (connection: ServerConnection, asked: Asked) => void,
): boolean {
  const event = connection.next();
  if (event === undefined) return false;
  if (event.type === 'request') {
    const { id, role, head } = event;
    const one: Asked = {
      id,
      role,
      head,
      variables: head.variables(),
      body: '',
      ended: event.ended ? 'end' : undefined,
    };
    asked.push(one);
    open.set(id, one);
    if (answer === 'head' || (answer === 'end' && event.ended)) reply(connection, one);
    else if (!event.ended) connection.pull(id);
    return true;
  }
  const one = open.get(event.id);
  if (one === undefined) throw new Error(`${event.type} for id ${event.id}, of which there was no request`);
  if (one.ended !== undefined && event.type !== 'abort') throw new Error(`${event.type} after ${one.ended}`);
  switch (event.type) {
    case 'data':
      one.body += Buffer.from(event.chunk).toString('latin1');
      connection.pull(event.id);
      break;
    case 'end':
      one.ended = 'end';
      if (answer === 'end') reply(connection, one);
      break;
    default:
      one.ended = (event.error as { code?: string }).code ?? event.error.name;
      if (event.type === 'body-error' && answer === 'end') sendStatus(connection, event.id, 400);
  }
  return true;
}

function refuse(connection: ServerConnection, error: RemoteProtocolError): string {
  if (error.scope === 'connection') return error.code;
  sendStatus(connection, error.id, error.statusHint);
  return `${error.code} ${error.statusHint} ${error.id}`;
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
