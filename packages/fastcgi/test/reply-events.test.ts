import { describe, expect, it } from '@jest/globals';
import { LocalProtocolError } from '@postern/core';
import { abort, outputText, plainGet, readRecords, readReplies, request, stdin } from '@postern/testkit';
import type { FastcgiServerConnection } from '../src/server-connection.ts';
import { data, head, open, receive, replies, summary, whole } from './driving.ts';
import { complete, ok, server } from './serving.ts';

describe('an interim reply', () => {
  it('goes out before the reply, in a record of its own', () => {
    const connection = server();
    receive(connection, open());
    connection.send({ type: 'interim', id: 1, status: 103, reason: 'Early Hints', headers: ['Link', '</a>'] });
    const hints = 'Status: 103 Early Hints\r\nLink: </a>\r\n\r\n';
    whole(connection);
    const records = readRecords(outputText(connection));
    expect(records.map(({ type, content }) => [type, content.slice(0, 15)])).toEqual([
      [6, 'Status: 103 Ear'],
      [6, 'Status: 200 OK\r'],
      [6, ''],
      [3, '\0\0\0\0\0\0\0\0'],
    ]);
    expect(records[0].content).toBe(hints);
  });
});

describe('a reply that breaks off', () => {
  const zeros = '\0'.repeat(8);

  it('alone on its connection is ended by a header that no front-end takes for FastCGI', () => {
    const connection = server();
    receive(connection, open());
    head(connection);
    data(connection, 'part');
    const before = outputText(connection);
    data(connection, 'never sent');
    connection.send({ type: 'abort', id: 1 });
    expect(outputText(connection)).toBe(zeros);
    expect(connection.wantsClose).toBe('fin');
    expect(readReplies(before).replies).toMatchObject([{ closed: false, end: undefined }]);
  });

  it('resets a connection that carries no other request', () => {
    const connection = server();
    receive(connection, open(1, {}, 0));
    head(connection);
    data(connection, 'part');
    connection.send({ type: 'abort', id: 1 });
    expect(outputText(connection)).toContain(zeros);
    expect(connection.wantsClose).toBe('reset');
  });

  it('before its head was taken leaves that header alone', () => {
    const connection = server();
    receive(connection, open());
    head(connection);
    connection.send({ type: 'abort', id: 1 });
    expect(outputText(connection)).toBe(zeros);
  });

  it('lets a reply out that was complete before', () => {
    const connection = server();
    receive(connection, request(plainGet, { id: 1, flags: 1 }), open(2));
    whole(connection, 1);
    connection.send({ type: 'abort', id: 2 });
    const output = outputText(connection);
    expect(output.endsWith(zeros)).toBe(true);
    expect(readReplies(output.slice(0, -8)).replies).toEqual([ok(1)]);
  });

  it('with neighbours ends its own id with an exit status, and they go on', () => {
    const connection = server();
    receive(connection, open(1), open(2));
    head(connection, 1);
    data(connection, 'part', 1);
    connection.send({ type: 'abort', id: 1 });
    whole(connection, 2);
    expect(replies(connection)).toEqual([
      { id: 1, stdout: '', stderr: '', closed: false, end: '0000000100000000' },
      ok(2),
    ]);
    expect(connection.wantsClose).toBe(false);
    expect(summary(receive(connection, stdin('', 1), stdin('', 2), open(1)))).toEqual(['1 request']);
  });

  it.each([
    ['SERVER_SOFTWARE', { SERVER_SOFTWARE: 'HAProxy 2.6.12' }, undefined],
    ['its address', {}, { peer: 'haproxy' }],
  ] as const)(
    'to HAProxy, known by %s, is ended by END_REQUEST without a body, and the connection goes on',
    (_, variables, peer) => {
      const connection = server({}, peer);
      receive(connection, open(1, variables), open(2, variables));
      for (const id of [1, 2]) {
        head(connection, id);
        outputText(connection);
        connection.send({ type: 'abort', id });
        expect(readRecords(outputText(connection))).toMatchObject([{ type: 3, id, content: '' }]);
      }
      expect(connection.wantsClose).toBe(false);
      expect(summary(receive(connection, stdin('', 1), stdin('', 2), open(3, variables)))).toEqual(['3 request']);
    },
  );

  it('cannot be written to any more', () => {
    const connection = server();
    receive(connection, open(1), open(2));
    head(connection, 1);
    connection.send({ type: 'abort', id: 1 });
    outputText(connection);
    for (const event of [
      { type: 'data', id: 1, chunk: 'x' },
      { type: 'end', id: 1 },
      { type: 'abort', id: 1 },
    ] as const) {
      expect(() => connection.send(event)).toThrow(LocalProtocolError);
    }
    connection.send({ type: 'log', id: 1, text: 'late' });
    expect(connection.takeOutput(1)).toBeUndefined();
  });
});

