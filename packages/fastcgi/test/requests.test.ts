import { describe, expect, it } from '@jest/globals';
import { limitCounts, limitsWith } from '@postern/core';
import { abort, begin, outputText, pairs, params, plainGet, record, request, stdin } from '@postern/testkit';
import { FastcgiServerConnection } from '../src/server-connection.ts';
import { kept } from './bad-input.ts';
import { data, head, open, post, receive, replies, summary, whole } from './driving.ts';
import { complete, server } from './serving.ts';

const getValues = record(9, 0);
const wish = { HTTP_UPGRADE: 'x', HTTP_CONNECTION: 'upgrade' };

describe('whether others wait behind a body', () => {
  it('is not to be expected of a peer that has one request at a time', () => {
    const connection = server();
    expect(connection.sharing).toBe('no');
    receive(connection, post(1, 10), stdin('abc'));
    expect(connection.sharing).toBe('no');
  });

  it('may be so for one that asks how many requests it may send', () => {
    const connection = server();
    receive(connection, getValues);
    expect(connection.sharing).toBe('maybe');
    const first = server({ maxConcurrentPerConnection: 2 });
    receive(first, getValues);
    expect(first.sharing).toBe('maybe');
  });

  it('is not so where it is told one, or does not keep its connection', () => {
    const connection = server({ maxConcurrentPerConnection: 1 });
    receive(connection, getValues);
    expect(connection.sharing).toBe('no');
    const other = server();
    receive(other, open(1, {}, 0), getValues);
    expect(other.sharing).toBe('no');
  });

  it('is so once there are two, and stays so', () => {
    const connection = server();
    receive(connection, open(1), open(2));
    expect(connection.sharing).toBe('yes');
    receive(connection, getValues);
    whole(connection, 1);
    expect(connection.sharing).toBe('yes');
  });
});

describe('HAProxy', () => {
  it.each<[string, Parameters<typeof server>[1], Record<string, string>, string]>([
    ['that its address names', { peer: 'haproxy' }, {}, 'maybe'],
    ['by its SERVER_SOFTWARE', {}, { SERVER_SOFTWARE: 'HAProxy 2.6.12' }, 'maybe'],
    ['and not another by its address', { peer: 'nginx' }, { SERVER_SOFTWARE: 'HAProxy 2.6.12' }, 'no'],
    ['and not another by its SERVER_SOFTWARE', {}, { SERVER_SOFTWARE: 'nginx/1.22.1' }, 'no'],
    ['and not whoever says nothing', {}, {}, 'no'],
  ])('%s may send requests behind a body that it has begun', (_, peer, more, sharing) => {
    const connection = server({}, peer);
    receive(connection, open(1, more));
    expect(connection.sharing).toBe('no');
    whole(connection);
    receive(connection, stdin(), open(1, { ...more, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '9' }));
    expect(connection.sharing).toBe(sharing);
  });
});

describe('limits that were hit', () => {
  const counting = (set: Parameters<typeof limitsWith>[0]) => {
    const counts = limitCounts();
    return { counts, connection: new FastcgiServerConnection(limitsWith(set), {}, counts) };
  };

  it.each([1, 2])('are counted: one request more than %d at once', (maxConcurrentPerConnection) => {
    const { counts, connection } = counting({ maxConcurrentPerConnection });
    for (let id = 1; id <= maxConcurrentPerConnection; id++) receive(connection, open(id));
    expect(counts.maxConcurrentPerConnection).toBe(0);
    receive(connection, open(9));
    expect(counts.maxConcurrentPerConnection).toBe(1);
  });

  it('are counted once: the last request of a connection', () => {
    const { counts, connection } = counting({ maxConnectionRequests: 2 });
    receive(connection, open(1));
    expect(counts.maxConnectionRequests).toBe(0);
    receive(connection, open(2), open(3), open(4));
    expect(counts.maxConnectionRequests).toBe(1);
  });

  it('are not counted where the connection was to close anyway', () => {
    const { counts, connection } = counting({ maxConnectionRequests: 2 });
    receive(connection, open(1));
    connection.shutdown();
    receive(connection, open(2));
    expect(counts.maxConnectionRequests).toBe(0);
  });
});

