import { createConnection, type Socket } from 'node:net';
import { AbortError, PosternError } from '@postern/core';
import { type ConnectTarget, targetName } from './target.ts';

/**
 * An open connection. Nothing listens for its errors: the caller must.
 * @param timeout milliseconds
 * @throws PosternError ERR_ADDRESS_UNAVAILABLE: what was tried, and what to do; AbortError: the signal fired
 */
export function connect(target: ConnectTarget, timeout: number, signal?: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(givenUp(signal.reason));
      return;
    }
    const socket = createConnection(
      target.transport === 'unix' ? { path: target.path } : { host: target.host, port: target.port, noDelay: true },
    );
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.off('connect', onConnect);
      socket.off('error', onError);
    };
    const onConnect = (): void => {
      settle();
      resolve(socket);
    };
    const onError = (error: NodeJS.ErrnoException): void => {
      settle();
      reject(unavailable(target, reasonOf(error), error));
    };
    const giveUp = (error: PosternError): void => {
      settle();
      socket.on('error', ignore);
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => giveUp(givenUp(signal?.reason));
    const timer = setTimeout(() => giveUp(unavailable(target, `no connection within ${timeout} ms`)), timeout);
    signal?.addEventListener('abort', onAbort);
    socket.once('connect', onConnect);
    socket.once('error', onError);
  });
}

/** The error of a request that its caller gave up. */
export function givenUp(cause: unknown): AbortError {
  return new AbortError('ERR_ABORTED', 'the request was given up', 0, { cause });
}

function unavailable(target: ConnectTarget, reason: string, cause?: Error): PosternError {
  const message = `${targetName(target)}: ${reason}: see that the application runs and listens there`;
  return new PosternError('ERR_ADDRESS_UNAVAILABLE', message, { cause });
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT':
      return 'there is no such socket';
    case 'ECONNREFUSED':
      return 'nothing listens there';
    case 'EACCES':
    case 'EPERM':
      return 'no permission to connect';
    case 'ENOTSOCK':
      return 'this is no socket';
    default:
      return `cannot be connected to (${error.code ?? error.message})`;
  }
}

function ignore(): void {}
