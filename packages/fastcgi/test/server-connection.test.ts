import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { RemoteProtocolError } from '@postern/core';
import {
  begin,
  hex,
  outputText,
  pair,
  pairs,
  params,
  plainGet,
  readRecords,
  readReplies,
  record,
  request,
  stdin,
  textOf,
} from '@postern/testkit';
import { data, head, open, post, receive, replies, summary, whole } from './driving.ts';
import { complete, ok, serve, served, server } from './serving.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('a FastCGI conversation', () => {
  it('is the one of the specification, byte for byte', () => {
    const connection = server();
    const events = receive(
      connection,
      hex('01 01 00 01 00 08 00 00  00 01 01 00 00 00 00 00'),
      Buffer.concat([hex('01 04 00 01 00 13 05 00  0E 03'), Buffer.from('REQUEST_METHODGET'), Buffer.alloc(5)]),
      hex('01 04 00 01 00 00 00 00'),
      hex('01 05 00 01 00 00 00 00'),
    );
    expect(events).toMatchObject([{ type: 'request', id: 1, role: 'responder', ended: true, head: { method: 'GET' } }]);
    whole(connection);
    expect(Buffer.from(outputText(connection), 'latin1')).toEqual(
      Buffer.concat([
        hex('01 06 00 01 00 2E 02 00'),
        Buffer.from('Status: 200 OK\r\nContent-Type: text/plain\r\n\r\nhi'),
        Buffer.alloc(2),
        hex('01 06 00 01 00 00 00 00'),
        hex('01 03 00 01 00 08 00 00  00 00 00 00 00 00 00 00'),
      ]),
    );
    expect(connection).toMatchObject({ wantsClose: false, idle: true, wantsRead: true });
  });

  it('about management is the one of the specification, byte for byte', () => {
    const connection = server({ maxConcurrentPerConnection: 128 });
    const content = Buffer.concat([hex('0F 00'), Buffer.from('FCGI_MPXS_CONNS')]);
    receive(connection, hex('01 09 00 00 00 11 00 00'), content);
    const answer = Buffer.concat([
      hex('01 0A 00 00 00 12 06 00 0F 01'),
      Buffer.from('FCGI_MPXS_CONNS1'),
      Buffer.alloc(6),
    ]);
    expect(Buffer.from(outputText(connection), 'latin1')).toEqual(answer);
    receive(connection, hex('01 2A 00 00 00 00 00 00'));
    expect(Buffer.from(outputText(connection), 'latin1')).toEqual(
      hex('01 0B 00 00 00 08 00 00 2A 00 00 00 00 00 00 00'),
    );
  });

  it('of a whole reply in memory is one piece of output', () => {
    for (const body of ['hi', 'ä'.repeat(100), Buffer.alloc(10_000, 'x'), null]) {
      const connection = server();
      receive(connection, request(plainGet, { flags: 1 }));
      whole(connection, 1, body);
      const output = connection.takeOutput(1);
      expect(Array.isArray(output)).toBe(false);
      expect(readReplies(textOf(output as string)).replies).toMatchObject([{ closed: true, end: complete }]);
      expect(connection.takeOutput(1)).toBeUndefined();
    }
  });

  it('of several replies that are ready is one piece of output', () => {
    const connection = server();
    receive(connection, ...[1, 2, 3].map((id) => request(plainGet, { id, flags: 1 })));
    for (const id of [2, 1, 3]) whole(connection, id);
    const output = connection.takeOutput(1);
    expect(Array.isArray(output)).toBe(false);
    expect(readReplies(textOf(output as Uint8Array)).replies.map(({ id }) => id)).toEqual([2, 1, 3]);
  });

  it('tells that a GET has no body, without waiting for the end of STDIN', () => {
    expect(receive(server(), open())).toMatchObject([{ type: 'request', ended: true }]);
  });

  it('takes a body of unknown length for none when the end of STDIN is there already', () => {
    expect(receive(server(), post(), stdin())).toMatchObject([{ type: 'request', ended: true }]);
    const connection = server();
    expect(receive(connection, post())).toMatchObject([{ type: 'request', ended: false }]);
    expect(summary(receive(connection, stdin()))).toEqual(['1 end']);
  });

  it('hands body bytes out as views of what was received', () => {
    const connection = server();
    receive(connection, post(1, 5000));
    const chunk = stdin('x'.repeat(5000));
    const [event] = receive(connection, chunk);
    expect((event as { chunk: Uint8Array }).chunk.buffer).toBe(chunk.buffer);
  });
});

