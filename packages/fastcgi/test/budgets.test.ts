import { describe, expect, it } from '@jest/globals';
import { abort, begin, params, record, stdin } from '@postern/testkit';
import { bytes, ENV, kept } from './bad-input.ts';
import { open, post, receive } from './driving.ts';
import { ok, serve, server } from './serving.ts';

const flood = { code: 'ERR_FLOOD', scope: 'connection' };

function times(count: number, one: Uint8Array): Buffer {
  return bytes(...Array.from({ length: count }, () => one));
}

describe('maxAbortedRequests and maxManagementMessages', () => {
  it('begin anew every ten seconds', () => {
    const aborts = times(100, bytes(begin(1, 1), abort()));
    const asked = times(50, bytes(record(9, 0), record(200, 0)));
    const connection = server();
    for (let i = 0; i < 3; i++) {
      receive(connection, aborts, asked);
      connection.renewBudgets();
    }
    receive(connection, aborts, asked);
    expect(() => receive(connection, record(200, 0))).toThrow(expect.objectContaining(flood));
  });

  it('count requests that the application works on, and none whose reply has begun', () => {
    const limits = { maxAbortedRequests: 2 };
    const aborted = times(3, bytes(kept, abort()));
    expect(serve([aborted], { limits, answer: 'head' }).errors).toEqual([]);
    const outcome = serve([aborted], { limits, answer: 'never' });
    expect(outcome.errors).toEqual(['ERR_FLOOD']);
    expect(outcome.asked).toHaveLength(3);
    expect(outcome.replies).toHaveLength(2);
  });

  it('name themselves in the error', () => {
    const connection = server({ maxManagementMessages: 1, maxAbortedRequests: 1 });
    receive(connection, record(9, 0));
    expect(() => receive(connection, record(9, 0))).toThrow(
      expect.objectContaining({
        ...flood,
        limit: 'maxManagementMessages',
        message: expect.stringContaining('1 management records in 10 s'),
      }),
    );
    const other = server({ maxAbortedRequests: 1 });
    expect(() => receive(other, times(2, bytes(begin(1, 1), abort())))).toThrow(
      expect.objectContaining({
        ...flood,
        limit: 'maxAbortedRequests',
        message: expect.stringContaining('1 requests aborted before their reply in 10 s'),
      }),
    );
    expect(() => receive(server({ maxJunkRecords: 1 }), times(2, stdin('x')))).toThrow(
      expect.objectContaining({
        code: 'ERR_FCGI_JUNK',
        limit: 'maxJunkRecords',
        message: expect.stringContaining('1 records that belong to no request'),
      }),
    );
  });
});

describe('maxJunkRecords', () => {
  it('begins anew with a request that was answered, not with one that has begun or was refused', () => {
    const junk = times(64, stdin('x', 9));
    expect(serve([bytes(junk, kept, junk)])).toMatchObject({ errors: [], replies: [ok()] });
    expect(serve([bytes(junk, kept, junk)], { answer: 'never' }).errors).toEqual(['ERR_FCGI_JUNK']);
    const limits = { maxConcurrentPerConnection: 2 };
    const refused = bytes(begin(1, 1), begin(2, 1), begin(3, 1));
    expect(serve([bytes(junk, refused, junk)], { limits }).errors).toEqual(['ERR_FCGI_JUNK']);
  });
});

describe('records that say nothing', () => {
  it('are charged too where they come right behind a head: further ends of a STDIN that has ended before', () => {
    const connection = server({ maxJunkRecords: 1 });
    const early = bytes(begin(1, 1), stdin(), params(ENV), params());
    expect(() => receive(connection, bytes(early, stdin(), stdin()))).toThrow(
      expect.objectContaining({ code: 'ERR_FCGI_JUNK' }),
    );
  });

  it.each<[string, Uint8Array[], Uint8Array]>([
    ['GET_VALUES with an id', [], record(9, 1)],
    ['an unknown type for an id', [open(1)], record(200, 1)],
    ['DATA for an idle id', [], record(8, 1, 'x')],
    ['a further end of PARAMS', [open(1)], params()],
    ['a further end of STDIN', [open(1), stdin()], stdin()],
    ['a further end of STDIN before that of PARAMS', [begin(1, 1), stdin()], stdin()],
    ['a further end of STDIN before the file of a filter', [begin(1, 1, 3), params(ENV), params(), stdin()], stdin()],
    ['an ABORT_REQUEST for an answered id', [begin(1, 1, 9)], abort()],
  ])('%s is charged', (_, before, one) => {
    const connection = server({ maxJunkRecords: 2 }, { roles: ['responder', 'filter'] });
    receive(connection, ...before, one, one);
    expect(() => receive(connection, one)).toThrow(expect.objectContaining({ code: 'ERR_FCGI_JUNK' }));
  });

  it.each<[string, Uint8Array[], Uint8Array]>([
    ['DATA for a responder', [open(1)], record(8, 1, 'x')],
    ['a further end of PARAMS of a refused request', [begin(1, 1, 9)], params()],
    ['STDIN of a refused request', [begin(1, 1, 9)], stdin('x')],
    ['STDIN of an aborted request', [post(1, 9), abort()], stdin('x')],
  ])('%s is free', (_, before, one) => {
    const connection = server({ maxJunkRecords: 2 });
    expect(() => receive(connection, ...before, one, one, one, one)).not.toThrow();
  });
});
