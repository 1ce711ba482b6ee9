import { describe, expect, it } from '@jest/globals';
import { type AnswerEvent, type AskEvent, type LimitName, limitsWith } from '@postern/core';
import { everyWay, type Heard, hear, outputText } from '@postern/testkit';
import fc from 'fast-check';
import { OneShotClientConnection, type OneShotRequests } from '../src/one-shot-client.ts';
import { requests } from './small-format.ts';

type Limits = Partial<Record<LimitName, number>>;

const REPLY = 'Status: 201 Created\r\nX-A: b\r\nX-A: c\r\n\r\nhello';
const data = (text: string): AskEvent => ({ type: 'data', id: 1, chunk: Buffer.from(text, 'latin1') });
const end: AskEvent = { type: 'end', id: 1 };
const abort: AskEvent = { type: 'abort', id: 1 };
const ping: AskEvent = { type: 'ping', id: 1 };

function request(...variables: string[]): AskEvent {
  return { type: 'request', id: 1, variables, keep: false };
}

function fresh(limits?: Limits, of: OneShotRequests = requests): OneShotClientConnection {
  return new OneShotClientConnection(of, limitsWith(limits));
}

/** Whose request is on its way. */
function asked(limits?: Limits): OneShotClientConnection {
  const connection = fresh(limits);
  connection.send(request('REQUEST_METHOD', 'GET'));
  connection.send(end);
  outputText(connection);
  return connection;
}

/** Whose reply is complete. */
function replied(): OneShotClientConnection {
  const connection = asked();
  hear(connection, [Buffer.from(REPLY)]);
  return connection;
}

/** In every way. */
function talk(
  text: string,
  { make = asked, fin = true }: { make?: () => OneShotClientConnection; fin?: boolean } = {},
): Heard {
  return everyWay(Buffer.from(text, 'latin1'), (chunks) => hear(make(), chunks, fin));
}