describe('multiplexed requests', () => {
  it('are told apart by their ids, however their records are mixed', () => {
    const mixed = Buffer.concat([
      begin(7, 1),
      begin(8, 1),
      params(pairs({ ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '2', REMOTE_USER: 'seven' }), 7),
      params(pairs({ ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '2', REMOTE_USER: 'eight' }), 8),
      params('', 8),
      stdin('8', 8),
      params('', 7),
      stdin('7', 7),
      stdin('8', 8),
      stdin('', 8),
      stdin('7', 7),
      stdin('', 7),
    ]);
    const outcome = served(mixed);
    expect(outcome.asked).toMatchObject([
      { id: 8, body: '88', variables: { REMOTE_USER: 'eight' } },
      { id: 7, body: '77', variables: { REMOTE_USER: 'seven' } },
    ]);
    expect(outcome.replies).toEqual([ok(8), ok(7)]);
  });

  it('close the connection behind the last of them when the latest BEGIN_REQUEST asks for it', () => {
    const connection = server();
    receive(connection, request(plainGet, { id: 1, flags: 1 }), open(2, {}, 0));
    whole(connection, 2);
    expect(connection.wantsClose).toBe(false);
    whole(connection, 1);
    expect(connection.wantsClose).toBe('fin');
  });

  it('keep the connection when the latest BEGIN_REQUEST asks for that', () => {
    const connection = server();
    receive(connection, open(1, {}, 0), open(2));
    whole(connection, 1);
    whole(connection, 2);
    expect(connection.wantsClose).toBe(false);
  });
});

describe('answers that nobody reads', () => {
  it('stop the reading', () => {
    const connection = server({ maxManagementMessages: 65_536 });
    receive(connection, ...Array.from({ length: 4095 }, () => record(200, 0)));
    expect(connection.wantsRead).toBe(true);
    receive(connection, record(200, 0));
    expect(connection.wantsRead).toBe(false);
    outputText(connection);
    expect(connection.wantsRead).toBe(true);
  });
});

describe('the end of a connection', () => {
  it('comes at once when nothing runs', () => {
    const connection = server();
    connection.shutdown();
    expect(connection.wantsClose).toBe('fin');
  });

  it('comes behind what runs, and what comes meanwhile is answered 503', () => {
    const connection = server();
    receive(connection, open(1));
    connection.shutdown();
    expect(connection.wantsClose).toBe(false);
    expect(receive(connection, stdin('', 1), request(plainGet, { id: 2, flags: 1 }))).toEqual([]);
    expect(replies(connection)).toEqual([
      expect.objectContaining({ id: 2, stdout: expect.stringMatching(/^Status: 503 /) }),
    ]);
    expect(connection.wantsClose).toBe(false);
    whole(connection, 1);
    expect(connection.wantsClose).toBe('fin');
    expect(replies(connection)).toEqual([ok(1)]);
  });

  it('comes behind a streamed reply only when all of it was taken', () => {
    const connection = server();
    receive(connection, open(1, {}, 0));
    head(connection);
    data(connection, Buffer.alloc(200_000));
    connection.send({ type: 'end', id: 1 });
    connection.takeOutput(1);
    expect(connection.wantsClose).toBe(false);
    expect(outputText(connection).endsWith('\0'.repeat(8))).toBe(true);
    expect(connection.wantsClose).toBe('fin');
  });

  it('comes behind as many requests as a connection may carry', () => {
    const one = request(plainGet, { flags: 1 });
    const limits = { maxConnectionRequests: 3 };
    expect(serve([one, one], { limits })).toMatchObject({ replies: [ok(), ok()], close: false });
    expect(serve([one, one, one], { limits })).toMatchObject({ replies: [ok(), ok(), ok()], close: 'fin' });
    expect(serve([one, one, one, one], { limits }).replies).toHaveLength(3);
  });
});

