import {
  type AnswerEvent,
  type AskEvent,
  type BackEndOptions,
  type ClientProtocol,
  limitsWith,
  PosternError,
  RemoteProtocolError,
} from '@postern/core';
import { connect, givenUp } from './connect.ts';
import { type ConnectTarget, targetName } from './target.ts';
import { type Receiver, Transport } from './transport.ts';

/** How a back-end is asked about itself. */
export interface Inquiry {
  /** Milliseconds from the open connection to the answer; 5000 where it is not given. */
  readonly timeout?: number;
  /** Milliseconds; 5000 where it is not given. */
  readonly connectTimeout?: number;
  readonly signal?: AbortSignal;
  /** What the address says of the back-end. */
  readonly options?: BackEndOptions;
}

type Answered<Type> = Extract<AnswerEvent, { type: Type }>;

/** A question that is no request. */
export interface Kind<Type> {
  readonly ask: Extract<AskEvent['type'], 'ping' | 'values'>;
  /** The type of the event that answers it. */
  readonly answer: Type;
  readonly name: string;
}

const ID = 1;

/**
 * Asks a question on a connection of its own.
 * @returns the answer, and milliseconds from the question to it
 * @throws PosternError ERR_ADDRESS_UNAVAILABLE: no connection, or no answer in time; RemoteProtocolError: the answer is
 *   something else; LocalProtocolError ERR_PROTOCOL_LACKS: the protocol has no such question; AbortError: given up
 */
export async function inquire<Type extends 'pong' | 'values'>(
  protocol: ClientProtocol,
  target: ConnectTarget,
  kind: Kind<Type>,
  { timeout = 5000, connectTimeout = 5000, signal, options }: Inquiry,
): Promise<{ event: Answered<Type>; milliseconds: number }> {
  const connection = protocol.client(limitsWith(), options);
  connection.send({ type: kind.ask, id: ID });
  const socket = await connect(target, connectTimeout, signal);
  const began = performance.now();
  const transport = new Transport(connection, socket);
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  try {
    const event = await new Promise<Answered<Type>>((resolve, reject) => {
      onAbort = () => reject(givenUp(signal?.reason));
      signal?.addEventListener('abort', onAbort);
      timer = setTimeout(() => {
        const message = `${targetName(target)}: no answer to ${kind.name} within ${timeout} ms: see that the application runs`;
        reject(new PosternError('ERR_ADDRESS_UNAVAILABLE', message));
      }, timeout);
      transport.add(ID, waiting(kind, resolve, reject));
      transport.flush();
    });
    return { event, milliseconds: performance.now() - began };
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
    transport.close();
  }
}

function waiting<Type>(
  { answer, name }: Kind<Type>,
  resolve: (event: Answered<Type>) => void,
  reject: (error: Error) => void,
): Receiver {
  const refuse = (message: string): void => reject(new RemoteProtocolError('ERR_REPLY', message, { status: 502 }));
  return {
    take(event) {
      if (event.type === answer) resolve(event as Answered<Type>);
      else refuse(`${event.type} where the answer to ${name} was due`);
    },
    fail: reject,
    breakOff: refuse,
    moved() {},
  };
}
