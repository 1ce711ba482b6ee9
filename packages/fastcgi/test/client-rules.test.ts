import { describe, expect, it } from '@jest/globals';
import { type AnswerEvent, limitsWith, RemoteProtocolError } from '@postern/core';
import { everyWay } from '@postern/testkit';
import fc from 'fast-check';
import { FastcgiClientConnection } from '../src/client-connection.ts';
import { RecordType } from '../src/constants.ts';
import {
  asked,
  askedFor,
  bytesOf,
  cut,
  end,
  hear,
  Listener,
  OK,
  record,
  refusal,
  reply,
  stderr,
  stdout,
} from './client-harness.ts';

const limits = limitsWith();

describe('bytes that are no reply', () => {
  const good = Buffer.concat([stdout(`${OK}x`), stdout(), end()]);

  it.each<[string, Buffer, string]>([
    ['a record of an id that was never asked', stdout('x', { id: 2 }), 'ERR_REPLY'],
    ['UNKNOWN_TYPE although nothing was asked', record(11, '\0'.repeat(8), { id: 0 }), 'ERR_REPLY'],
    ['values although nothing was asked', record(10, '', { id: 0 }), 'ERR_REPLY'],
    ['STDOUT of id 0', stdout('x', { id: 0 }), 'ERR_REPLY'],
    ['STDERR of id 0', stderr('x', { id: 0 }), 'ERR_REPLY'],
    ['UNKNOWN_TYPE of an id', record(11, '\0'.repeat(8)), 'ERR_REPLY'],
    ['END_REQUEST of id 0', end(0, 0), 'ERR_REPLY'],
    ['an END_REQUEST of 7 bytes', record(RecordType.END_REQUEST, '\0'.repeat(7)), 'ERR_REPLY'],
    ['an END_REQUEST of 9 bytes', record(RecordType.END_REQUEST, '\0'.repeat(9)), 'ERR_REPLY'],
    ['STDOUT behind its end', Buffer.concat([stdout(OK), stdout(), stdout('x')]), 'ERR_REPLY'],
    ['a second end of STDOUT', Buffer.concat([stdout(OK), stdout(), stdout()]), 'ERR_REPLY'],
    ...[1, 2, 4, 5, 8, 9, 10, 11, 12, 255].map((type): [string, Buffer, string] => [
      `a record of type ${type}`,
      record(type, 'x'),
      'ERR_REPLY',
    ]),
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'ERR_FCGI_VERSION'],
    ['eight zero bytes behind the head', Buffer.concat([stdout(OK), Buffer.alloc(8)]), 'ERR_FCGI_VERSION'],
  ])('%s: refused as the failure of a gateway, whole and byte by byte', (_, bytes, code) => {
    for (const size of [bytes.length + good.length, 1]) {
      const error = refusal(Buffer.concat([bytes, good]), size);
      expect(error).toMatchObject({ code, statusHint: 502, scope: 'connection' });
    }
  });

  it('end all requests of the connection', () => {
    const listener = new Listener(askedFor({ ids: [1, 2] })).receive(stdout(OK, { id: 2 }), record(9, 'x'));
    expect(listener.heard).toEqual(['2 head 200', 'ERR_REPLY 502']);
    const { connection } = listener;
    connection.send({ type: 'data', id: 1, chunk: Buffer.from('x') });
    connection.send({ type: 'abort', id: 1 });
    expect(connection.takeOutput(1_000_000)).toBeUndefined();
    expect([connection.ready, connection.queued(1)]).toEqual([false, 0]);
    expect(() => connection.send({ type: 'request', id: 3, variables: [], keep: true })).toThrow(
      expect.objectContaining({ code: 'ERR_REQUEST_STATE' }),
    );
  });

  it('a FIN before END_REQUEST is an error at every byte of a reply', () => {
    for (let length = 0; length < good.length; length++) {
      const connection = asked();
      connection.receive(good.subarray(0, length));
      connection.receiveEnd();
      expect(() => {
        while (connection.next() !== undefined);
      }).toThrow(/closed the connection before the end of its reply/);
    }
  });

  it('a FIN behind the reply, or on an idle connection, is none', () => {
    const connection = asked({ keep: true });
    connection.receive(good);
    connection.receiveEnd();
    let last: AnswerEvent | undefined;
    for (let event = connection.next(); event !== undefined; event = connection.next()) last = event;
    expect(last?.type).toBe('end');
  });

  it('a record although nothing was asked is refused', () => {
    const connection = new FastcgiClientConnection(limits);
    connection.receive(stdout('x'));
    expect(() => connection.next()).toThrow(/nothing was asked/);
  });

  it('records of ids that are over are borne with, maxJunkRecords of them between two heads', () => {
    const kinds = [stdout('late'), end(), stderr(), stderr('late')];
    const late = (count: number): Buffer[] => kinds.slice(0, count);
    const set = { maxJunkRecords: 3 };
    const listener = new Listener(askedFor({ ids: [1, 2, 3], set })).receive(reply('one'), ...late(3));
    listener.receive(reply('two', 2), ...late(3));
    expect(listener.heard).toEqual(['1 head 200', '1 end reuse', '2 head 200', '2 end close']);
    expect(listener.bodies.get(1)).toBe('one');
    listener.receive(...late(1));
    expect(listener.heard.at(-1)).toBe('ERR_REPLY 502');
  });

  it('empty records of a request that was aborted are counted, its bytes are not', () => {
    const connection = askedFor({ ids: [1], set: { maxJunkRecords: 2 } });
    connection.send({ type: 'abort', id: 1 });
    const listener = new Listener(connection).receive(...new Array(500).fill(stdout('x')), stdout(), stderr());
    expect(listener.heard).toEqual([]);
    expect(listener.receive(stdout()).heard).toEqual(['ERR_REPLY 502']);
  });
});

