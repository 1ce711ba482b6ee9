import { describe, expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { cutAt, randomNumbers } from '@postern/testkit';
import { FastcgiClientConnection } from '../src/client-connection.ts';
import { RecordType } from '../src/constants.ts';
import { FastcgiServerConnection } from '../src/server-connection.ts';
import { askedFor, bytesOf, cut, end, Listener, OK, reply, stderr, stdout } from './client-harness.ts';

const POST = ['REQUEST_METHOD', 'POST'];

function posting(...ids: number[]): FastcgiClientConnection {
  const connection = new FastcgiClientConnection(limitsWith());
  for (const id of ids) connection.send({ type: 'request', id, variables: POST, keep: true });
  connection.takeOutput(0);
  return connection;
}

const give = (connection: FastcgiClientConnection, id: number, size: number): void =>
  connection.send({ type: 'data', id, chunk: Buffer.alloc(size, id) });

describe('several requests at once', () => {
  it('have replies of their own, whose records come in any order', () => {
    const listener = new Listener(askedFor({ ids: [1, 2, 300] })).receive(
      stdout(`${OK}a`, { id: 2 }),
      stdout('Status: 404\r\n'),
      stdout(`${OK}x`, { id: 300 }),
      stdout('\r\nno'),
      stdout('', { id: 2 }),
      end(0, 2),
      stdout('y', { id: 300 }),
      end(),
      end(0, 300),
    );
    expect(listener.heard).toEqual([
      ...['2 head 200', '300 head 200', '1 head 404'],
      ...['2 end reuse', '1 end reuse', '300 end reuse'],
    ]);
    expect(Object.fromEntries(listener.bodies)).toEqual({ 1: 'no', 2: 'a', 300: 'xy' });
  });

  it('free their ids one by one', () => {
    const connection = askedFor({ ids: [1, 2] });
    const listener = new Listener(connection).receive(reply('one'));
    connection.send({ type: 'request', id: 1, variables: POST, keep: true });
    connection.send({ type: 'end', id: 1 });
    connection.takeOutput(1000);
    listener.receive(reply(' again'), reply('two', 2));
    expect(listener.heard).toEqual([
      '1 head 200',
      '1 end reuse',
      '1 head 200',
      '1 end reuse',
      '2 head 200',
      '2 end reuse',
    ]);
    expect(listener.bodies.get(1)).toBe('one again');
  });

  it('are all broken off by a FIN, save those that are complete', () => {
    const listener = new Listener(askedFor({ ids: [1, 2] })).receive(reply('one'));
    listener.connection.receiveEnd();
    listener.listen();
    expect(listener.heard).toEqual(['1 head 200', '1 end reuse', 'ERR_REPLY 502']);
  });

  it('may be followed by none where one was answered before it was sent', () => {
    const connection = posting(1, 2);
    give(connection, 1, 100);
    const listener = new Listener(connection).receive(reply('early'));
    expect(listener.heard).toEqual(['1 head 200', '1 end close']);
    expect(connection.ready).toBe(false);
    connection.send({ type: 'end', id: 2 });
    expect(cut(bytesOf(connection.takeOutput(1000))).map(({ id, type }) => [id, type])).toEqual([
      [2, RecordType.STDIN],
    ]);
    expect(listener.receive(reply('two', 2)).heard.at(-1)).toBe('2 end close');
    expect(connection.wantsClose).toBe('fin');
  });

  it('one of which is aborted leave its leftovers behind and go on', () => {
    const connection = posting(1, 2);
    give(connection, 1, 1000);
    connection.send({ type: 'abort', id: 1 });
    connection.send({ type: 'abort', id: 1 });
    connection.send({ type: 'end', id: 2 });
    const sent = cut(bytesOf(connection.takeOutput(1000))).map(({ id, type }) => [id, type]);
    expect(sent).toEqual([
      [1, RecordType.ABORT_REQUEST],
      [2, RecordType.STDIN],
    ]);
    expect(() => connection.send({ type: 'request', id: 1, variables: POST, keep: true })).toThrow(/id 1/);
    const listener = new Listener(connection).receive(
      stdout(`${OK}late`),
      stdout(OK, { id: 2 }),
      stdout('late'),
      end(1),
    );
    listener.receive(stdout('two', { id: 2 }), end(0, 2));
    expect(listener.heard).toEqual(['2 head 200', '1 end reuse', '2 end reuse']);
    expect(listener.bodies.has(1)).toBe(false);
  });
});

describe('uploads at once', () => {
  it('take turns, so that a large one starves nobody', () => {
    const connection = posting(1, 2, 3);
    give(connection, 1, 1_000_000);
    give(connection, 2, 10);
    connection.send({ type: 'end', id: 2 });
    give(connection, 3, 40_000);
    const first = cut(bytesOf(connection.takeOutput(50_000)));
    expect(first.map(({ id, content }) => [id, content.length])).toEqual([
      [1, 16_384],
      [2, 10],
      [2, 0],
      [3, 16_384],
      [1, 16_384],
      [3, 16_384],
    ]);
    const rest = cut(bytesOf(connection.takeOutput(10_000_000)));
    expect(rest.slice(0, 3).map(({ id, content }) => [id, content.length])).toEqual([
      [1, 16_384],
      [3, 7232],
      // nobody waits any more
      [1, 65_528],
    ]);
    for (const { content, padding } of [...first, ...rest])
      expect(content.length + padding).toBeLessThanOrEqual(65_535);
    expect([1, 2, 3].map((id) => connection.queued(id))).toEqual([0, 0, 0]);
  });

  it('begin behind the heads of all requests', () => {
    const connection = posting(1);
    give(connection, 1, 500_000);
    connection.send({ type: 'request', id: 2, variables: POST, keep: true });
    const types = cut(bytesOf(connection.takeOutput(1))).map(({ id, type }) => [id, type]);
    expect(types).toEqual([
      [2, RecordType.BEGIN_REQUEST],
      [2, RecordType.PARAMS],
      [2, RecordType.PARAMS],
      [1, RecordType.STDIN],
    ]);
  });
});

describe('a reply that is not read', () => {
  const set = { replyHighWater: 1000 };
  const piece = (id: number): Buffer => stdout('x'.repeat(500), { id });

  it('is taken four times as far where others share the connection, and then nothing is read', () => {
    const connection = askedFor({ ids: [1, 2], set });
    const listener = new Listener(connection, (id) => id === 2).receive(stdout(OK), stdout(OK, { id: 2 }));
    for (let i = 0; i < 8; i++) listener.receive(piece(1), piece(2));
    expect(listener.bodies.get(1)).toHaveLength(4000);
    expect(listener.bodies.get(2)).toHaveLength(4000);
    expect(connection.wantsRead).toBe(true);
    listener.receive(piece(2), piece(1), piece(2));
    expect(connection.wantsRead).toBe(false);
    expect(listener.bodies.get(2)).toHaveLength(4500);
    connection.pull(1);
    listener.listen();
    expect(connection.wantsRead).toBe(true);
    expect(listener.bodies.get(1)).toHaveLength(4500);
    expect(listener.bodies.get(2)).toHaveLength(5000);
  });

  it('keeps nobody waiting before its next record has come', () => {
    const connection = askedFor({ ids: [1, 2], set });
    const listener = new Listener(connection, (id) => id === 2).receive(stdout(OK), stdout('x'.repeat(9000)));
    expect([connection.wantsRead, listener.bodies.get(1)?.length]).toEqual([true, 9000]);
    listener.receive(piece(2), piece(1).subarray(0, 9));
    expect(connection.wantsRead).toBe(false);
  });

  it('keeps nobody waiting once it is over: its end is read', () => {
    const connection = askedFor({ ids: [1, 2], set });
    const listener = new Listener(connection, (id) => id === 2).receive(stdout(OK), stdout('x'.repeat(9000)));
    listener.receive(end().subarray(0, 12));
    expect(connection.wantsRead).toBe(true);
    listener.receive(end().subarray(12), reply('two', 2));
    expect(listener.bodies.get(2)).toBe('two');
  });

  it('keeps nobody waiting any more when it is aborted', () => {
    const connection = askedFor({ ids: [1, 2], set });
    const listener = new Listener(connection, (id) => id === 2).receive(stdout(OK));
    for (let i = 0; i < 9; i++) listener.receive(piece(1));
    listener.receive(reply('two', 2));
    expect([connection.wantsRead, listener.bodies.has(2)]).toEqual([false, false]);
    connection.send({ type: 'abort', id: 1 });
    listener.listen();
    expect([connection.wantsRead, listener.bodies.get(2)]).toEqual([true, 'two']);
  });

  it('is taken to replyHighWater when it is alone again', () => {
    const connection = askedFor({ ids: [1, 2], set });
    const listener = new Listener(connection, () => false).receive(stdout(OK), piece(1), piece(1), piece(1));
    expect(connection.wantsRead).toBe(true);
    listener.receive(reply('two', 2));
    expect(connection.wantsRead).toBe(false);
    listener.receive(piece(1), end());
    expect(listener.bodies.get(1)).toHaveLength(1500);
    connection.receiveEnd();
    listener.listen();
    connection.pull(1);
    listener.listen();
    expect(listener.heard.at(-1)).toBe('1 end close');
    expect(listener.bodies.get(1)).toHaveLength(2000);
  });
});

/** An echo that answers each request when all of its body is there, some at once, some in two pieces. */
class Echo {
  readonly connection = new FastcgiServerConnection(limitsWith({ maxConcurrentPerConnection: 1024 }));
  readonly #bodies = new Map<number, Uint8Array[]>();

  listen(): void {
    for (let event = this.connection.next(); event !== undefined; event = this.connection.next()) {
      const { id } = event;
      if (event.type === 'request') {
        this.#bodies.set(id, []);
        if (event.ended) this.#answer(id);
      } else if (event.type === 'data') {
        this.#bodies.get(id)?.push(event.chunk);
        this.connection.pull(id);
      } else if (event.type === 'end') this.#answer(id);
      else throw new Error(event.type);
    }
  }

  #answer(id: number): void {
    const body = Buffer.concat(this.#bodies.get(id) as Uint8Array[]);
    const head = { id, status: 200, reason: 'OK', headers: ['X-Id', String(id)] };
    if (id % 2 === 0) this.connection.send({ type: 'whole', ...head, body });
    else {
      this.connection.send({ type: 'head', ...head });
      this.connection.send({ type: 'data', id, chunk: body.subarray(0, body.length >> 1) });
      if (id % 3 === 0) this.connection.send({ type: 'log', id, text: `log ${id}\n` });
      this.connection.send({ type: 'data', id, chunk: body.subarray(body.length >> 1) });
      this.connection.send({ type: 'end', id });
    }
  }
}

describe('our client and our server', () => {
  const cuts = (bytes: Buffer, next: () => number): Uint8Array[] =>
    bytes.length < 2
      ? [bytes]
      : cutAt(
          bytes,
          Array.from({ length: next() % 8 }, () => 1 + (next() % (bytes.length - 1))),
        );

  it.each([1, 2, 3, 4, 5])('serve 200 ids on one connection, interleaved and cut anywhere (seed %i)', (seed) => {
    const next = randomNumbers(seed);
    const client = new FastcgiClientConnection(limitsWith());
    const echo = new Echo();
    const listener = new Listener(client);
    const ids = Array.from({ length: 200 }, (_, i) => i + 1);
    const left = new Map<number, Buffer[]>();
    const expected = new Map<number, string>();
    for (const id of ids) {
      const body = Buffer.from(`${id} `.repeat(next() % (id % 10 === 0 ? 20_000 : 300)));
      const length = ['CONTENT_LENGTH', String(body.length)];
      client.send({
        type: 'request',
        id,
        variables: [...POST, ...(id % 7 === 0 ? [] : length), 'HTTP_TRANSFER_ENCODING', id % 7 === 0 ? 'chunked' : ''],
        keep: true,
      });
      left.set(id, cuts(body, next) as Buffer[]);
      if (body.length > 0) expected.set(id, body.toString());
    }
    for (let turns = 0; listener.heard.filter((one) => one.includes(' end ')).length < 200; turns++) {
      expect(turns).toBeLessThan(100_000);
      const waiting = [...left.keys()];
      if (waiting.length > 0) {
        const id = waiting[next() % waiting.length];
        const chunk = left.get(id)?.shift();
        if (chunk !== undefined) client.send({ type: 'data', id, chunk });
        else {
          client.send({ type: 'end', id });
          left.delete(id);
        }
      }
      for (const chunk of cuts(bytesOf(client.takeOutput(next() % 100_000)), next)) {
        echo.connection.receive(Buffer.from(chunk));
        echo.listen();
      }
      listener.receive(...cuts(bytesOf(echo.connection.takeOutput(next() % 100_000)), next));
    }
    expect(Object.fromEntries(listener.bodies)).toEqual(Object.fromEntries(expected));
    expect(listener.heard.filter((one) => one.endsWith('head 200'))).toHaveLength(200);
    expect(listener.heard.filter((one) => one.endsWith('log'))).not.toHaveLength(0);
    expect(listener.heard.filter((one) => one.endsWith('end reuse')).length).toBeGreaterThan(190);
  });
});

describe('STDERR', () => {
  const flood = stderr('x'.repeat(60_000));

  it('beside an answer that is not read is not read for ever either', () => {
    const connection = askedFor({ ids: [1], set: { maxStderrBytes: 10, replyHighWater: 65_536 } });
    const listener = new Listener(connection, () => false).receive(stdout(`${OK}a`));
    let floods = 0;
    for (; connection.wantsRead && floods < 100; floods++) listener.receive(flood);
    expect(floods).toBe(2);
    connection.pull(1);
    expect(connection.wantsRead).toBe(true);
    listener.receive(stdout('b'), end());
    expect(listener.bodies.get(1)).toBe('ab');
  });

  it('stops no answer that has a reader', () => {
    const connection = askedFor({ ids: [1], set: { maxStderrBytes: 10 } });
    const listener = new Listener(connection).receive(stdout(OK));
    for (let i = 0; i < 100; i++) {
      expect(connection.wantsRead).toBe(true);
      listener.receive(flood);
    }
    expect(listener.receive(stdout('b'), end()).bodies.get(1)).toBe('b');
  });
});

describe('a role that there is not', () => {
  it('is refused, and the next request goes out as if nothing had been', () => {
    const connection = new FastcgiClientConnection(limitsWith());
    const ask = (role: string): void =>
      connection.send({ type: 'request', id: 1, role: role as 'filter', variables: POST, keep: true });
    expect(() => ask('Filter')).toThrow(expect.objectContaining({ code: 'ERR_PROTOCOL_LACKS' }));
    expect(connection.takeOutput(1000)).toBeUndefined();
    ask('responder');
    expect(cut(bytesOf(connection.takeOutput(1000))).map(({ type }) => type)).toEqual([1, 4, 4]);
  });
});
