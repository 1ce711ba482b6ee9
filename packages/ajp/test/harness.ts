import { expect } from '@jest/globals';
import { limitsWith, type PeerOptions, type ReplyEvent, type ServerConnection } from '@postern/core';
import { type Conversation, converse, everyWay, type Play } from '@postern/testkit';
import { ajp } from '../src/index.ts';
import { END_CLOSE, END_REUSE, forward, hex, type Message, readMessages } from './writer.ts';

export const limits = limitsWith();
export const open = (peer?: PeerOptions): ServerConnection => ajp.server(limits, peer);
const HI = 'AB\x00\x19\x04\x00\xc8\x00\x02OK\x00\x00\x01\xa0\x01\x00\x0atext/plain\x00AB\x00\x06\x03\x00\x02hi\x00';
export const OK = HI + END_REUSE;
export const LAST = HI + END_CLOSE;
export const POST = forward({ method: 'POST', headers: ['host', 'a', 'content-length', '5'] });
export const CHUNKED = forward({ method: 'POST', headers: ['Transfer-Encoding', 'chunked'] });
export const BROKEN_PACKET = { asked: [], errors: ['ERR_AJP_PACKET'], output: '', close: 'reset' };
export const BROKEN_MESSAGE = { ...BROKEN_PACKET, errors: ['ERR_AJP_MESSAGE'] };

const DATE = /[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT/g;

/** In every way; the beginning of a further packet may not matter, nor that the clock goes on. */
export function talk(bytes: Uint8Array, play: Play = {}, peer?: PeerOptions): Conversation {
  const ways = play.fin ? {} : { trailing: hex('12') };
  const run = (chunks: Uint8Array[]): Conversation => {
    const { output, ...rest } = converse(open(peer), chunks, play);
    return { ...rest, output: output.replace(DATE, 'Sun, 06 Nov 1994 08:49:37 GMT') };
  };
  return everyWay(bytes, run, ways);
}

export const reply = (id: number, body: string | Uint8Array | null = 'hi'): ReplyEvent => ({
  type: 'whole',
  id,
  status: 200,
  reason: 'OK',
  headers: ['Content-Type', 'text/plain'],
  body,
});
export const head = (id: number, status = 200, headers = ['Content-Type', 'text/plain']): ReplyEvent => ({
  type: 'head',
  id,
  status,
  reason: 'OK',
  headers,
});

export function started(bytes: Uint8Array, peer?: PeerOptions, id = 1): ServerConnection {
  const connection = open(peer);
  connection.receive(bytes);
  expect(connection.next()).toMatchObject({ type: 'request', id });
  return connection;
}

/** Body bytes that have come, with a pull behind each piece; and how it ended. */
export function readBody(connection: ServerConnection, id: number): { size: number; ended: boolean } {
  let size = 0;
  for (let event = connection.next(); event !== undefined; event = connection.next()) {
    if (event.type === 'end') return { size, ended: true };
    if (event.type === 'data') size += event.chunk.length;
    connection.pull(id);
  }
  return { size, ended: false };
}

export const asks = (text: string): number[] =>
  readMessages(text).flatMap((message: Message) => (message.type === 'ask' ? [message.length] : []));
