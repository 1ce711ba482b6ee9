import { describe, expect, it } from '@jest/globals';
import { type AnswerEvent, type ClientConnection, RemoteProtocolError } from '@postern/core';
import { hear } from '../src/hearing.ts';

const head: AnswerEvent = { type: 'head', id: 1, status: 200, reason: 'OK', headers: ['A', 'b'] };
const data: AnswerEvent = { type: 'data', id: 1, chunk: Buffer.from('a\xff', 'latin1') };
const end: AnswerEvent = { type: 'end', id: 1, reuse: true };
const broken = new RemoteProtocolError('ERR_REPLY', 'no', { status: 503 });

/** A connection of which each chunk brings the events of one turn; the FIN brings the last. */
function connectionOf(...turns: (AnswerEvent | Error)[][]): ClientConnection & { pulls: number } {
  const due: (AnswerEvent | Error)[] = [];
  const turn = (): void => void due.push(...(turns.shift() ?? []));
  return {
    pulls: 0,
    wantsRead: true,
    ready: false,
    wantsClose: 'fin',
    receive: turn,
    receiveEnd: turn,
    next() {
      const event = due.shift();
      if (event instanceof Error) throw event;
      return event;
    },
    pull() {
      this.pulls++;
    },
    send() {},
    queued: () => 0,
    takeOutput: () => undefined,
  };
}

const chunk = Buffer.from('x');

describe('hear', () => {
  it('gives the head, the whole body and what came last', () => {
    const connection = connectionOf([head, data], [data, { type: 'log', id: 1, chunk }], [end]);
    const { type: _, ...rest } = head;
    expect(hear(connection, [chunk, chunk])).toEqual({ head: rest, body: 'a\xffa\xff', last: end, close: 'fin' });
    expect(connection.pulls).toBe(5);
  });

  it('leaves the FIN out where it is told', () => {
    expect(hear(connectionOf([head], [end]), [chunk], false).last).toBeUndefined();
  });

  it('tells what broke the connection', () => {
    expect(hear(connectionOf([head, broken]), [chunk, chunk])).toMatchObject({ error: 'ERR_REPLY 503' });
  });

  it.each<[string, (AnswerEvent | Error)[], RegExp]>([
    ['anything behind the end', [head, end, data], /data behind end/],
    ['a second head', [head, head], /second head/],
    ['a body without head', [data], /before its head/],
    ['anything behind an error', [head, broken, data], /data behind ERR_REPLY/],
    ['an error that is to be answered', [new RemoteProtocolError('ERR_REPLY', '', { scope: 'request' })], /to answer/],
    ['an error of another kind', [new TypeError('a defect')], /a defect/],
  ])('does not take %s', (_, events, message) => {
    expect(() => hear(connectionOf(events), [chunk])).toThrow(message);
  });
});
