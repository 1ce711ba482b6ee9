import { expect } from '@jest/globals';
import { type LimitName, limitsWith, type PeerOptions, type ServerConnection } from '@postern/core';
import { type Conversation, converse, everyWay, type Play } from '@postern/testkit';
import { uwsgiWith } from '../src/index.ts';
import { get } from './writer.ts';

export interface Serving extends Play {
  readonly modifier30?: boolean;
  readonly ping?: boolean;
  readonly limits?: Partial<Record<LimitName, number>>;
  readonly peer?: PeerOptions;
}

export function open({ modifier30, ping, limits, peer }: Serving = {}): ServerConnection {
  return uwsgiWith({ modifier30, ping }).server(limitsWith(limits), peer);
}

/** In every way, read at once and late; what stands behind the case may not matter. */
export function talk(bytes: Uint8Array, serving: Serving = {}): Conversation {
  const ways = serving.fin ? {} : { trailing: get() };
  const run = (late: boolean): Conversation =>
    everyWay(bytes, (chunks) => converse(open(serving), chunks, { ...serving, late }), ways);
  const atOnce = run(false);
  expect(run(true)).toEqual(atOnce);
  return atOnce;
}

export const OK = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhi';

/** What comes of a request that is refused. */
export function refused(code: string, status: number, reason: string): Conversation {
  return { asked: [], errors: [`${code} ${status} 1`], output: `HTTP/1.1 ${status} ${reason}\r\n\r\n`, close: 'fin' };
}

/** What comes of bytes that broke the connection. */
export function broken(code: string): Conversation {
  return { asked: [], errors: [code], output: '', close: 'reset' };
}
