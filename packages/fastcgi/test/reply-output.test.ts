import { describe, expect, it } from '@jest/globals';
import {
  begin,
  outputText,
  pairs,
  params,
  plainGet,
  readRecords,
  readReplies,
  request,
  textOf,
} from '@postern/testkit';
import { data, head, open, receive, replies, whole } from './driving.ts';
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

  it('has no empty pieces, and no empty record before the end', () => {
    for (const size of [3 * 65_528 - 44, 65_528 - 44]) {
      const connection = server();
      receive(connection, request(plainGet, { flags: 1 }));
      whole(connection, 1, Buffer.alloc(size));
      const pieces = connection.takeOutput(1) as Uint8Array[];
      expect(pieces.length).toBeGreaterThan(2);
      expect(pieces.filter((one) => one.length === 0)).toEqual([]);
      const records = readRecords(Buffer.concat(pieces));
      expect(records.map(({ content }) => content.length)).toEqual([
        ...Array(size > 65_528 ? 3 : 1).fill(65_528),
        0,
        8,
      ]);
    }
  });

  const shapeOf = (body: string | Uint8Array | null, headers: string[] = []) => {
    const connection = server();
    receive(connection, request(plainGet, { flags: 1 }));
    connection.send({ type: 'whole', id: 1, status: 200, reason: 'OK', headers, body });
    const output = connection.takeOutput(1) as string | Uint8Array | Uint8Array[];
    expect(connection.takeOutput(1)).toBeUndefined();
    return output;
  };
  const bare = 'Status: 200 OK\r\n\r\n'.length;

  it('of ASCII up to a record is text, and no bytes are made of it', () => {
    for (const body of ['', 'hi', 'x'.repeat(piece - bare), null]) expect(typeof shapeOf(body)).toBe('string');
    expect(typeof shapeOf('x'.repeat(piece - bare + 1))).toBe('object');
    expect(typeof shapeOf('ä')).toBe('object');
  });

  it('of bytes is one piece up to 16 KiB with its head, and by reference above', () => {
    for (const size of [0, 1, 1000, 16_384 - bare]) expect(shapeOf(Buffer.alloc(size))).toBeInstanceOf(Buffer);
    for (const size of [16_384 - bare + 1, 60_000, 200_000]) {
      const body = Buffer.alloc(size);
      const output = shapeOf(body) as Uint8Array[];
      expect(output.filter((one) => one.buffer === body.buffer).length).toBe(Math.ceil((size + bare) / piece));
    }
  });

  it('of high bytes in a head is latin-1, however the head goes out', () => {
    const sent = ['X-A', 'caf\xe9'];
    const named = 'X-A: caf\xe9\r\n\r\n';
    for (const body of ['hi', 'ä', Buffer.from('hi'), Buffer.alloc(100_000)])
      expect(textOf(shapeOf(body, sent))).toContain(named);
    expect(textOf(shapeOf('hi', [...sent, 'X-B', 'b'.repeat(65_535)]))).toContain('X-A: caf\xe9\r\n');
    for (const role of [1, 2]) {
      const connection = server({}, { roles: ['responder', 'authorizer'] });
      receive(connection, begin(1, 1, role), params(pairs(plainGet)), params());
      connection.send({ type: 'interim', id: 1, status: 103, reason: '', headers: sent });
      expect(outputText(connection)).toContain(named);
      connection.send({ type: 'head', id: 1, status: 200, reason: 'OK', headers: sent });
      expect(outputText(connection)).toContain(named);
    }
    const tunnel = server();
    receive(tunnel, open(1, { HTTP_UPGRADE: 'x', HTTP_CONNECTION: 'upgrade' }));
    tunnel.send({ type: 'upgrade', id: 1, status: 101, reason: 'Switching Protocols', headers: sent });
    expect(outputText(tunnel)).toContain(named);
  });

  it.each([127, 128, 255, 256, 65_535])('of id %d carries that id in each record', (id) => {
    const streamed = server();
    receive(streamed, request(plainGet, { id, flags: 1 }));
    head(streamed, id);
    streamed.send({ type: 'end', id });
    expect(readRecords(outputText(streamed)).map((one) => [one.type, one.id])).toEqual([6, 6, 3].map((t) => [t, id]));

    for (const body of ['hi', Buffer.from('hi'), Buffer.alloc(20_000)]) {
      const connection = server();
      receive(connection, request(plainGet, { id, flags: 1 }));
      whole(connection, id, body);
      expect(readRecords(outputText(connection)).map((one) => [one.type, one.id])).toEqual(
        [6, 6, 3].map((t) => [t, id]),
      );
    }
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
