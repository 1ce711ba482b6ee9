import { describe, expect, it } from '@jest/globals';
import { LocalProtocolError } from '@postern/core';
import { abort, outputText, plainGet, readRecords, readReplies, request, stdin, textOf } from '@postern/testkit';
import type { FastcgiServerConnection } from '../src/server-connection.ts';
import { data, head, open, receive, replies, summary, whole } from './driving.ts';
import { complete, ok, server } from './serving.ts';

describe('output', () => {
  const piece = 65_528;

  it('takes turns, one record an id, and stops near the budget', () => {
    const connection = server();
    receive(connection, open(1), open(2), open(3));
    for (const id of [1, 2, 3]) {
      head(connection, id);
      data(connection, Buffer.alloc(3 * piece), id);
    }
    const order: number[][] = [];
    for (let output = connection.takeOutput(1); output !== undefined; output = connection.takeOutput(1)) {
      order.push(readRecords(Buffer.from(textOf(output), 'latin1')).map(({ id }) => id));
    }
    expect(order).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3].map((id) => [id]));
  });

  it('is about as much as the budget allows, never more than a record above it', () => {
    for (const budget of [1, 1000, 65_536, 200_000]) {
      const connection = server();
      receive(connection, open(1), open(2));
      for (const id of [1, 2]) {
        head(connection, id);
        data(connection, Buffer.alloc(400_000), id);
      }
      const size = textOf(connection.takeOutput(budget) as Uint8Array[]).length;
      expect(size).toBeGreaterThanOrEqual(budget);
      expect(size).toBeLessThan(budget + piece + 8);
    }
  });

  it('of a small reply does not wait behind a large one', () => {
    const connection = server();
    receive(connection, open(1), request(plainGet, { id: 2, flags: 1 }));
    head(connection, 1);
    data(connection, Buffer.alloc(1_000_000), 1);
    connection.takeOutput(1);
    whole(connection, 2);
    expect(readReplies(textOf(connection.takeOutput(1) as Uint8Array)).replies).toContainEqual(ok(2));
  });

  it('counts what waits of each id', () => {
    const connection = server();
    receive(connection, open(1), open(2));
    head(connection, 1);
    const queued = connection.queued(1);
    data(connection, 'ä');
    expect(connection.queued(1)).toBe(queued + 2);
    expect([connection.queued(2), connection.queued(9)]).toEqual([0, 0]);
    outputText(connection);
    expect(connection.queued(1)).toBe(0);
  });

  it('has no empty STDOUT before the end, whatever is written', () => {
    const connection = server();
    receive(connection, open());
    head(connection);
    for (let i = 0; i < 1000; i++) {
      data(connection, i % 2 ? '' : new Uint8Array());
      if (i % 10 === 0) connection.send({ type: 'flush', id: 1 });
      if (i === 500) expect(readRecords(outputText(connection)).map(({ content }) => content === '')).toEqual([false]);
    }
    expect(connection.takeOutput(1)).toBeUndefined();
    connection.send({ type: 'end', id: 1 });
    expect(readRecords(outputText(connection)).map(({ type }) => type)).toEqual([6, 3]);
  });

  it.each([0, 1, 8185, 16_000, 65_483, 65_484, 65_485, 65_491, 65_492, 65_493, 65_528, 65_535, 65_536, 200_000])(
    'of %d bytes arrives whole, sent at once or streamed',
    (size) => {
      for (const body of [
        Buffer.from('abcdefg\xff'.repeat(size / 8 + 1), 'latin1').subarray(0, size),
        'x'.repeat(size),
      ]) {
        const text = Buffer.from(body as Uint8Array).toString('latin1');
        const connection = server();
        receive(connection, request(plainGet, { id: 1, flags: 1 }), request(plainGet, { id: 2, flags: 1 }));
        whole(connection, 1, body);
        head(connection, 2);
        data(connection, body, 2);
        connection.send({ type: 'end', id: 2 });
        const output = outputText(connection, 10_000);
        for (const { id, content, padding } of readRecords(output)) {
          // nginx lets the head of a stream go at once only where no padding follows it
          if (id === 2) expect(padding).toHaveLength(0);
          else expect((content.length + padding.length) % 8).toBe(0);
        }
        const { replies: both } = readReplies(output);
        expect(both.map(({ stdout }) => stdout.slice(stdout.indexOf('\r\n\r\n') + 4) === text)).toEqual([true, true]);
        expect(both.map(({ end, closed }) => [end, closed])).toEqual([
          [complete, true],
          [complete, true],
        ]);
      }
    },
  );

  it('of text is UTF-8, sent at once or streamed, alone or behind ASCII', () => {
    for (const text of ['ä', 'hi ä€😀', `${'x'.repeat(70_000)}€`]) {
      const connection = server();
      receive(connection, request(plainGet, { id: 1, flags: 1 }), request(plainGet, { id: 2, flags: 1 }));
      whole(connection, 1, text);
      head(connection, 2);
      data(connection, text, 2);
      connection.send({ type: 'end', id: 2 });
      for (const { stdout } of replies(connection)) {
        const body = Buffer.from(stdout.slice(stdout.indexOf('\r\n\r\n') + 4), 'latin1').toString('utf8');
        expect(body === text).toBe(true);
      }
    }
  });

  it.each([65_502, 65_503, 65_504, 65_528])(
    'of a head that fills a record, with a value of %d bytes, arrives whole',
    (size) => {
      const value = 'a'.repeat(size);
      for (const body of ['body', Buffer.from('body'), null]) {
        const connection = server();
        receive(connection, request(plainGet, { flags: 1 }));
        connection.send({ type: 'whole', id: 1, status: 200, reason: 'OK', headers: ['X-A', value], body });
        const stdout = `Status: 200 OK\r\nX-A: ${value}\r\n\r\n${body === null ? '' : 'body'}`;
        expect(replies(connection)).toMatchObject([{ stdout, end: complete }]);
      }
    },
  );

  it('has no empty pieces', () => {
    const connection = server();
    receive(connection, request(plainGet, { flags: 1 }));
    whole(connection, 1, Buffer.alloc(3 * 65_528 - 44));
    const pieces = connection.takeOutput(1) as Uint8Array[];
    expect(pieces.length).toBeGreaterThan(3);
    expect(pieces.filter((one) => one.length === 0)).toEqual([]);
  });

  it('puts very many small writes into few records and few pieces', () => {
    const connection = server();
    receive(connection, open());
    head(connection);
    for (let i = 0; i < 200_000; i++) data(connection, 'x');
    connection.send({ type: 'end', id: 1 });
    let records = 0;
    let pieces = 0;
    let bytes = 0;
    for (let output = connection.takeOutput(131_072); output !== undefined; output = connection.takeOutput(131_072)) {
      pieces += Array.isArray(output) ? output.length : 1;
      const read = readRecords(Buffer.from(textOf(output), 'latin1'));
      records += read.length;
      bytes += read.reduce((sum, { type, content }) => sum + (type === 6 ? content.length : 0), 0);
    }
    expect(bytes).toBe(200_000 + 'Status: 200 OK\r\n\r\n'.length);
    expect(records).toBeLessThan(10);
    expect(pieces).toBeLessThan(100);
  });

  it('does not hold bytes of the application twice: large chunks go by reference', () => {
    const connection = server();
    receive(connection, open());
    head(connection);
    const chunk = Buffer.alloc(60_000, 'x');
    data(connection, chunk);
    const output = connection.takeOutput(131_072) as Uint8Array[];
    expect(output.some((piece) => piece.buffer === chunk.buffer)).toBe(true);
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