describe('a record of an id that is over, and has not all come', () => {
  it('keeps nobody from being read', () => {
    const connection = askedFor({ ids: [1, 2] });
    const listener = new Listener(connection).receive(reply('one'), stdout('late').subarray(0, 10));
    expect(connection.wantsRead).toBe(true);
    listener.receive(stdout('late').subarray(10), reply('two', 2));
    expect(listener.bodies.get(2)).toBe('two');
  });
});

describe('a defect of our own', () => {
  it('is not blamed on the back-end', () => {
    const limits = {
      ...limitsWith(),
      get maxReplyHeaderBytes(): number {
        throw new TypeError('a defect');
      },
    };
    const connection = new FastcgiClientConnection(limits);
    connection.send({ type: 'request', id: 1, variables: [], keep: true });
    connection.receive(stdout(OK));
    expect(() => connection.next()).toThrow(TypeError);
  });
});

describe('one reply that is none, on a connection that is sound', () => {
  const others = Buffer.concat([stdout('x', { id: 2 }), stdout('', { id: 2 }), end(0, 2)]);
  const beside = (options?: { nph: boolean }) => (chunks: Uint8Array[]) => {
    const listener = new Listener(askedFor({ ids: [1, 2], options })).receive(stdout(`${OK}o`, { id: 2 }), ...chunks);
    expect(listener.bodies.get(2)).toBe('ox');
    return { heard: listener.heard, close: listener.connection.wantsClose };
  };

  it.each<[string, Buffer, string]>([
    ['the end before any STDOUT', end(), 'ERR_REPLY 502'],
    ['the end before the head is whole', Buffer.concat([stdout('Status: 200\r\n'), stdout(), end()]), 'ERR_REPLY 502'],
    ['END_REQUEST with CANT_MPX_CONN', end(1), 'ERR_BACKEND_MULTIPLEX 502'],
    ['END_REQUEST with OVERLOADED', end(2), 'ERR_BACKEND_BUSY 503'],
    ['END_REQUEST with UNKNOWN_ROLE', end(3), 'ERR_BACKEND_ROLE 500'],
    ['END_REQUEST with a status that does not exist', end(9), 'ERR_REPLY 502'],
    ['a malformed head', Buffer.concat([stdout('garbage\n\nbody'), stdout('more'), stdout(), end()]), 'ERR_REPLY 502'],
    ['a status line of HTTP', Buffer.concat([stdout('HTTP/1.1 200 OK\n\n'), stdout(), end()]), 'ERR_REPLY 502'],
  ])('%s: fails its request, and the other one goes on', (_, bytes, error) => {
    const run = beside();
    const { heard, close } = everyWay(Buffer.concat([bytes, others]), run);
    expect(heard).toEqual(['2 head 200', `1 ${error}`, '1 end reuse', '2 end reuse']);
    expect(close).toBe(false);
  });

  it.each([
    [1, 'the back-end takes one request at a time on a connection'],
    [2, 'the back-end has too many requests'],
    [3, 'the back-end does not serve this role'],
    [9, 'END_REQUEST with protocolStatus 9'],
    [0, 'END_REQUEST before the head of the reply'],
  ])('says what END_REQUEST with protocolStatus %d means', (protocolStatus, message) => {
    const connection = askedFor({ ids: [1] });
    connection.receive(end(protocolStatus));
    expect(() => connection.next()).toThrow(expect.objectContaining({ message, id: 1, scope: 'request' }));
  });

  it('is aborted where it is malformed, so that its id is free again', () => {
    const connection = askedFor({ ids: [1, 2] });
    const listener = new Listener(connection).receive(stdout('garbage\n\n'));
    expect(cut(bytesOf(connection.takeOutput(1000)))).toMatchObject([{ type: RecordType.ABORT_REQUEST, id: 1 }]);
    listener.receive(stdout('more'), stdout(), end());
    connection.send({ type: 'request', id: 1, variables: [], keep: true });
    connection.send({ type: 'end', id: 1 });
    connection.takeOutput(1000);
    expect(listener.receive(reply('again')).heard).toEqual([
      '1 ERR_REPLY 502',
      '1 end reuse',
      '1 head 200',
      '1 end reuse',
    ]);
  });

  it('is one with a status line, where the address says that such are to be read', () => {
    const bytes = Buffer.concat([stdout('HTTP/1.1 404 Gone\r\nA: b\r\n\r\n'), stdout(), end(), others]);
    const { heard } = everyWay(bytes, beside({ nph: true }));
    expect(heard).toEqual(['2 head 200', '1 head 404', '1 end reuse', '2 end reuse']);
  });
});

describe('bytes of any kind', () => {
  it('give events or a RemoteProtocolError, nothing else', () => {
    const mutated = fc.tuple(
      fc.array(fc.tuple(fc.nat({ max: 200 }), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
      fc.integer({ min: 1, max: 40 }),
    );
    const bytes = Buffer.concat([stderr('w'), stdout(OK), stdout('hello', { padding: 3 }), stdout(), end()]);
    fc.assert(
      fc.property(mutated, ([changes, size]) => {
        const copy = Buffer.from(bytes);
        for (const [at, value] of changes) copy[at % copy.length] = value;
        try {
          hear(copy, size);
        } catch (error) {
          expect(error).toBeInstanceOf(RemoteProtocolError);
          expect((error as RemoteProtocolError).statusHint).toBeGreaterThanOrEqual(500);
        }
      }),
      { numRuns: 500 },
    );
  });
});
