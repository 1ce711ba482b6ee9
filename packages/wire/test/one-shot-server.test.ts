import { describe, expect, it } from '@jest/globals';
import type { ReplyEvent, RequestEvent } from '@postern/core';
import { type Conversation, converse, cutAt, everyWay, outputText, type Play } from '@postern/testkit';
import fc from 'fast-check';
import { ONE_SHOT_ID, type OneShotServerConnection } from '../src/one-shot-server.ts';
import { ask, type Setting, server } from './small-format.ts';

const OK = '200 OK Content-Type=text/plain|hi';

/** In every way, by an application that reads at once and by one that reads late. What lies behind may not matter. */
function talk(text: string, play: Play = {}, set?: Setting): Conversation {
  const bytes = Buffer.from(text, 'latin1');
  const trailing = play.fin ? undefined : Buffer.from(ask('GET'));
  const atOnce = everyWay(bytes, (chunks) => converse(server(set), chunks, play), { trailing });
  const late = everyWay(bytes, (chunks) => converse(server(set), chunks, { ...play, late: true }), { trailing });
  expect(late).toEqual(atOnce);
  return atOnce;
}

function events(connection: OneShotServerConnection): RequestEvent[] {
  const all: RequestEvent[] = [];
  for (let event = connection.next(); event !== undefined; event = connection.next()) all.push(event);
  return all;
}

function bytesOf(list: RequestEvent[]): number {
  return list.reduce((sum, event) => sum + (event.type === 'data' ? event.chunk.length : 0), 0);
}

function given(text: string, set?: Setting): { connection: OneShotServerConnection; heard: RequestEvent[] } {
  const connection = server(set);
  connection.receive(Buffer.from(text, 'latin1'));
  return { connection, heard: events(connection) };
}

const head: ReplyEvent = { type: 'head', id: 1, status: 200, reason: 'OK', headers: [] };
const whole = (body: string | null): ReplyEvent => ({ ...head, type: 'whole', body });
const data = (chunk: string): ReplyEvent => ({ type: 'data', id: 1, chunk });
const end: ReplyEvent = { type: 'end', id: 1 };

describe('a request', () => {
  it.each([
    [ask('GET'), 'GET', ''],
    [ask('GET', ''), 'GET', ''],
    [ask('POST', 'x'), 'POST', 'x'],
    [ask('POST', 'abcdefgh'), 'POST', 'abcdefgh'],
  ])('%j is read the same however it comes, and nothing behind it', (text, method, body) => {
    const { asked, errors, output, close } = talk(text);
    expect(asked).toMatchObject([{ id: ONE_SHOT_ID, role: 'responder', head: { method }, body, ended: 'end' }]);
    expect({ errors, output, close }).toEqual({ errors: [], output: OK, close: 'fin' });
  });

  it('without a body is told to be complete at once', () => {
    expect(given(ask('GET', '')).heard).toMatchObject([{ type: 'request', ended: true }]);
    expect(given(ask('POST', 'a')).heard.map(({ type }) => type)).toEqual(['request', 'data', 'end']);
  });

  it('of any body is whole wherever it is cut, when each chunk is used again, and little of it is read ahead', () => {
    const body = fc.uint8Array({ maxLength: 3000 });
    fc.assert(
      fc.property(
        body,
        fc.array(fc.nat(3000)),
        fc.boolean(),
        fc.integer({ min: 1, max: 500 }),
        (sent, cuts, late, bodyHighWater) => {
          const text = Buffer.from(sent).toString('latin1');
          const chunks = cutAt(Buffer.from(ask('PUT', text), 'latin1'), cuts);
          const { asked, output } = converse(server({ limits: { bodyHighWater } }), chunks, { late });
          expect(asked).toMatchObject([{ body: text, ended: 'end' }]);
          expect(output).toBe(OK);
        },
      ),
    );
  });

  it('is answered while its body comes, which is then thrown away', () => {
    const { asked, output, close } = talk(ask('POST', 'abc'), { answer: 'head' });
    expect(asked).toMatchObject([{ body: '', ended: undefined }]);
    expect({ output, close }).toEqual({ output: OK, close: 'fin' });
  });
});

describe('bytes that are no request', () => {
  it.each(['x', 'G', '\0', '\xff'])('%j break the connection, without a byte', (text) => {
    expect(talk(text)).toEqual({ asked: [], errors: ['ERR_SCGI_NETSTRING'], output: '', close: 'reset' });
  });

  it.each([
    ['a length that cannot be', '<x', 'ERR_ENV_BYTES 431 1', '431 Request Header Fields Too Large |'],
    ['a block that cannot be', '<0', 'ERR_ENV_METHOD 400 1', '400 Bad Request |'],
    ['CONTENT_LENGTH that cannot be', '<7GET 1e3', 'ERR_ENV_LENGTH 400 1', '400 Bad Request |'],
  ])('%s is refused with a reply', (_, text, error, output) => {
    expect(talk(text)).toEqual({ asked: [], errors: [error], output, close: 'fin' });
    // the reply is still given when the peer closes at once
    expect(talk(text, { fin: true })).toEqual({ asked: [], errors: [error], output, close: 'fin' });
  });

  it('that were refused are told of once', () => {
    const connection = server();
    connection.receive(Buffer.from('<0'));
    expect(() => connection.next()).toThrow(expect.objectContaining({ scope: 'request', id: 1 }));
    connection.receive(Buffer.from(ask('GET')));
    expect(events(connection)).toEqual([]);
    expect(connection.idle).toBe(false);
  });

  it('end within the head: the connection breaks, without a byte', () => {
    const text = ask('GET');
    for (let length = 1; length < text.length; length++)
      expect(talk(text.slice(0, length), { fin: true })).toEqual({
        asked: [],
        errors: ['ERR_SCGI_NETSTRING'],
        output: '',
        close: 'reset',
      });
  });
});