describe('a request', () => {
  it('is its head and as many body bytes as CONTENT_LENGTH says', () => {
    const connection = fresh();
    connection.send(request('CONTENT_LENGTH', '5', 'A', 'b'));
    for (const event of [data('he'), data(''), data('llo'), end]) connection.send(event);
    expect(connection.queued()).toBe('CONTENT_LENGTH 5 A b 5|hello'.length);
    expect(outputText(connection)).toBe('CONTENT_LENGTH 5 A b 5|hello');
    expect([connection.queued(), connection.wantsClose]).toEqual([0, false]);
  });

  it('goes out as far as the budget allows, the body by reference', () => {
    const connection = fresh();
    const body = Buffer.alloc(100_000, 'x');
    connection.send(request('CONTENT_LENGTH', '100000'));
    connection.send({ type: 'data', id: 1, chunk: body });
    const [first, second] = connection.takeOutput(50_000) as Uint8Array[];
    expect(first.length + second.length).toBe(50_000);
    expect(second.buffer).toBe(body.buffer);
    expect(outputText(connection, 999)).toBe('x'.repeat(100_000 - second.length));
    expect(connection.takeOutput(1)).toBeUndefined();
  });

  it.each([[[]], [['CONTENT_LENGTH', '']], [['CONTENT_LENGTH', '0']], [['HTTP_TRANSFER_ENCODING', '']]])(
    'with the variables %j has no body',
    (variables) => {
      const connection = fresh();
      connection.send(request(...variables));
      connection.send(end);
      expect(outputText(connection)).toBe(`${variables.join(' ')} 0|`);
      expect(() => connection.send(data('x'))).toThrow(expect.objectContaining({ code: 'ERR_BODY_LONG' }));
    },
  );

  it('goes by CONTENT_LENGTH where a transfer coding is told too, as nginx does', () => {
    const connection = fresh();
    connection.send(request('HTTP_TRANSFER_ENCODING', 'chunked', 'CONTENT_LENGTH', '1'));
    connection.send(data('x'));
    expect(outputText(connection)).toMatch(/ 1\|x$/);
  });

  it.each([
    ['a length that is no number', ['CONTENT_LENGTH', '1x']],
    ['a negative length', ['CONTENT_LENGTH', '-1']],
    ['a length beyond all numbers', ['CONTENT_LENGTH', '1'.repeat(16)]],
    ['two lengths', ['CONTENT_LENGTH', '1', 'A', 'b', 'CONTENT_LENGTH', '2']],
    ['a length and none', ['CONTENT_LENGTH', '', 'CONTENT_LENGTH', '2']],
    ['a body of unknown length', ['HTTP_TRANSFER_ENCODING', 'chunked']],
    ['an empty length and a transfer coding', ['CONTENT_LENGTH', '', 'HTTP_TRANSFER_ENCODING', 'chunked']],
  ])('with %s is refused, and the connection can take another', (_, variables) => {
    const connection = fresh();
    expect(() => connection.send(request(...variables))).toThrow(
      expect.objectContaining({ name: 'LocalProtocolError', code: 'ERR_ENV_LENGTH' }),
    );
    expect(outputText(connection)).toBe('');
    connection.send(request('A', 'b'));
    expect(outputText(connection)).toBe('A b 0|');
  });

  it('may name the same length twice', () => {
    const connection = fresh();
    connection.send(request('CONTENT_LENGTH', '5', 'CONTENT_LENGTH', '5'));
    expect(connection.takeOutput(999)).toEqual(Buffer.from('CONTENT_LENGTH 5 CONTENT_LENGTH 5 5|'));
  });

  it('takes no body byte beyond CONTENT_LENGTH', () => {
    const connection = fresh();
    connection.send(request('CONTENT_LENGTH', '5'));
    connection.send(data('hel'));
    expect(() => connection.send(data('lo!'))).toThrow(
      expect.objectContaining({ name: 'LocalProtocolError', code: 'ERR_BODY_LONG' }),
    );
    expect(outputText(connection)).toMatch(/\|hel$/);
  });

  it('takes no end before CONTENT_LENGTH is reached', () => {
    const connection = fresh();
    connection.send(request('CONTENT_LENGTH', '5'));
    connection.send(data('hell'));
    expect(() => connection.send(end)).toThrow(
      expect.objectContaining({ name: 'LocalProtocolError', code: 'ERR_BODY_CUT' }),
    );
  });

  it('takes nothing for another id', () => {
    const connection = fresh();
    connection.send(request('CONTENT_LENGTH', '5'));
    for (const event of [data('x'), end, abort]) connection.send({ ...event, id: 2 });
    expect([outputText(connection), connection.wantsClose]).toEqual(['CONTENT_LENGTH 5 5|', false]);
  });

  it.each<AskEvent>([
    { type: 'request', id: 1, role: 'authorizer', variables: ['A', 'b'], keep: false },
    { type: 'filter-data', id: 1, chunk: Buffer.from('x') },
    { type: 'filter-end', id: 1 },
    { type: 'values', id: 1 },
  ])('is not for a role: $type of one is refused', (event) => {
    const connection = fresh();
    expect(() => connection.send(event)).toThrow(expect.objectContaining({ code: 'ERR_PROTOCOL_LACKS' }));
    expect([outputText(connection), connection.ready]).toEqual(['', true]);
  });

  it('is the only one of its connection', () => {
    const connection = fresh();
    expect(connection.ready).toBe(true);
    connection.send(request('A', 'b'));
    expect(connection.ready).toBe(false);
    expect(replied().ready).toBe(false);
    const closed = fresh();
    closed.receiveEnd();
    expect(closed.ready).toBe(false);
  });

  it.each<[string, () => OneShotClientConnection]>([
    ['a request', asked],
    ['a whole reply', replied],
  ])('is refused behind %s, as a ping is', (_, make) => {
    const connection = make();
    for (const event of [request('A', 'b'), ping])
      expect(() => connection.send(event)).toThrow(
        expect.objectContaining({ name: 'LocalProtocolError', code: 'ERR_REQUEST_STATE' }),
      );
    expect(outputText(connection)).toBe('');
  });
});

describe('a request that is aborted', () => {
  it('sends nothing more, and nothing more is heard', () => {
    const connection = fresh();
    connection.send(request('CONTENT_LENGTH', '100'));
    connection.send(data('some'));
    connection.receive(Buffer.from(REPLY));
    expect(connection.next()?.type).toBe('head');
    connection.send(abort);
    for (const event of [data('x'.repeat(200)), end, abort]) connection.send(event);
    connection.receive(Buffer.from('more'));
    connection.receiveEnd();
    expect(connection.next()).toBeUndefined();
    expect([outputText(connection), connection.queued(), connection.wantsClose]).toEqual(['', 0, 'reset']);
  });

  it('behind its reply changes nothing', () => {
    const connection = replied();
    connection.send(abort);
    expect(connection.wantsClose).toBe('fin');
  });
});