describe('an answer without the application', () => {
  it('is small and plain; a 503 says when to come again', () => {
    const connection = server();
    receive(connection, open(1));
    connection.shutdown();
    receive(connection, begin(2, 1));
    const busy = 'Status: 503 Service Unavailable\r\nContent-Type: text/plain\r\nRetry-After: 1\r\n\r\n';
    expect(replies(connection)).toEqual([
      { id: 2, stdout: `${busy}503 Service Unavailable\n`, stderr: '', closed: true, end: complete },
    ]);
    const slow = server();
    receive(slow, begin());
    slow.expireHeads();
    const late = 'Status: 408 Request Timeout\r\nContent-Type: text/plain\r\n\r\n408 Request Timeout\n';
    expect(replies(slow)).toEqual([{ id: 1, stdout: late, stderr: '', closed: true, end: complete }]);
  });

  it('leaves the rest of its request for nobody, free of charge, and forgets it at its end', () => {
    const rest = (count: number): Buffer[] => Array.from({ length: count }, () => stdin('x'));
    // of no role, and of one that came too late
    for (const role of [9, 1]) {
      const connection = server();
      receive(connection, open(7));
      if (role === 1) connection.shutdown();
      receive(connection, begin(1, 1, role), params(pairs(plainGet)), params(), ...rest(70), stdin(), ...rest(64));
      expect(() => receive(connection, stdin('x'))).toThrow(expect.objectContaining({ code: 'ERR_FCGI_JUNK' }));
    }
  });
});

describe('a body that waits', () => {
  const limits = { bodyHighWater: 4 };
  const stalled = (...before: Uint8Array[]) => {
    const connection = server(limits);
    receive(connection, ...before, post(1, 12), stdin('abcd'), stdin('efgh'));
    expect(connection).toMatchObject({ wantsRead: false, blocker: 1 });
    return connection;
  };

  it('goes on waiting when another request ends, or its body is pulled', () => {
    const connection = stalled(open(2), open(3));
    connection.pull(2);
    expect(connection).toMatchObject({ wantsRead: false, blocker: 1 });
    whole(connection, 2);
    expect(connection).toMatchObject({ wantsRead: false, blocker: 1 });
    receive(connection, abort(3));
    expect(connection).toMatchObject({ wantsRead: false, blocker: 1 });
  });

  it('goes on waiting when its own reply begins, and when another is refused its upgrade', () => {
    const connection = stalled(open(2, wish));
    head(connection, 1);
    expect(connection).toMatchObject({ wantsRead: false, blocker: 1 });
    whole(connection, 2);
    expect(connection).toMatchObject({ wantsRead: false, blocker: 1 });
  });

  it('is in nobody’s way once the connection is broken', () => {
    const connection = server(limits);
    receive(connection, open(2), post(1, 12));
    connection.receive(Buffer.concat([stdin('abcd'), begin(2, 1)]));
    expect(connection.next()?.type).toBe('data');
    expect(() => connection.next()).toThrow(expect.objectContaining({ code: 'ERR_FCGI_STATE' }));
    expect(connection).toMatchObject({ idle: true, blocker: 0, wantsClose: 'reset' });
  });

  it('of a filter goes on when the reply has ended, though it has not gone out', () => {
    const connection = server(limits, { roles: ['filter'] });
    const variables = pairs({ ...plainGet, FCGI_DATA_LENGTH: '8' });
    receive(
      connection,
      begin(1, 1, 3),
      params(variables),
      params(),
      stdin(),
      record(8, 1, 'abcd'),
      record(8, 1, 'efgh'),
    );
    expect(connection.wantsRead).toBe(false);
    head(connection);
    connection.send({ type: 'end', id: 1 });
    connection.pull(1);
    expect(connection.wantsRead).toBe(true);
    expect(receive(connection)).toEqual([]);
  });
});

