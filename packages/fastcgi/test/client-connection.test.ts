import { describe, expect, it } from '@jest/globals';
import { type AnswerEvent, LocalProtocolError, limitsWith, type Output, RemoteProtocolError } from '@postern/core';
import fc from 'fast-check';
import { FastcgiClientConnection } from '../src/client-connection.ts';
import { RecordType } from '../src/constants.ts';
import { endRequest, recordHeader } from '../src/layouts.ts';
import { readPairs } from '../src/params.ts';
import { FastcgiServerConnection } from '../src/server-connection.ts';

const limits = limitsWith();
const OK = 'Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n';

function record(type: number, content: string | Buffer = '', { id = 1, padding = 0 } = {}): Buffer {
  const bytes = Buffer.from(content as string, 'latin1');
  const header = recordHeader.write({
    version: 1,
    type,
    requestId: id,
    contentLength: bytes.length,
    paddingLength: padding,
  });
  return Buffer.concat([header, bytes, Buffer.alloc(padding, 0xee)]);
}

const stdout = (content = '', set = {}): Buffer => record(RecordType.STDOUT, content, set);
const stderr = (content = '', set = {}): Buffer => record(RecordType.STDERR, content, set);
const end = (protocolStatus = 0): Buffer => record(RecordType.END_REQUEST, endRequest.write({ protocolStatus }));

function bytesOf(output: Output | undefined): Buffer {
  if (output === undefined) return Buffer.alloc(0);
  if (typeof output === 'string') return Buffer.from(output, 'latin1');
  return Array.isArray(output) ? Buffer.concat(output) : Buffer.from(output);
}

interface Cut {
  type: number;
  id: number;
  content: Buffer;
  padding: number;
}

/** Cuts output into records by the layout, which is the oracle. */
function cut(bytes: Buffer): Cut[] {
  const records: Cut[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { version, type, requestId: id, contentLength, paddingLength: padding } = recordHeader.parse(bytes, at);
    expect(version).toBe(1);
    at += recordHeader.size;
    records.push({ type, id, content: bytes.subarray(at, at + contentLength), padding });
    at += contentLength + padding;
    expect(at).toBeLessThanOrEqual(bytes.length);
  }
  return records;
}

function asked({ keep = false, body = '', set = {} } = {}): FastcgiClientConnection {
  const connection = new FastcgiClientConnection(limitsWith(set));
  connection.send({ type: 'request', id: 1, variables: ['REQUEST_METHOD', 'GET'], keep });
  if (body !== '') connection.send({ type: 'data', id: 1, chunk: Buffer.from(body) });
  connection.send({ type: 'end', id: 1 });
  connection.takeOutput(1_000_000);
  return connection;
}

interface Heard {
  head?: { status: number; reason: string; headers: string[] };
  body: string;
  log: string;
  end?: { reuse: boolean };
}

function collect(heard: Heard, event: AnswerEvent): void {
  switch (event.type) {
    case 'head':
      expect(heard.head).toBeUndefined();
      heard.head = { status: event.status, reason: event.reason, headers: event.headers };
      break;
    case 'data':
      expect(heard.head).toBeDefined();
      heard.body += Buffer.from(event.chunk).toString('latin1');
      break;
    case 'log':
      heard.log += Buffer.from(event.chunk).toString('latin1');
      break;
    case 'end':
      expect(heard.end).toBeUndefined();
      heard.end = { reuse: event.reuse };
  }
}

/** Everything that is heard of these bytes when they come in pieces of one size. */
function hear(bytes: Buffer, size = bytes.length, connection = asked()): Heard {
  const heard: Heard = { body: '', log: '' };
  for (let at = 0; at < bytes.length; at += size) {
    connection.receive(bytes.subarray(at, at + size));
    for (let event = connection.next(); event !== undefined; event = connection.next()) {
      collect(heard, event);
      connection.pull(1);
    }
  }
  return heard;
}

