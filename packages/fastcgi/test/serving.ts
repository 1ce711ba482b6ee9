import { type LimitName, limitsWith, type PeerOptions } from '@postern/core';
import { converse, everyWay, hex, type Play, type ReadRecord, type ReadReply, readReplies } from '@postern/testkit';
import { FastcgiServerConnection } from '../src/server-connection.ts';

export interface Serving extends Play {
  readonly limits?: Partial<Record<LimitName, number>>;
  readonly peer?: PeerOptions;
}

/** What came of bytes that a web server sent. */
export interface Served {
  asked: {
    id: number;
    method: string;
    body: string;
    ended: string | undefined;
    variables: Record<string, string>;
    /** Where it is not a responder's. */
    role?: string;
    /** Of a filter. */
    file?: string;
    fileEnded?: string;
  }[];
  /** 'CODE' where the connection broke, 'CODE status id' where a request was refused. */
  errors: string[];
  replies: ReadReply[];
  others: ReadRecord[];
  output: string;
  close: false | 'fin' | 'reset';
}

export function server(limits: Serving['limits'] = {}, peer?: PeerOptions): FastcgiServerConnection {
  return new FastcgiServerConnection(limitsWith(limits), peer);
}

/** Serves the bytes in the chunks in which they are given. */
export function serve(chunks: readonly Uint8Array[], serving: Serving = {}): Served {
  const { asked, errors, output, close } = converse(server(serving.limits, serving.peer), chunks, serving);
  return {
    asked: asked.map(({ id, head, role, variables, body, ended, file, fileEnded }) => {
      const other = role === 'responder' ? {} : { role };
      const filter = file === undefined ? {} : { file, fileEnded };
      const named = variables.flatMap((name, i) => (i % 2 === 0 ? [[name, variables[i + 1]]] : []));
      return { id, method: head.method, body, ended, variables: Object.fromEntries(named), ...other, ...filter };
    }),
    errors,
    ...readReplies(output),
    output,
    close,
  };
}

/** Serves the bytes whole, byte by byte, in any pieces and with the beginning of a record behind them. */
export function served(bytes: Uint8Array, serving: Serving = {}): Served {
  const trailing = serving.fin ? undefined : hex('01 05 00');
  return everyWay(bytes, (chunks) => serve(chunks, serving), { trailing });
}

export const complete = '0000000000000000';

/** The reply of the tests' application. */
export function ok(id = 1): ReadReply {
  const stdout = 'Status: 200 OK\r\nContent-Type: text/plain\r\n\r\nhi';
  return { id, stdout, stderr: '', closed: true, end: complete };
}