describe('what is no request but has an answer', () => {
  it('is answered, and the connection ends', () => {
    const alive = { asked: [], errors: [], output: 'alive', close: 'fin' };
    expect(talk('<1?')).toEqual(alive);
    expect(talk('<1?', { fin: true })).toEqual(alive);
    expect(given('<1?').connection.idle).toBe(true);
  });
});

describe('a body', () => {
  const set = { limits: { bodyHighWater: 4000 } };

  it('is handed out up to bodyHighWater, then the connection wants no reading until pull', () => {
    const { connection, heard } = given(ask('POST', 'x'.repeat(9999)), set);
    const steps = [heard];
    while (!connection.wantsRead) {
      expect(events(connection)).toEqual([]);
      connection.pull(1);
      steps.push(events(connection));
    }
    expect(steps.map(bytesOf)).toEqual([4000, 4000, 1999]);
    expect(steps[2].at(-1)).toMatchObject({ type: 'end', id: 1 });
  });

  it('is not pulled for another id', () => {
    const { connection } = given(ask('POST', 'x'.repeat(9999)), set);
    connection.pull(2);
    expect(connection.wantsRead).toBe(false);
    expect(connection.next()).toBeUndefined();
  });

  it('of exactly bodyHighWater bytes ends without pull', () => {
    const { connection, heard } = given(ask('POST', 'x'.repeat(4000)), set);
    expect(heard.at(-1)?.type).toBe('end');
    expect(connection.wantsRead).toBe(true);
  });

  it('is no longer handed out once the request is answered', () => {
    const { connection } = given(ask('POST', 'x'.repeat(9999)), set);
    connection.send(whole('no'));
    expect(connection.wantsRead).toBe(true);
    connection.pull(1);
    expect(events(connection)).toEqual([]);
    expect(outputText(connection)).toBe('200 OK |no');
  });

  it('goes on to come while its request is answered', () => {
    const { connection } = given('<6POST 2a');
    connection.send(head);
    connection.receive(Buffer.from('b'));
    expect(events(connection)).toMatchObject([{ type: 'data', chunk: Buffer.from('b') }, { type: 'end' }]);
  });
});

describe('the FIN of the peer', () => {
  const serves = { peer: { halfCloseServes: true } };

  it.each([
    ['a complete request', ask('GET')],
    ['a request whose body is not read', ask('POST', 'abc')],
    ['a part of a body', ask('POST', 'abc').slice(0, -1)],
  ])('behind %s gives the request up: what is sent afterwards goes nowhere', (_, text) => {
    const { connection } = given(text);
    connection.send(head);
    connection.send(data('some'));
    connection.receiveEnd();
    expect(events(connection)).toMatchObject([{ type: 'abort', id: 1, error: { code: 'ERR_ABORTED' } }]);
    connection.send(data('more'));
    connection.send(end);
    expect(outputText(connection)).toBe('');
    expect(connection.wantsClose).toBe('fin');
    expect(connection.idle).toBe(true);
  });

  it('behind a complete request leaves it to be answered, where peers half-close', () => {
    for (const text of [ask('GET'), ask('POST', 'abc')])
      expect(talk(text, { fin: true }, serves)).toMatchObject({ asked: [{ ended: 'end' }], output: OK, close: 'fin' });
  });

  it('does not lose a body that waits for pull, where peers half-close', () => {
    const { connection } = given(ask('POST', 'x'.repeat(5000)), { ...serves, limits: { bodyHighWater: 4000 } });
    connection.receiveEnd();
    expect(events(connection)).toEqual([]);
    connection.pull(1);
    const rest = events(connection);
    expect([bytesOf(rest), rest.at(-1)?.type]).toEqual([1000, 'end']);
  });

  it('within a body gives the request up, where peers half-close too', () => {
    const { asked, output } = talk(ask('POST', 'abc').slice(0, -1), { fin: true }, serves);
    expect(asked).toMatchObject([{ body: 'ab', ended: 'ERR_ABORTED' }]);
    expect(output).toBe('');
  });

  it('before any byte ends the connection', () => {
    expect(talk('', { fin: true })).toEqual({ asked: [], errors: [], output: '', close: 'fin' });
  });

  it('behind the reply changes nothing', () => {
    const { connection } = given(ask('GET'));
    connection.send(whole('hi'));
    connection.receiveEnd();
    expect(events(connection)).toEqual([]);
    expect(outputText(connection)).toBe('200 OK |hi');
  });
});

