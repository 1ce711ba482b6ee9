import type { Socket } from 'node:net';
import {
  type BackEndOptions,
  type ClientConnection,
  type ClientProtocol,
  LocalProtocolError,
  limitsWith,
  PosternError,
  RemoteProtocolError,
} from '@postern/core';
import { Call } from './call.ts';
import { connect, givenUp } from './connect.ts';
import { type ConnectTarget, targetName } from './target.ts';

/** A question fits one piece of output. */
const BUDGET = 65_536;

/** How a back-end is asked whether it is alive. */
export interface Ping {
  /** Milliseconds from the open connection to the answer; 5000 where it is not given. */
  readonly timeout?: number;
  /** Milliseconds; 5000 where it is not given. */
  readonly connectTimeout?: number;
  readonly signal?: AbortSignal;
  /** What the address says of the back-end. */
  readonly options?: BackEndOptions;
}

/**
 * Asks a back-end whether it is alive, on a connection of its own, where the protocol can: AJP's CPING, uwsgi's ping.
 * @returns milliseconds from the question to the answer
 * @throws PosternError ERR_ADDRESS_UNAVAILABLE: no connection, or no answer in time; RemoteProtocolError: the answer is
 *   something else; LocalProtocolError: the protocol has no such question; AbortError: given up
 */
export async function ping(protocol: ClientProtocol, target: ConnectTarget, how: Ping = {}): Promise<number> {
  const { timeout = 5000, connectTimeout = 5000, signal, options } = how;
  const connection = protocol.client(limitsWith(), options);
  connection.send({ type: 'ping', id: Call.ID });
  const question = connection.takeOutput(BUDGET);
  if (question === undefined) throw new LocalProtocolError('ERR_WRONG_PROTOCOL', `${protocol.name} has no ping`);
  const socket = await connect(target, connectTimeout, signal);
  const began = performance.now();
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      onAbort = () => reject(givenUp(signal?.reason));
      signal?.addEventListener('abort', onAbort);
      timer = setTimeout(() => {
        const message = `${targetName(target)}: no answer to a ping within ${timeout} ms: see that the application runs`;
        reject(new PosternError('ERR_ADDRESS_UNAVAILABLE', message));
      }, timeout);
      awaitPong(connection, socket, resolve, reject);
      if (typeof question === 'string') socket.write(question, 'latin1');
      else for (const piece of Array.isArray(question) ? question : [question]) socket.write(piece);
    });
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
    socket.destroy();
  }
  return performance.now() - began;
}

function awaitPong(
  connection: ClientConnection,
  socket: Socket,
  resolve: () => void,
  reject: (error: unknown) => void,
): void {
  const look = (): void => {
    try {
      const event = connection.next();
      if (event?.type === 'pong') resolve();
      else if (event !== undefined)
        throw new RemoteProtocolError('ERR_REPLY', `${event.type} where the answer to a ping was due`);
    } catch (error) {
      reject(error);
    }
  };
  socket.on('data', (chunk) => {
    connection.receive(chunk);
    look();
  });
  socket.on('end', () => {
    connection.receiveEnd();
    look();
  });
  socket.on('error', () => {});
  socket.on('close', () =>
    reject(new RemoteProtocolError('ERR_REPLY', 'the back-end closed the connection and answered no ping')),
  );
}