describe('heads that do not come', () => {
  it('are answered 408 where the request has an id, and the connection closes', () => {
    for (const begun of [
      begin(),
      Buffer.concat([begin(), params(pairs(plainGet))]),
      Buffer.concat([begin(), stdin('x'), stdin()]),
    ]) {
      const connection = server();
      receive(connection, begun);
      expect(connection.headPending).toBe(true);
      connection.expireHeads();
      expect(replies(connection)).toEqual([
        expect.objectContaining({ id: 1, stdout: expect.stringMatching(/^Status: 408 /), end: complete }),
      ]);
      expect(connection.wantsClose).toBe('fin');
      expect(receive(connection, params(), stdin())).toEqual([]);
    }
  });

  it('of the first bytes of a record close it with an error', () => {
    for (const length of [1, 7, 8, 15]) {
      const connection = server();
      receive(connection, begin().subarray(0, length));
      expect([length, connection.headPending, connection.idle]).toEqual([length, true, false]);
      connection.expireHeads();
      expect(connection.wantsClose).toBe('reset');
    }
  });

  it('leave running requests alone', () => {
    const connection = server();
    receive(connection, open(1), begin(2, 1));
    expect(connection.headPending).toBe(true);
    connection.expireHeads();
    expect(replies(connection)).toEqual([expect.objectContaining({ id: 2 })]);
    expect(connection.wantsClose).toBe(false);
    whole(connection, 1);
    expect(connection.wantsClose).toBe('fin');
  });

  it('are not the bytes of a record that belongs to a running request', () => {
    const connection = server();
    receive(connection, post(1, 10), stdin('abc'), stdin('defg').subarray(0, 5));
    expect(connection).toMatchObject({ headPending: false, idle: false });
    connection.expireHeads();
    expect(connection.wantsClose).toBe(false);
    expect(summary(receive(connection, stdin('defg').subarray(5)))).toEqual(['1 data defg']);
    receive(connection, stdin('hij').subarray(0, 9));
    expect(connection).toMatchObject({ headPending: false, idle: false });
  });

  it('are none when nothing has begun', () => {
    const connection = server();
    expect(connection).toMatchObject({ headPending: false, idle: true });
    receive(connection, request(plainGet, { flags: 1 }));
    expect(connection).toMatchObject({ headPending: false, idle: false });
    whole(connection);
    expect(connection).toMatchObject({ headPending: false, idle: true });
  });
});

describe('a broken connection', () => {
  it('throws once, hears nothing more and says nothing more', () => {
    const connection = server();
    connection.receive(Buffer.concat([open(1), hex('00')]));
    expect(connection.next()?.type).toBe('request');
    expect(() => connection.next()).toThrow(RemoteProtocolError);
    expect(connection.next()).toBeUndefined();
    expect(receive(connection, request())).toEqual([]);
    connection.receiveEnd();
    expect(connection.next()).toBeUndefined();
    expect(connection.wantsClose).toBe('reset');
    expect(connection.takeOutput(1)).toBeUndefined();
  });

  it('writes nothing more for the requests that ran on it, above all no end', () => {
    const connection = server();
    expect(receive(connection, Buffer.concat([open(1), open(2), open(3)]))).toHaveLength(3);
    head(connection, 1);
    data(connection, 'half', 1);
    connection.receive(hex('00'));
    expect(() => connection.next()).toThrow(RemoteProtocolError);
    connection.send({ type: 'abort', id: 1 });
    whole(connection, 2);
    connection.expireHeads();
    expect(outputText(connection)).toBe('');
    expect(connection).toMatchObject({ wantsClose: 'reset', idle: true, wantsRead: true });
  });

  it('lets go of what it had received', () => {
    const connection = server();
    connection.receive(Buffer.concat([record(3, 1), begin(), begin()]));
    expect(() => connection.next()).toThrow(RemoteProtocolError);
    expect(connection).toMatchObject({ headPending: false, idle: true });
  });
});

describe('what a connection remembers', () => {
  it('of a read of which a few bytes wait is no more than these', () => {
    const connection = server({ bodyHighWater: 4 });
    const chunk = Buffer.concat([post(1, 60_003), stdin('x'.repeat(60_000)), stdin('abc')]);
    expect(receive(connection, chunk)).toHaveLength(2);
    connection.pull(1);
    const [rest] = receive(connection);
    expect(rest).toMatchObject({ type: 'data', chunk: Buffer.from('abc') });
    expect((rest as { chunk: Uint8Array }).chunk.buffer).not.toBe(chunk.buffer);
  });

  /** Bytes on and off the heap that are in use. */
  const memory = (): number => {
    collectGarbage();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };

  it('of requests that were answered before they ended is nothing but their ids', () => {
    const connection = server({ maxConnectionRequests: 1_000_000 });
    const variables = pairs({ ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '5' });
    const before = memory();
    for (let id = 1; id <= 10_000; id++) {
      receive(connection, begin(id, 1), params(variables, id), params('', id));
      whole(connection, id);
      connection.takeOutput(1);
    }
    expect(memory() - before).toBeLessThan(2_000_000);
    expect(summary(receive(connection, stdin('late', 77), stdin('', 77), open(77)))).toEqual(['77 request']);
  });

  it('of content that trickles in is the content', () => {
    const connection = server();
    const get = record(9, 0, Buffer.concat(Array.from({ length: 4000 }, () => pair('FCGI_MAX_CONNS', ''))));
    const before = memory();
    for (let at = 0; at < get.length - 1; at++) receive(connection, Uint8Array.of(get[at]));
    expect(memory() - before).toBeLessThan(1_000_000);
    receive(connection, get.subarray(-1));
    expect(readRecords(outputText(connection))).toHaveLength(1);
  });
});
