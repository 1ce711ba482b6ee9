import { type AnswerEvent, type ClientConnection, RemoteProtocolError } from '@postern/core';

/** What a client heard of the bytes of a back-end. */
export interface Heard {
  head?: Omit<Extract<AnswerEvent, { type: 'head' }>, 'type'>;
  /** Bytes as latin-1. */
  body: string;
  /** What came last: the end of the reply, or the answer to a ping. */
  last?: AnswerEvent;
  /** 'CODE status' of what broke the connection. */
  error?: string;
  close: false | 'half' | 'fin' | 'reset';
}

/**
 * Plays a reader and a transport without a socket, and wants all of the body.
 * @param fin the back-end closes the connection behind the last chunk
 */
export function hear(connection: ClientConnection, chunks: readonly Uint8Array[], fin = true): Heard {
  const heard: Heard = { body: '', close: false };
  const listen = (): void => {
    for (let event = connection.next(); event !== undefined; event = connection.next()) {
      add(heard, event);
      connection.pull(event.id);
    }
  };
  try {
    for (const chunk of chunks) {
      connection.receive(chunk);
      listen();
    }
    if (fin) connection.receiveEnd();
    listen();
  } catch (error) {
    if (!(error instanceof RemoteProtocolError)) throw error;
    if (error.scope !== 'connection') throw new Error('a client has no request to answer with an error');
    heard.error = `${error.code} ${error.statusHint}`;
    const more = connection.next();
    if (more !== undefined) throw new Error(`${more.type} behind ${heard.error}`);
  }
  heard.close = connection.wantsClose;
  return heard;
}

function add(heard: Heard, event: AnswerEvent): void {
  if (heard.last !== undefined) throw new Error(`${event.type} behind ${heard.last.type}`);
  switch (event.type) {
    case 'head': {
      if (heard.head !== undefined) throw new Error('a second head');
      const { type: _, ...head } = event;
      heard.head = head;
      break;
    }
    case 'data':
      if (heard.head === undefined) throw new Error('a body before its head');
      heard.body += Buffer.from(event.chunk).toString('latin1');
      break;
    case 'log':
      break;
    default:
      heard.last = event;
  }
}