describe('a reply', () => {
  it('that is whole is one piece and ends the connection', () => {
    const { connection } = given(ask('GET'));
    connection.send(whole('hi'));
    expect(connection.queued(1)).toBe('200 OK |hi'.length);
    expect(connection.queued(2)).toBe(0);
    expect(connection.takeOutput(1)).toBe('200 OK |hi');
    expect(connection.takeOutput(1)).toBeUndefined();
    expect([connection.wantsClose, connection.idle]).toEqual(['fin', true]);
  });

  it('that is streamed keeps the connection until its end', () => {
    const { connection } = given(ask('GET'));
    for (const event of [head, data('a')]) connection.send(event);
    expect(outputText(connection)).toBe('200 OK |a');
    connection.send({ type: 'log', id: 1, text: 'for nobody' });
    connection.send({ type: 'flush', id: 1 });
    expect([outputText(connection), connection.wantsClose, connection.idle]).toEqual(['', false, false]);
    for (const event of [data('b'), end]) connection.send(event);
    expect([outputText(connection), connection.wantsClose]).toEqual(['b', 'fin']);
  });

  it('that broke off ends in a reset, and none of it is written any more', () => {
    const { connection } = given(ask('GET'));
    for (const event of [head, data('a'), { type: 'abort', id: 1 } as const]) connection.send(event);
    expect([outputText(connection), connection.wantsClose]).toEqual(['', 'reset']);
  });

  it('of another id, or before there is a request, goes nowhere', () => {
    const { connection } = given('<');
    connection.send(whole('early'));
    connection.receive(Buffer.from('3'));
    expect(connection.next()).toBeUndefined();
    connection.send(whole('early'));
    connection.receive(Buffer.from('GET'));
    expect(connection.next()?.type).toBe('request');
    connection.send({ ...whole('other'), id: 2 });
    connection.send(whole('hi'));
    expect(outputText(connection)).toBe('200 OK |hi');
  });

  it('takes what its state allows and nothing else', () => {
    const { connection } = given(ask('GET'));
    expect(() => connection.send(data('x'))).toThrow(expect.objectContaining({ code: 'ERR_WRITE_AFTER_END' }));
    connection.send(head);
    expect(() => connection.send(head)).toThrow(expect.objectContaining({ code: 'ERR_HEADERS_SENT' }));
    connection.send(end);
    expect(() => connection.send(end)).toThrow(expect.objectContaining({ name: 'LocalProtocolError' }));
    expect(outputText(connection)).toBe('200 OK |');
  });
});

describe('expireHeads', () => {
  it('answers 408 once a reply can be sent', () => {
    const { connection } = given('<6POST');
    expect(connection.headPending).toBe(true);
    connection.expireHeads();
    connection.receive(Buffer.from(' 0'));
    expect(events(connection)).toEqual([]);
    expect(outputText(connection)).toBe('408 Request Timeout Content-Type=text/plain|408 Request Timeout\n');
    expect([connection.headPending, connection.wantsClose]).toEqual([false, 'fin']);
  });

  it('closes the connection before', () => {
    const { connection } = given('<');
    expect(connection.headPending).toBe(true);
    connection.expireHeads();
    expect([outputText(connection), connection.headPending, connection.wantsClose]).toEqual(['', false, 'reset']);
  });

  it.each([
    ['on which nothing came', ''],
    ['whose head is complete', ask('GET')],
    ['whose body is on its way', '<6POST 9'],
  ])('leaves a connection alone %s', (_, text) => {
    const { connection } = given(text);
    connection.expireHeads();
    expect([outputText(connection), connection.wantsClose]).toEqual(['', false]);
  });
});

describe('shutdown', () => {
  it('closes an idle connection', () => {
    const connection = server();
    expect(connection.idle).toBe(true);
    connection.shutdown();
    expect(connection.wantsClose).toBe('fin');
    connection.receive(Buffer.from(ask('GET')));
    expect(events(connection)).toEqual([]);
  });

  it.each(['<', '<6POST', '<6POST 2a', ask('GET')])('lets what has begun with %j end', (text) => {
    const { connection } = given(text);
    expect(connection.idle).toBe(false);
    connection.shutdown();
    expect(connection.wantsClose).toBe(false);
  });
});

describe('whether all has come of the peer', () => {
  it.each([
    ['a request without a body', ask('GET', ''), true],
    ['a request with all of its body', ask('POST', 'abc'), true],
    ['a request whose body is on its way', ask('POST', 'abc').slice(0, -1), false],
  ])('is known behind the reply to %s', (_, text, all) => {
    const { connection } = given(text);
    expect(connection.allReceived).toBe(false);
    connection.send(whole('hi'));
    expect([connection.wantsClose, connection.allReceived]).toEqual(['fin', all]);
  });

  it('is not where a connection ends without a request', () => {
    const { connection } = given('');
    connection.shutdown();
    expect([connection.wantsClose, connection.allReceived]).toEqual(['fin', false]);
  });
});
