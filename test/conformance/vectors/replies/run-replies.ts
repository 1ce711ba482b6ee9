import { expect, it } from '@jest/globals';
import { type ClientProtocol, type LimitName, limitsWith, PosternError } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { scgi } from '@postern/scgi';
import { cutAt, randomNumbers, record, singleBytes } from '@postern/testkit';
import { uwsgi } from '@postern/uwsgi';
import { Call, sendMemory, sendRequest } from '../../../../packages/client/src/call.ts';
import type { Question } from '../../../../packages/client/src/request.ts';
import { Transport } from '../../../../packages/client/src/transport.ts';
import { BytesSocket } from '../bytes-socket.ts';
import type { BackEnd, Got, ReplyVector } from './reply.ts';

const all: readonly BackEnd[] = ['fastcgi', 'scgi', 'uwsgi'];
const protocols: Record<string, ClientProtocol> = { fastcgi, scgi, uwsgi };
const quick = process.env.POSTERN_VECTORS === 'quick';

/** Every vector over every protocol, in every way: one test for a row, a reply and a protocol. */
export function runReplies(vectors: readonly ReplyVector[]): void {
  for (const vector of vectors) {
    for (const [name, reply] of typeof vector.reply === 'string'
      ? [['', vector.reply]]
      : Object.entries(vector.reply)) {
      for (const backEnd of vector.backEnds ?? all) {
        const which = name === '' ? backEnd : `${backEnd}: ${name.slice(0, 60)}`;
        it(`${vector.row}: ${vector.title} (${which.replaceAll(/[()]/g, '')})`, () =>
          inEveryWay(vector, backEnd, reply));
      }
    }
  }
}

async function inEveryWay(vector: ReplyVector, backEnd: BackEnd, reply: string): Promise<void> {
  const bytes = framed(backEnd, reply, vector.open === true);
  const run = (pieces: readonly Uint8Array[], fin = vector.open !== true): Promise<Got> =>
    ask(backEnd, pieces, fin, vector);
  const prototype = Object.getOwnPropertyNames(Object.prototype);
  const whole = await run([bytes]);
  expect(whole).toMatchObject(vector.want);
  const same = async (way: string, pieces: readonly Uint8Array[]): Promise<void> => {
    expect({ way, ...(await run(pieces)) }).toEqual({ way, ...whole });
  };
  await same('byte by byte', singleBytes(bytes));
  if (!quick) {
    if (vector.long !== true)
      for (let at = 1; at < Math.min(bytes.length, 513); at++) await same(`cut at ${at}`, cutAt(bytes, [at]));
    const next = randomNumbers(1);
    for (let i = 0; i < (vector.long === true ? 5 : 50) && bytes.length > 1; i++) {
      const cuts = Array.from({ length: 1 + (next() % 6) }, () => 1 + (next() % (bytes.length - 1)));
      await same(`cuts at ${cuts.join(' ')}`, cutAt(bytes, cuts));
    }
    await cutShort(bytes, whole, run, vector.long === true ? 1009 : 1);
  }
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(prototype);
}

/** At every place the connection ends: never more than the whole, and never a wait. */
async function cutShort(
  bytes: Buffer,
  whole: Got,
  run: (pieces: readonly Uint8Array[], fin: boolean) => Promise<Got>,
  step: number,
): Promise<void> {
  for (let at = 0; at < bytes.length; at += step) {
    const got = await run([bytes.subarray(0, at)], true);
    expect({ at, ended: got.ended }).toEqual({ at, ended: expect.stringMatching(/^(?:whole|ERR_\w+ 502)$/) });
    if (got.status === 0) expect([got.headers, got.body]).toEqual([[], '']);
    else {
      expect([got.status, got.reason, got.headers]).toEqual([whole.status, whole.reason, whole.headers]);
      expect(whole.body.startsWith(got.body)).toBe(true);
    }
  }
}

/** What of a reply goes over the wire. @param open without its end */
function framed(backEnd: BackEnd, reply: string, open: boolean): Buffer {
  const bytes = Buffer.from(reply, 'latin1');
  if (!backEnd.startsWith('fastcgi')) return bytes;
  const records: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 65_535) records.push(record(6, 1, bytes.subarray(at, at + 65_535)));
  if (!open) records.push(record(6, 1), record(3, 1, Buffer.alloc(8)));
  return Buffer.concat(records);
}

interface Setting {
  readonly method?: string;
  readonly limits?: Partial<Record<LimitName, number>>;
}

/** Asks a back-end that answers with these pieces, without a socket. */
export async function ask(
  backEnd: BackEnd,
  pieces: readonly Uint8Array[],
  fin: boolean,
  { method = 'GET', limits }: Setting = {},
): Promise<Got> {
  let log = '';
  const question: Question = {
    variables: ['REQUEST_METHOD', method, 'REQUEST_URI', '/'],
    timeout: 0,
    onLog: (text) => {
      log += text;
    },
  };
  const [name, nph] = backEnd.split(', ');
  const set = limitsWith(limits);
  const connection = protocols[name].client(set, { nph: nph !== undefined });
  const socket = new BytesSocket();
  sendRequest(connection, 1, question, true);
  sendMemory(connection, 1, question);
  const transport = new Transport(connection, socket.asSocket, { keeps: true });
  const call = new Call(transport, 1, question, set);
  transport.flush();
  const got = new Reader(call);
  for (const piece of pieces) socket.give(piece);
  if (fin) socket.giveEnd();
  for (let turn = 0; turn < 50 && got.ended === 'waiting'; turn++)
    await new Promise((resolve) => setImmediate(resolve));
  // what came behind the end has been heard too
  await new Promise((resolve) => setImmediate(resolve));
  const { status, reason, headers, body, ended } = got;
  return { status, reason, headers, body, ended, log, kept: transport.usable };
}

/** Reads an answer as far as it comes. */
class Reader {
  status = 0;
  reason = '';
  headers: readonly string[] = [];
  body = '';
  ended = 'waiting';

  constructor(call: Call) {
    this.#read(call).then(
      () => {
        this.ended = 'whole';
      },
      (error) => {
        this.ended =
          error instanceof PosternError
            ? `${error.code} ${(error as { statusHint?: number }).statusHint}`
            : String(error);
      },
    );
  }

  async #read(call: Call): Promise<void> {
    const { status, reason, headers, body } = await call.answer;
    Object.assign(this, { status, reason, headers });
    for await (const chunk of body) this.body += Buffer.from(chunk).toString('latin1');
  }
}
