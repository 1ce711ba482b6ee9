import { describe, expect, it } from '@jest/globals';
import { type AnswerEvent, LocalProtocolError, limitsWith } from '@postern/core';
import fc from 'fast-check';
import { FastcgiClientConnection } from '../src/client-connection.ts';
import { RecordType } from '../src/constants.ts';
import { readPairs } from '../src/params.ts';
import { FastcgiServerConnection } from '../src/server-connection.ts';
import {
  asked,
  askedFor,
  bytesOf,
  collect,
  cut,
  end,
  type Heard,
  hear,
  Listener,
  OK,
  refusal,
  reply,
  stderr,
  stdout,
} from './client-harness.ts';

const limits = limitsWith();

describe('a request on the wire', () => {
  it('is BEGIN, PARAMS, the empty PARAMS, STDIN and the empty STDIN, and each record is padded to eight bytes', () => {
    const connection = new FastcgiClientConnection(limits);
    connection.send({ type: 'request', id: 7, variables: ['REQUEST_METHOD', 'POST', 'HTTP_X', '\xe9'], keep: true });
    connection.send({ type: 'data', id: 7, chunk: Buffer.from('hello') });
    connection.send({ type: 'end', id: 7 });
    const bytes = bytesOf(connection.takeOutput(1_000_000));
    const records = cut(bytes);
    expect(bytes.length % 8).toBe(0);
    expect(records.map(({ type, id, content }) => [type, id, content.length > 0])).toEqual([
      [RecordType.BEGIN_REQUEST, 7, true],
      [RecordType.PARAMS, 7, true],
      [RecordType.PARAMS, 7, false],
      [RecordType.STDIN, 7, true],
      [RecordType.STDIN, 7, false],
    ]);
    expect([...records[0].content]).toEqual([0, 1, 1, 0, 0, 0, 0, 0]);
    const pairs: string[] = [];
    readPairs(records[1].content, (name, value) => pairs.push(name, value));
    expect(pairs).toEqual(['REQUEST_METHOD', 'POST', 'HTTP_X', '\xe9']);
    expect(records[3].content.toString()).toBe('hello');
    expect(connection.takeOutput(1_000_000)).toBeUndefined();
  });

  it('has no pair that straddles two PARAMS records', () => {
    const variables: string[] = [];
    for (let i = 0; i < 40; i++) variables.push(`HTTP_X_${i}`, 'v'.repeat(i * 157));
    const connection = new FastcgiClientConnection(limits);
    connection.send({ type: 'request', id: 1, variables, keep: false });
    const params = cut(bytesOf(connection.takeOutput(0))).filter(({ type }) => type === RecordType.PARAMS);
    const pairs: string[] = [];
    for (const { content } of params) readPairs(content, (name, value) => pairs.push(name, value));
    expect(params.length).toBeGreaterThan(2);
    expect(pairs).toEqual(variables);
  });

  it('is understood by our own server, whatever its variables and its body', () => {
    const name = fc.stringMatching(/^[A-Z][A-Z_]{0,200}$/).map((text) => `X_${text}`);
    const value = fc.stringMatching(/^[ -~\u0080-\u00ff]{0,400}$/);
    fc.assert(
      fc.property(fc.dictionary(name, value, { maxKeys: 20 }), fc.uint8Array({ maxLength: 3000 }), (more, body) => {
        const client = new FastcgiClientConnection(limits);
        const server = new FastcgiServerConnection(limits);
        const variables = [
          'REQUEST_METHOD',
          'POST',
          'CONTENT_LENGTH',
          String(body.length),
          ...Object.entries(more).flat(),
        ];
        client.send({ type: 'request', id: 1, variables, keep: false });
        client.send({ type: 'data', id: 1, chunk: body });
        client.send({ type: 'end', id: 1 });
        server.receive(bytesOf(client.takeOutput(1_000_000)));
        const event = server.next();
        if (event?.type !== 'request') throw new Error(`${event?.type} instead of a request`);
        expect(event.head.variables()).toEqual(variables);
        const received: Uint8Array[] = [];
        for (let more = server.next(); more !== undefined; more = server.next()) {
          if (more.type === 'data') received.push(more.chunk);
        }
        expect(Buffer.concat(received).equals(body)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('sends a long body in records of at most 65,528 bytes, as much as the budget asks for', () => {
    const connection = new FastcgiClientConnection(limits);
    connection.send({ type: 'request', id: 1, variables: ['REQUEST_METHOD', 'POST'], keep: false });
    connection.takeOutput(0);
    const body = Buffer.alloc(200_001, 'abcdefg');
    connection.send({ type: 'data', id: 1, chunk: body.subarray(0, 70_000) });
    connection.send({ type: 'data', id: 1, chunk: body.subarray(70_000) });
    connection.send({ type: 'end', id: 1 });
    expect(connection.queued(1)).toBe(200_001);
    const first = cut(bytesOf(connection.takeOutput(65_528)));
    expect(first.map(({ content }) => content.length)).toEqual([65_528]);
    expect(connection.queued(1)).toBe(200_001 - 65_528);
    const rest = cut(bytesOf(connection.takeOutput(1_000_000)));
    expect(rest.map(({ content }) => content.length)).toEqual([65_528, 65_528, 3417, 0]);
    expect(Buffer.concat([...first, ...rest].map(({ content }) => content)).equals(body)).toBe(true);
  });

  it('has no empty pieces, whether a record needs padding or not', () => {
    for (const length of [5, 8]) {
      const connection = new FastcgiClientConnection(limits);
      connection.send({ type: 'request', id: 1, variables: ['REQUEST_METHOD', 'POST'], keep: true });
      connection.send({ type: 'data', id: 1, chunk: Buffer.alloc(length) });
      connection.send({ type: 'end', id: 1 });
      const pieces = connection.takeOutput(1_000_000) as Uint8Array[];
      expect(pieces.filter((piece) => piece.length === 0)).toEqual([]);
    }
  });

  it.each([
    ['a name with =', ['A=B', 'x']],
    ['an empty name', ['', 'x']],
    ['NUL in a value', ['A', 'x\0']],
    ['a value that is no bytes', ['A', '\u0100']],
    ['a value that does not fit into a record', ['A', 'x'.repeat(65_530)]],
  ])('with %s is refused, and nothing is written', (_, variables) => {
    const connection = new FastcgiClientConnection(limits);
    expect(() => connection.send({ type: 'request', id: 1, variables, keep: false })).toThrow(LocalProtocolError);
    expect(connection.takeOutput(1_000_000)).toBeUndefined();
  });

  it.each([
    ['an id that is in use', true, { id: 1, keep: true }],
    ['an id of 0', true, { id: 0, keep: true }],
    ['an id above 65535', true, { id: 65_536, keep: true }],
    ['an end of the connection behind it while others run', true, { id: 2, keep: false }],
    ['a connection that ends behind another one', false, { id: 2, keep: true }],
  ])('with %s is refused, and nothing is written', (_, keep, more) => {
    const connection = asked({ keep });
    expect(() => connection.send({ type: 'request', variables: [], ...more })).toThrow(
      expect.objectContaining({ name: 'LocalProtocolError', code: 'ERR_REQUEST_STATE' }),
    );
    expect(connection.takeOutput(1_000_000)).toBeUndefined();
    expect(hear(reply('x'), undefined, connection)).toMatchObject({ body: 'x', end: { reuse: keep } });
  });

  it('may have the id 65535', () => {
    const connection = askedFor({ ids: [65_535] });
    expect(new Listener(connection).receive(reply('x', 65_535)).bodies.get(65_535)).toBe('x');
  });

  it('that is aborted sends ABORT_REQUEST and nothing more of its body', () => {
    const connection = new FastcgiClientConnection(limits);
    connection.send({ type: 'request', id: 1, variables: [], keep: true });
    connection.takeOutput(0);
    connection.send({ type: 'data', id: 1, chunk: Buffer.alloc(100_000) });
    connection.send({ type: 'abort', id: 1 });
    connection.send({ type: 'data', id: 1, chunk: Buffer.alloc(100) });
    connection.send({ type: 'end', id: 1 });
    expect(cut(bytesOf(connection.takeOutput(1_000_000)))).toMatchObject([{ type: RecordType.ABORT_REQUEST, id: 1 }]);
    // what was on its way already is not heard; the id is free, and the connection as good as before
    const late = Buffer.concat([stdout(`${OK}late`), stderr('late'), stdout(), end()]);
    expect(hear(late, 1, connection)).toEqual({ body: '', log: '', end: { reuse: true } });
    expect(connection.ready).toBe(true);
  });
});

describe('a reply', () => {
  const whole = Buffer.concat([
    stderr('warning one\n', { padding: 4 }),
    stdout('Status: 201 Created\r\nX: 1\r\n'),
    stdout('\r\nhel', { padding: 255 }),
    stderr('two'),
    stdout('lo', { padding: 1 }),
    stdout(),
    stderr(),
    end(),
  ]);
  const expected: Heard = {
    head: { status: 201, reason: 'Created', headers: ['X', '1'] },
    body: 'hello',
    log: 'warning one\ntwo',
    end: { reuse: false },
  };

  it.each([whole.length, 1, 2, 7, 9, 64])('is the same in pieces of %i bytes', (size) => {
    expect(hear(whole, size)).toEqual(expected);
  });

  it('ends the request: what comes behind it is not heard of it', () => {
    const connection = asked({ keep: true });
    connection.receive(Buffer.concat([whole, stdout('more')]));
    const heard: Heard = { body: '', log: '' };
    while (heard.end === undefined) collect(heard, connection.next() as AnswerEvent);
    expect(heard).toEqual(expected);
    expect(connection.next()).toBeUndefined();
    // what is late could be taken for the reply to the next request of this id
    expect(connection.ready).toBe(false);
    expect(connection.wantsClose).toBe('fin');
  });

  it('in memory of our own server is read back', () => {
    const server = new FastcgiServerConnection(limits);
    const client = new FastcgiClientConnection(limits);
    client.send({ type: 'request', id: 1, variables: ['REQUEST_METHOD', 'GET'], keep: true });
    client.send({ type: 'end', id: 1 });
    server.receive(bytesOf(client.takeOutput(1_000_000)));
    expect(server.next()?.type).toBe('request');
    server.send({ type: 'log', id: 1, text: 'a line\n' });
    server.send({ type: 'whole', id: 1, status: 404, reason: 'Not Found', headers: ['A', 'b'], body: 'näh' });
    expect(hear(bytesOf(server.takeOutput(1_000_000)), 3, client)).toEqual({
      head: { status: 404, reason: 'Not Found', headers: ['A', 'b'] },
      body: 'n\xc3\xa4h',
      log: 'a line\n',
      end: { reuse: true },
    });
  });

  it('leaves the connection for reuse only when it was to be kept, the body was sent and nothing follows', () => {
    const reply = Buffer.concat([stdout(`${OK}x`), stdout(), end()]);
    const reuse = (connection: FastcgiClientConnection, bytes = reply): boolean | undefined =>
      hear(bytes, undefined, connection).end?.reuse;
    expect(reuse(asked({ keep: true }))).toBe(true);
    const last = asked({ keep: false });
    expect(last.wantsClose).toBe(false);
    expect(reuse(last)).toBe(false);
    expect(last.wantsClose).toBe('fin');
    for (const variables of [
      ['CONTENT_LENGTH', '5'],
      ['HTTP_TRANSFER_ENCODING', 'chunked'],
    ]) {
      const uploading = new FastcgiClientConnection(limits);
      uploading.send({ type: 'request', id: 1, variables, keep: true });
      expect(reuse(uploading)).toBe(false);
      expect(uploading.wantsClose).toBe('fin');
    }
    const followed = asked({ keep: true });
    followed.receive(Buffer.concat([reply, Buffer.from([1])]));
    const events: AnswerEvent[] = [];
    while (events.at(-1)?.type !== 'end') events.push(followed.next() as AnswerEvent);
    expect(events.at(-1)).toMatchObject({ type: 'end', reuse: false });
  });

  it('that comes before the end of a body whose length is known is as good as one behind it', () => {
    const connection = new FastcgiClientConnection(limits);
    connection.send({ type: 'request', id: 1, variables: ['CONTENT_LENGTH', '5'], keep: true });
    connection.send({ type: 'data', id: 1, chunk: Buffer.from('hello') });
    connection.takeOutput(1000);
    expect(hear(reply('x'), undefined, connection).end).toEqual({ reuse: true });
    connection.send({ type: 'end', id: 1 });
    expect(cut(bytesOf(connection.takeOutput(1000)))).toMatchObject([
      { type: RecordType.STDIN, content: Buffer.alloc(0) },
    ]);
  });

  it('that comes before the body was sent stops the body', () => {
    const connection = new FastcgiClientConnection(limits);
    connection.send({ type: 'request', id: 1, variables: [], keep: false });
    connection.takeOutput(0);
    connection.send({ type: 'data', id: 1, chunk: Buffer.alloc(1000) });
    expect(hear(Buffer.concat([stdout('Status: 413\n\n'), end()]), undefined, connection).head?.status).toBe(413);
    expect(connection.queued(1)).toBe(0);
    expect(connection.takeOutput(1_000_000)).toBeUndefined();
  });

  it('is followed by a second request on a kept connection', () => {
    const connection = asked({ keep: true });
    const reply = Buffer.concat([stdout(`${OK}one`), stdout(), end()]);
    expect(hear(reply, undefined, connection)).toMatchObject({ body: 'one', end: { reuse: true } });
    connection.send({ type: 'request', id: 1, variables: ['REQUEST_METHOD', 'GET'], keep: true });
    connection.send({ type: 'end', id: 1 });
    expect(cut(bytesOf(connection.takeOutput(1_000_000))).map(({ type }) => type)).toEqual([1, 4, 4, 5]);
    expect(hear(reply, 5, connection)).toMatchObject({ body: 'one', end: { reuse: true } });
  });
});

describe('back-pressure of a reply', () => {
  it('stops at replyHighWater until the body is pulled, and a FIN behind it is no error', () => {
    const connection = asked({ set: { replyHighWater: 1000 } });
    const piece = 'x'.repeat(600);
    connection.receive(Buffer.concat([stdout(OK + piece), stdout(piece), stdout(piece), stdout(), end()]));
    connection.receiveEnd();
    const types = (): string[] => {
      const list: string[] = [];
      for (let event = connection.next(); event !== undefined; event = connection.next()) list.push(event.type);
      return list;
    };
    expect(types()).toEqual(['head', 'data', 'data']);
    expect(connection.wantsRead).toBe(false);
    expect(types()).toEqual([]);
    connection.pull(1);
    expect(types()).toEqual(['data', 'end']);
    expect(types()).toEqual([]);
  });
});

describe('STDERR', () => {
  it('is kept up to maxStderrBytes, the rest is counted', () => {
    const heard = hear(
      Buffer.concat([
        stderr('a'.repeat(60)),
        stderr('b'.repeat(60)),
        stderr('c'.repeat(60)),
        stdout(OK),
        stdout(),
        end(),
      ]),
      undefined,
      asked({ set: { maxStderrBytes: 100 } }),
    );
    expect(heard.log).toBe(`${'a'.repeat(60)}${'b'.repeat(40)} [80 bytes dropped]\n`);
  });

  it('of exactly maxStderrBytes is whole', () => {
    const heard = hear(Buffer.concat([stderr('abcd'), stdout(OK), end()]), 1, asked({ set: { maxStderrBytes: 4 } }));
    expect(heard.log).toBe('abcd');
  });

  it('is heard where there is some, and nothing else of it', () => {
    const bytes = Buffer.concat([stderr(), stderr('abcd'), stderr(), stderr('e'), reply('x')]);
    const listener = new Listener(asked({ keep: true, set: { maxStderrBytes: 4 } })).receive(bytes);
    // the last of them tells what was dropped
    expect(listener.heard).toEqual(['1 log', '1 head 200', '1 log', '1 end reuse']);
  });

  it('may end at most maxJunkRecords times', () => {
    const many = (count: number): Buffer => Buffer.concat([...new Array(count).fill(stderr()), stdout(OK), end()]);
    expect(hear(many(limits.maxJunkRecords)).head?.status).toBe(200);
    expect(refusal(many(limits.maxJunkRecords + 1)).message).toMatch(/empty STDERR/);
  });
});
