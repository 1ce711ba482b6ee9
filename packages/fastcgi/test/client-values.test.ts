import { describe, expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { everyWay, pairs, readRecords, record } from '@postern/testkit';
import { FastcgiClientConnection } from '../src/client-connection.ts';
import { readValues } from '../src/client-values.ts';
import { askedFor, bytesOf, Listener, reply, stdout } from './client-harness.ts';

describe('what an application says of itself', () => {
  it.each<[Record<string, string>, number]>([
    [{ FCGI_MPXS_CONNS: '1', FCGI_MAX_REQS: '50' }, 50],
    [{ FCGI_MPXS_CONNS: '0', FCGI_MAX_REQS: '50' }, 1],
    [{ FCGI_MAX_REQS: '50' }, 1],
    [{ FCGI_MPXS_CONNS: '1' }, 65_535],
    [{ FCGI_MPXS_CONNS: '1', FCGI_MAX_REQS: '0' }, 1],
    [{ FCGI_MPXS_CONNS: '1', FCGI_MAX_REQS: 'many' }, 1],
    [{ FCGI_MPXS_CONNS: '1', FCGI_MAX_REQS: '-5' }, 1],
    [{ FCGI_MPXS_CONNS: '1', FCGI_MAX_REQS: '5x' }, 1],
    [{ FCGI_MPXS_CONNS: '1', FCGI_MAX_REQS: '999999999' }, 999_999_999],
    [{ FCGI_MPXS_CONNS: '1', FCGI_MAX_REQS: '1000000000' }, 1],
    [{ FCGI_MPXS_CONNS: 'yes' }, 1],
    [{}, 1],
  ])('%j: %i requests at once', (values, atOnce) => {
    expect(readValues(pairs(values))).toEqual({ values: Object.entries(values).flat(), atOnce });
  });

  it('is heard of the names that were asked for alone, the last of each', () => {
    const content = pairs([
      ['FCGI_MPXS_CONNS', '1'],
      ['SECRET', 'x'],
      ['FCGI_MPXS_CONNS', '0'],
      ['__proto__', 'x'],
    ]);
    expect(readValues(content)).toEqual({ values: ['FCGI_MPXS_CONNS', '0'], atOnce: 1 });
  });
});

function asking(...ids: number[]): FastcgiClientConnection {
  const connection = new FastcgiClientConnection(limitsWith());
  for (const id of ids) connection.send({ type: 'values', id });
  connection.takeOutput(1000);
  return connection;
}

describe('the answer to GET_VALUES', () => {
  const no = pairs({ FCGI_MPXS_CONNS: '0' });

  it('is asked for by three names without values, in one record', () => {
    const connection = new FastcgiClientConnection(limitsWith());
    connection.send({ type: 'values', id: 1 });
    const names = pairs({ FCGI_MAX_CONNS: '', FCGI_MAX_REQS: '', FCGI_MPXS_CONNS: '' });
    expect(readRecords(bytesOf(connection.takeOutput(1000)))).toMatchObject([
      { type: 9, id: 0, content: names.toString('latin1') },
    ]);
  });

  it('comes in the order of the questions, and may be that the type is unknown', () => {
    const bytes = Buffer.concat([
      record(10, 0, no, { padding: 6 }),
      record(11, 0, Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0)),
    ]);
    const heard = everyWay(bytes, (chunks) => new Listener(asking(5, 6)).receive(...chunks).heard, {
      trailing: Buffer.from([1, 10, 0]),
    });
    expect(heard).toEqual(['5 values FCGI_MPXS_CONNS 0 at once 1', '6 values  at once 1']);
  });

  it('comes between the records of a reply', () => {
    const connection = askedFor({ ids: [1] });
    connection.send({ type: 'values', id: 1 });
    const [first, rest] = [reply('x').subarray(0, 50), reply('x').subarray(50)];
    expect(first.readUInt16BE(4)).toBeGreaterThan(42);
    const whole = Buffer.concat([reply('x'), record(10, 0, no)]);
    expect(new Listener(connection).receive(first, rest, record(10, 0, no)).heard).toEqual([
      '1 head 200',
      '1 end reuse',
      '1 values FCGI_MPXS_CONNS 0 at once 1',
    ]);
    expect(
      everyWay(whole, (chunks) => {
        const again = askedFor({ ids: [1] });
        again.send({ type: 'values', id: 1 });
        return new Listener(again).receive(...chunks).heard;
      }),
    ).toHaveLength(3);
  });

  it.each<[string, Buffer]>([
    ['with a pair that is cut off', record(10, 0, '\x0f\x01FCGI_MPXS_CONNS')],
    ['a second time', Buffer.concat([record(10, 0, no), record(10, 0, no)])],
    ['with an id', record(10, 1, no)],
    ['as an unknown type of 7 bytes', record(11, 0, '\x09\0\0\0\0\0\0')],
    ['as STDOUT', record(6, 0, no)],
    ['as STDERR', record(7, 0, no)],
    ['as END_REQUEST', record(3, 0, '\0'.repeat(8))],
  ])('%s breaks the connection', (_, bytes) => {
    const heard = everyWay(bytes, (chunks) => new Listener(asking(1)).receive(...chunks).heard);
    expect(heard.at(-1)).toBe('ERR_REPLY 502');
  });

  it('is waited for, though the connection carries no request any more', () => {
    const connection = new FastcgiClientConnection(limitsWith());
    connection.send({ type: 'request', id: 1, variables: [], keep: false });
    connection.send({ type: 'end', id: 1 });
    connection.send({ type: 'values', id: 2 });
    const listener = new Listener(connection).receive(reply('x'));
    expect(connection.wantsClose).toBe(false);
    listener.receive(record(10, 0));
    expect(listener.heard.at(-1)).toMatch(/^2 values/);
    expect(connection.wantsClose).toBe('fin');
  });

  it('cannot be asked of a connection that is over', () => {
    const ended = new FastcgiClientConnection(limitsWith());
    ended.receiveEnd();
    const broken = new FastcgiClientConnection(limitsWith());
    new Listener(broken).receive(stdout('x'));
    for (const connection of [ended, broken]) {
      expect(() => connection.send({ type: 'values', id: 2 })).toThrow(
        expect.objectContaining({ code: 'ERR_REQUEST_STATE' }),
      );
      expect(connection.takeOutput(1000)).toBeUndefined();
    }
  });

  it('that does not come before the FIN breaks it too', () => {
    const connection = asking(1);
    connection.receiveEnd();
    const listener = new Listener(connection);
    listener.listen();
    expect(listener.heard).toEqual(['ERR_REPLY 502']);
    expect(() => connection.send({ type: 'values', id: 2 })).toThrow(
      expect.objectContaining({ code: 'ERR_REQUEST_STATE' }),
    );
  });
});