describe('a request that asks for an upgrade', () => {
  it('is not answered by a line for the log, or by an interim reply: its STDIN still waits', () => {
    const connection = server();
    receive(connection, open(1, wish));
    connection.send({ type: 'log', id: 1, text: 'hm\n' });
    connection.send({ type: 'interim', id: 1, status: 103, reason: 'Early Hints', headers: [] });
    expect(receive(connection, stdin('abc'))).toEqual([]);
    connection.send({ type: 'upgrade', id: 1, status: 101, reason: 'Switching Protocols', headers: [] });
    expect(summary(receive(connection))).toEqual(['1 data abc']);
  });

  it('and is gone is no tunnel', () => {
    const connection = server();
    connection.send({ type: 'upgrade', id: 9, status: 101, reason: '', headers: [] });
    expect(receive(connection)).toEqual([]);
    expect(outputText(connection)).toBe('');
  });

  it('is the only one that may be answered with one', () => {
    const connection = server();
    receive(connection, open(1));
    const upgrade = { type: 'upgrade', id: 1, status: 101, reason: '', headers: [] } as const;
    expect(() => connection.send(upgrade)).toThrow(expect.objectContaining({ code: 'ERR_UPGRADE' }));
  });
});

describe('requests that are aborted', () => {
  it('are counted only before their replies begin', () => {
    const connection = server({ maxAbortedRequests: 1 });
    for (let i = 0; i < 3; i++) {
      receive(connection, open(1));
      head(connection);
      receive(connection, abort(), stdin());
    }
    receive(connection, open(1), abort(), stdin());
    expect(() => receive(connection, open(1), abort())).toThrow(expect.objectContaining({ code: 'ERR_FLOOD' }));
  });
});

describe('FIN', () => {
  it('behind a reply whose request has not ended closes, and nothing is counted twice', () => {
    const connection = server();
    receive(connection, post(1, 9));
    whole(connection);
    connection.receiveEnd();
    expect(receive(connection)).toEqual([]);
    expect(connection).toMatchObject({ idle: true, wantsClose: 'fin' });
  });
});

describe('a reply that breaks off', () => {
  it('ends a connection that is kept by FIN, and one that is not by a reset', () => {
    for (const [flags, close] of [
      [1, 'fin'],
      [0, 'reset'],
    ] as const) {
      const connection = server();
      receive(connection, open(1, {}, flags));
      head(connection);
      data(connection, 'x');
      connection.send({ type: 'abort', id: 1 });
      expect([connection.wantsClose, outputText(connection)]).toEqual([close, '\0'.repeat(8)]);
    }
  });

  it('leaves the others on its connection, which goes on', () => {
    const connection = server();
    receive(connection, open(1), open(2));
    head(connection);
    connection.send({ type: 'abort', id: 1 });
    whole(connection, 2);
    expect(replies(connection)).toMatchObject([{ id: 1, end: '0000000100000000' }, { id: 2 }]);
    expect(connection.wantsClose).toBe(false);
    expect(summary(receive(connection, stdin(), kept))).toEqual(['1 request']);
  });

  it('is one END_REQUEST without content behind HAProxy, alone or not', () => {
    for (const others of [[], [open(2)]]) {
      const connection = server({}, { peer: 'haproxy' });
      receive(connection, request(plainGet, { flags: 1 }), ...others);
      head(connection);
      connection.send({ type: 'abort', id: 1 });
      expect([outputText(connection), connection.wantsClose]).toEqual(['\x01\x03\0\x01\0\0\0\0', false]);
    }
  });
});

describe('whether all has come of the peer', () => {
  it.each([
    ['a request', [open(1, {}, 0), stdin()], true],
    ['a request whose STDIN has not ended', [open(1, {}, 0)], false],
    ['a request on a connection that is kept', [open(1, {}, 1), stdin()], false],
  ])('is known behind the reply to %s', (_, records, all) => {
    const connection = server();
    receive(connection, ...records);
    whole(connection);
    expect(connection.allReceived).toBe(all);
  });

  it('is so as soon as the STDIN of an early reply has ended', () => {
    const connection = server();
    receive(connection, open(1, { REQUEST_METHOD: 'POST', CONTENT_LENGTH: '3' }, 0));
    whole(connection);
    receive(connection, stdin('abc'));
    expect([connection.wantsClose, connection.allReceived]).toEqual(['fin', false]);
  });
});