describe('a reply', () => {
  const head = { id: 1, status: 201, reason: 'Created', headers: ['X-A', 'b', 'X-A', 'c'] };
  const over: AnswerEvent = { type: 'end', id: 1, reuse: false };

  it('is a head, a body and the end of the connection, however it comes', () => {
    expect(talk(REPLY)).toEqual({ head, body: 'hello', last: over, close: 'fin' });
    expect(talk(REPLY, { fin: false })).toEqual({ head, body: 'hello', close: false });
  });

  it('may have no body', () => {
    const connection = asked();
    connection.receive(Buffer.from('A: b\n\n'));
    expect([connection.next()?.type, connection.next()]).toEqual(['head', undefined]);
    expect(talk('Location: /x\n\n')).toMatchObject({ head: { status: 302, reason: 'Found' }, body: '', last: over });
  });

  it('of any body is heard whole', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (body) => {
        const text = Buffer.from(body).toString('latin1');
        expect(hear(asked(), [Buffer.from(`A: b\n\n${text}`, 'latin1')])).toMatchObject({ body: text, last: over });
      }),
    );
  });

  it('has a status line only in a protocol that says so', () => {
    const text = 'HTTP/1.1 201 Created\r\nX-A: b\r\nX-A: c\r\n\r\nhello';
    expect(talk(text)).toMatchObject({ error: 'ERR_REPLY 502', body: '', close: 'reset' });
    const make = (): OneShotClientConnection => {
      const connection = fresh({}, { ...requests, statusLine: true });
      connection.send(request());
      return connection;
    };
    for (const reply of [text, REPLY]) expect(talk(reply, { make })).toMatchObject({ head, body: 'hello', last: over });
  });

  it('that comes before the body was sent is heard, and the rest of the body is not sent behind its end', () => {
    const connection = fresh();
    connection.send(request('CONTENT_LENGTH', '100'));
    connection.send(data('some'));
    expect(hear(connection, [Buffer.from(REPLY)])).toMatchObject({ head, body: 'hello', last: over });
    for (const event of [data('x'.repeat(200)), end]) connection.send(event);
    expect([outputText(connection), connection.queued()]).toEqual(['', 0]);
  });

  it('that is not over lets the body go on', () => {
    const connection = fresh();
    connection.send(request('CONTENT_LENGTH', '3'));
    hear(connection, [Buffer.from(REPLY)], false);
    connection.send(data('abc'));
    expect(outputText(connection)).toMatch(/\|abc$/);
  });

  it('that breaks off within its head is the failure of a gateway, at each byte', () => {
    const length = REPLY.indexOf('hello');
    for (let at = 0; at < length; at++) {
      expect(talk(REPLY.slice(0, at))).toEqual({
        body: '',
        error: 'ERR_REPLY 502',
        close: 'reset',
      });
    }
  });

  it('ends wherever the connection does: only Content-Length could tell that some is missing', () => {
    expect(talk(REPLY.slice(0, -1))).toMatchObject({ body: 'hell', last: over });
  });

  it.each([
    ['a line without colon', 'garbage\r\n\r\n'],
    ['an empty line', '\r\n'],
    ['a transfer coding', 'Transfer-Encoding: chunked\r\n\r\n'],
    ['more bytes than the limit', `A: ${'x'.repeat(70_000)}`],
  ])('with %s in its head is refused, and no more is heard or sent', (_, text) => {
    const connection = fresh();
    connection.send(request('CONTENT_LENGTH', '100'));
    connection.send(data('some'));
    expect(hear(connection, [Buffer.from(text)])).toMatchObject({ error: 'ERR_REPLY 502', body: '', close: 'reset' });
    connection.receive(Buffer.from(REPLY));
    for (const event of [data('x'.repeat(200)), end]) connection.send(event);
    expect(connection.next()).toBeUndefined();
    expect([outputText(connection), connection.queued()]).toEqual(['', 0]);
  });

  it('to nothing that was asked is refused', () => {
    expect(talk(REPLY, { make: fresh })).toMatchObject({ error: 'ERR_REPLY 502', close: 'reset' });
  });

  it('is not waited for on a connection that asks nothing: its end is no error', () => {
    const connection = fresh();
    expect(hear(connection, [])).toEqual({ body: '', close: false });
    connection.send(request());
    expect(() => connection.next()).toThrow(/before the head/);
  });
});

describe('back-pressure of a reply', () => {
  const types = (connection: OneShotClientConnection): string[] => {
    const list: string[] = [];
    for (let event = connection.next(); event !== undefined; event = connection.next()) list.push(event.type);
    return list;
  };

  it('stops at replyHighWater until the body is pulled, and a FIN behind it is no error', () => {
    const connection = asked({ replyHighWater: 10 });
    connection.receive(Buffer.from('A: b\n\n12345'));
    connection.receive(Buffer.from('67890'));
    connection.receive(Buffer.from('more'));
    connection.receiveEnd();
    expect(types(connection)).toEqual(['head', 'data', 'data']);
    expect(connection.wantsRead).toBe(false);
    expect(types(connection)).toEqual([]);
    connection.pull();
    expect(connection.wantsRead).toBe(true);
    expect(types(connection)).toEqual(['data', 'end']);
  });

  it('lets the first piece of a body wait behind the head, one byte below the mark', () => {
    const connection = asked({ replyHighWater: 10 });
    connection.receive(Buffer.from('A: b\n\n123456789'));
    expect(types(connection)).toEqual(['head', 'data']);
    expect(connection.wantsRead).toBe(true);
    connection.receive(Buffer.from('0'));
    expect(types(connection)).toEqual(['data']);
    expect(connection.wantsRead).toBe(false);
  });
});
