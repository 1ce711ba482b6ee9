import { text } from 'node:stream/consumers';
import type { Protocol } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { type Answer, type ConnectTarget, type Question, Session, type SessionOptions } from '../src/index.ts';

const sessions: Session[] = [];

/** Behind each test. */
export function closeSessions(): void {
  for (const session of sessions.splice(0)) session.close();
}

export function open(target: ConnectTarget, options?: SessionOptions, protocol: Protocol = fastcgi): Session {
  const session = new Session(protocol, target, options);
  sessions.push(session);
  return session;
}

export const GET: Question = { variables: ['REQUEST_METHOD', 'GET', 'REQUEST_URI', '/', 'QUERY_STRING', ''] };

export async function bodyOf(answer: Promise<Answer>): Promise<string> {
  return text((await answer).body);
}

export async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'no error',
    (error: { code?: unknown }) => error.code,
  );
}