describe('STDERR', () => {
  const log = (connection: FastcgiServerConnection, text: string): void =>
    connection.send({ type: 'log', id: 1, text });

  it('goes out beside the reply, and never behind its end', () => {
    const connection = server();
    receive(connection, request(plainGet, { flags: 1 }));
    log(connection, 'ä\n');
    whole(connection);
    log(connection, 'late');
    const [reply] = replies(connection);
    expect(Buffer.from(reply.stderr, 'latin1').toString()).toBe('ä\n');
    expect(reply).toMatchObject({ stdout: ok().stdout, end: complete });
    expect(connection.takeOutput(1)).toBeUndefined();
  });

  it('without text is no record', () => {
    const connection = server();
    receive(connection, open());
    log(connection, '');
    expect(connection.takeOutput(1)).toBeUndefined();
  });

  it.each([
    [9, 'xxxxxxxxx'],
    [10, 'xxxxxxxxxx'],
    [11, 'xxxxxxxxxx [the rest is dropped]\n'],
    [100, 'xxxxxxxxxx [the rest is dropped]\n'],
  ])('of %d bytes under a limit of ten is cut with a note', (size, text) => {
    for (const step of [1, 4, 100]) {
      const connection = server({ maxStderrBytes: 10 });
      receive(connection, open());
      for (let left = size; left > 0; left -= step) log(connection, 'x'.repeat(Math.min(step, left)));
      expect(replies(connection)).toMatchObject([{ stderr: text }]);
    }
  });

  it('larger than a record is split', () => {
    const connection = server({ maxStderrBytes: 200_000 });
    receive(connection, open());
    log(connection, 'x'.repeat(150_000));
    expect(replies(connection)[0].stderr).toBe('x'.repeat(150_000));
  });

  it('of a request that is gone is nobody’s', () => {
    const connection = server();
    log(connection, 'x');
    expect(connection.takeOutput(1)).toBeUndefined();
  });
});

describe('what is sent for an id', () => {
  it('goes out though another one that had nothing to send is aborted or breaks off', () => {
    const connection = server();
    receive(connection, open(1), open(2), open(3));
    head(connection, 1);
    data(connection, 'abc', 1);
    connection.send({ type: 'end', id: 1 });
    receive(connection, abort(2));
    connection.send({ type: 'abort', id: 3 });
    expect(replies(connection)).toMatchObject([
      { id: 2, stdout: '' },
      { id: 3, stdout: '' },
      { id: 1, stdout: 'Status: 200 OK\r\n\r\nabc', end: complete },
    ]);
  });

  it('is refused in the wrong order, and nothing of it goes out', () => {
    const connection = server();
    receive(connection, open(1), open(2));
    expect(() => data(connection, 'x')).toThrow(expect.objectContaining({ code: 'ERR_WRITE_AFTER_END' }));
    expect(() => connection.send({ type: 'end', id: 1 })).toThrow(LocalProtocolError);
    expect(connection.takeOutput(1)).toBeUndefined();
    head(connection);
    expect(() => head(connection)).toThrow(expect.objectContaining({ code: 'ERR_HEADERS_SENT' }));
    expect(() => whole(connection)).toThrow(expect.objectContaining({ code: 'ERR_HEADERS_SENT' }));
    connection.send({ type: 'end', id: 1 });
    expect(() => data(connection, 'x')).toThrow(expect.objectContaining({ code: 'ERR_WRITE_AFTER_END' }));
    expect(replies(connection)).toEqual([
      { id: 1, stdout: 'Status: 200 OK\r\n\r\n', stderr: '', closed: true, end: complete },
    ]);
  });

  it('after the peer aborted it goes nowhere', () => {
    const connection = server();
    receive(connection, open(1));
    head(connection);
    data(connection, 'queued');
    expect(summary(receive(connection, abort()))).toEqual(['1 abort']);
    expect(replies(connection)).toEqual([{ id: 1, stdout: '', stderr: '', closed: false, end: '0000000100000000' }]);
    expect(() => data(connection, 'x')).toThrow(LocalProtocolError);
    expect(connection.takeOutput(1)).toBeUndefined();
  });
});
