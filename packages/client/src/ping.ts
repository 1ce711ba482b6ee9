import type { ClientProtocol } from '@postern/core';
import { type Inquiry, inquire } from './inquiry.ts';
import type { ConnectTarget } from './target.ts';

/**
 * Asks a back-end whether it is alive, on a connection of its own, where the protocol can: AJP's CPING, uwsgi's ping.
 * @returns milliseconds from the question to the answer
 * @throws what `inquire` throws
 */
export async function ping(protocol: ClientProtocol, target: ConnectTarget, how: Inquiry = {}): Promise<number> {
  const kind = { ask: 'ping', answer: 'pong', name: 'a ping' } as const;
  return (await inquire(protocol, target, kind, how)).milliseconds;
}