function refusal(bytes: Buffer, size = bytes.length, connection = asked()): RemoteProtocolError {
  try {
    hear(bytes, size, connection);
  } catch (error) {
    expect(error).toBeInstanceOf(RemoteProtocolError);
    expect(connection.wantsClose).toBe('reset');
    expect(connection.next()).toBeUndefined();
    return error as RemoteProtocolError;
  }
  throw new Error('the bytes were not refused');
}

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
    expect(connection.queued()).toBe(200_001);
    const first = cut(bytesOf(connection.takeOutput(65_528)));
    expect(first.map(({ content }) => content.length)).toEqual([65_528]);
    expect(connection.queued()).toBe(200_001 - 65_528);
    const rest = cut(bytesOf(connection.takeOutput(1_000_000)));
    expect(rest.map(({ content }) => content.length)).toEqual([65_528, 65_528, 3417, 0]);
    expect(Buffer.concat([...first, ...rest].map(({ content }) => content)).equals(body)).toBe(true);
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

  it('is refused while another one runs', () => {
    const connection = asked();
    expect(() => connection.send({ type: 'request', id: 2, variables: [], keep: false })).toThrow(
      expect.objectContaining({ code: 'ERR_REQUEST_STATE' }),
    );
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
    expect(hear(Buffer.concat([stdout(OK), end()]), undefined, connection).end).toEqual({ reuse: false });
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
    expect(() => connection.next()).toThrow(/nothing was asked/);
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
    expect(reuse(asked({ keep: false }))).toBe(false);
    const uploading = new FastcgiClientConnection(limits);
    uploading.send({ type: 'request', id: 1, variables: [], keep: true });
    expect(reuse(uploading)).toBe(false);
    const followed = asked({ keep: true });
    followed.receive(Buffer.concat([reply, Buffer.from([1])]));
    const events: AnswerEvent[] = [];
    while (events.at(-1)?.type !== 'end') events.push(followed.next() as AnswerEvent);
    expect(events.at(-1)).toMatchObject({ type: 'end', reuse: false });
  });

  it('that comes before the body was sent stops the body', () => {
    const connection = new FastcgiClientConnection(limits);
    connection.send({ type: 'request', id: 1, variables: [], keep: false });
    connection.takeOutput(0);
    connection.send({ type: 'data', id: 1, chunk: Buffer.alloc(1000) });
    expect(hear(Buffer.concat([stdout('Status: 413\n\n'), end()]), undefined, connection).head?.status).toBe(413);
    expect(connection.queued()).toBe(0);
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
    connection.pull();
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

  it('may end at most maxJunkRecords times', () => {
    const many = (count: number): Buffer => Buffer.concat([...new Array(count).fill(stderr()), stdout(OK), end()]);
    expect(hear(many(limits.maxJunkRecords)).head?.status).toBe(200);
    expect(refusal(many(limits.maxJunkRecords + 1)).message).toMatch(/empty STDERR/);
  });
});

describe('bytes that are no reply', () => {
  const good = Buffer.concat([stdout(`${OK}x`), stdout(), end()]);

  it.each<[string, Buffer, string]>([
    ['a record of another id', stdout('x', { id: 2 }), 'ERR_REPLY'],
    ['a record of id 0', record(11, '\0'.repeat(8), { id: 0 }), 'ERR_REPLY'],
    ['the end before any STDOUT', end(), 'ERR_REPLY'],
    ['the end before the head is whole', Buffer.concat([stdout('Status: 200\r\n'), stdout(), end()]), 'ERR_REPLY'],
    ['an END_REQUEST of 7 bytes', record(RecordType.END_REQUEST, '\0'.repeat(7)), 'ERR_REPLY'],
    ['an END_REQUEST of 9 bytes', record(RecordType.END_REQUEST, '\0'.repeat(9)), 'ERR_REPLY'],
    ['STDOUT behind its end', Buffer.concat([stdout(OK), stdout(), stdout('x')]), 'ERR_REPLY'],
    ['a second end of STDOUT', Buffer.concat([stdout(OK), stdout(), stdout()]), 'ERR_REPLY'],
    ['a malformed head', stdout('garbage\n\n'), 'ERR_REPLY'],
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

  it.each([
    [1, 502],
    [2, 503],
    [3, 500],
    [9, 502],
  ])('END_REQUEST with protocolStatus %i is status %i', (protocolStatus, status) => {
    expect(refusal(end(protocolStatus))).toMatchObject({ code: 'ERR_REPLY', statusHint: status });
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

  it('of any kind give events or a RemoteProtocolError, nothing else', () => {
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
