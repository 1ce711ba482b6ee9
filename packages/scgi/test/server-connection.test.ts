import { describe, expect, it } from '@jest/globals';
import { limitsWith, type PeerOptions, type ReplyEvent, type ServerConnection } from '@postern/core';
import { type Conversation, converse, cutAt, everyWay, outputText, type Play } from '@postern/testkit';
import fc from 'fast-check';
import { scgi } from '../src/index.ts';
import { block, bytes, DEEP_THOUGHT, GET, netstring, QUESTION } from './writer.ts';

const limits = limitsWith();
const open = (peer?: PeerOptions): ServerConnection => scgi.server(limits, peer);
const OK = 'Status: 200 OK\r\nContent-Type: text/plain\r\n\r\nhi';
const whole = (body: string): ReplyEvent => ({
  type: 'whole',
  id: 1,
  status: 200,
  reason: 'OK',
  headers: ['Content-Type', 'text/plain'],
  body,
});

/** In every way, read at once and late; what stands behind the case may not matter. */
function talk(text: string, play: Play = {}, peer?: PeerOptions): Conversation {
  const ways = play.fin ? {} : { trailing: bytes(GET) };
  const run = (late: boolean): Conversation =>
    everyWay(bytes(text), (chunks) => converse(open(peer), chunks, { ...play, late }), ways);
  const atOnce = run(false);
  expect(run(true)).toEqual(atOnce);
  return atOnce;
}

function started(text: string, peer?: PeerOptions): ServerConnection {
  const connection = open(peer);
  connection.receive(bytes(text));
  expect(connection.next()).toMatchObject({ type: 'request', id: 1 });
  return connection;
}

describe('what is noticed', () => {
  it('is a request without SCGI, one with CONTENT_LENGTH behind others, and what lies behind a body', () => {
    const without = started(netstring(block('CONTENT_LENGTH', '0', 'REQUEST_METHOD', 'GET')));
    expect(without.takeNotice?.()).toMatchObject({ code: 'ERR_SCGI_HEADERS' });
    expect(without.takeNotice?.()).toBeUndefined();
    const other = started(netstring(block('SCGI', '1', 'CONTENT_LENGTH', '0', 'REQUEST_METHOD', 'GET')));
    expect(other.takeNotice?.()).toMatchObject({
      code: 'ERR_SCGI_HEADERS',
      message: expect.stringContaining('not the first'),
    });
    const excess = started(`${DEEP_THOUGHT}${QUESTION}x`);
    while (excess.next() !== undefined) excess.pull(1);
    expect(excess.takeNotice?.()).toMatchObject({ code: 'ERR_BODY_EXCESS' });
  });

  it('is nothing where a request is in order', () => {
    const connection = started(DEEP_THOUGHT + QUESTION);
    while (connection.next() !== undefined) connection.pull(1);
    expect(connection.takeNotice?.()).toBeUndefined();
  });
});

describe('a request', () => {
  it('is seen as the web server means it that the address names', () => {
    const sent = `${netstring(block('CONTENT_LENGTH', '1', 'REQUEST_METHOD', 'GET', 'SERVER_NAME', 'a:81'))}x`;
    expect(talk(sent).asked[0].variables).toContain('a:81');
    expect(talk(sent, {}, { peer: 'haproxy' }).asked[0].variables).toContain('a');
  });

  it('is read the same however it comes, and nothing behind its body', () => {
    const { asked, output, close } = talk(DEEP_THOUGHT + QUESTION);
    expect(asked).toMatchObject([{ id: 1, role: 'responder', body: QUESTION, ended: 'end' }]);
    expect(asked[0].head).toMatchObject({ method: 'POST', target: '/deepthought', contentLength: 27 });
    expect(asked[0].variables).toEqual([
      'CONTENT_LENGTH',
      '27',
      'SCGI',
      '1',
      'REQUEST_METHOD',
      'POST',
      'REQUEST_URI',
      '/deepthought',
    ]);
    expect(output).toBe(OK);
    expect(close).toBe('fin');
  });

  it('without a body is complete at once', () => {
    const { asked, output } = talk(GET, { answer: 'head' });
    expect(asked).toMatchObject([{ body: '', ended: 'end' }]);
    expect(output).toBe(OK);
  });

  it('is read from the bytes of the specification', () => {
    const { asked } = talk('44:CONTENT_LENGTH\x005\x00SCGI\x001\x00REQUEST_METHOD\x00POST\x00,hello');
    expect(asked).toMatchObject([{ head: { method: 'POST', contentLength: 5 }, body: 'hello', ended: 'end' }]);
  });

  it('is read as lighttpd sends it: SCGI=1 last', () => {
    const text = netstring(block('CONTENT_LENGTH', '0', 'REQUEST_METHOD', 'GET', 'SCRIPT_NAME', '/', 'SCGI', '1'));
    expect(talk(text).asked).toMatchObject([{ head: { target: '/' } }]);
  });

  it('of any variables and body is read the same wherever it is cut', () => {
    // those that reach no application are left out
    const dropped = ['HTTP_PROXY', 'HTTP_TE', 'HTTP_TRAILER'];
    const name = fc.stringMatching(/^HTTP_[A-Z]{1,8}$/).filter((name) => !dropped.includes(name));
    const value = fc.stringMatching(/^[\x20-\xff]{0,30}$/);
    const extras = fc.uniqueArray(fc.tuple(name, value), { selector: ([name]) => name, maxLength: 10 });
    fc.assert(
      fc.property(extras, fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(700)), (pairs, body, places) => {
        const flat = ['CONTENT_LENGTH', String(body.length), 'SCGI', '1', 'REQUEST_METHOD', 'PUT', 'REQUEST_URI', '/p'];
        flat.push(...pairs.flat());
        const input = Buffer.concat([bytes(netstring(block(...flat))), body]);
        const { asked, output } = converse(open(), cutAt(input, places));
        expect(asked).toMatchObject([{ variables: flat, body: Buffer.from(body).toString('latin1'), ended: 'end' }]);
        expect(output).toBe(OK);
      }),
    );
  });
});

describe('a bad input', () => {
  it.each(['G', '-5:', '+5:', ' 5:', ':', ',', '\0', '70;', '70 :', '7a:'])(
    '%j closes the connection, without a byte',
    (text) => {
      expect(talk(text)).toEqual({ asked: [], errors: ['ERR_SCGI_NETSTRING'], output: '', close: 'reset' });
    },
  );

  it('that ends within the head closes the connection, without a byte', () => {
    const broken = { asked: [], errors: ['ERR_SCGI_NETSTRING'], output: '', close: 'reset' };
    expect(talk('7', { fin: true })).toEqual(broken);
    expect(talk(DEEP_THOUGHT.slice(0, -2), { fin: true })).toEqual(broken);
  });

  it.each([
    ['a leading zero', '070:', 'ERR_SCGI_NETSTRING 400 1'],
    ['an empty block', '0:,', 'ERR_ENV_METHOD 400 1'],
    ['a length of seven digits', '1000000', 'ERR_ENV_BYTES 431 1'],
    ['a length above the limit', '131073:', 'ERR_ENV_BYTES 431 1'],
    ['another byte than the comma', `${GET.slice(0, -1)};`, 'ERR_SCGI_NETSTRING 400 1'],
    ['a length that is one short', GET.replace(/^57/, '56'), 'ERR_SCGI_NETSTRING 400 1'],
    ['a value without NUL', netstring('CONTENT_LENGTH\x000'), 'ERR_SCGI_HEADERS 400 1'],
    ['a name without a value', netstring('CONTENT_LENGTH\x000\x00SCGI\x00'), 'ERR_SCGI_HEADERS 400 1'],
    ['no method', netstring(block('CONTENT_LENGTH', '0', 'SCGI', '1')), 'ERR_ENV_METHOD 400 1'],
    ['no CONTENT_LENGTH', netstring(block('SCGI', '1', 'REQUEST_METHOD', 'GET')), 'ERR_SCGI_HEADERS 400 1'],
    ['a wrong SCGI', GET.replace('SCGI\x001', 'SCGI\x002'), 'ERR_SCGI_HEADERS 400 1'],
    [
      'two lengths',
      netstring(block('CONTENT_LENGTH', '27', 'CONTENT_LENGTH', '28', 'REQUEST_METHOD', 'GET')),
      'ERR_ENV_REPEATED 400 1',
    ],
    ['a value that holds NUL', netstring(block('CONTENT_LENGTH', '0', 'A', 'b\0c')), 'ERR_SCGI_HEADERS 400 1'],
    ['a name with a space', netstring(block('CONTENT_LENGTH', '0', 'A B', '1')), 'ERR_ENV_NAME 400 1'],
    ['a length of eleven digits', '99999999999:', 'ERR_ENV_BYTES 431 1'],
  ])('%s is refused with a reply', (_, text, error) => {
    const { asked, errors, output, close } = talk(text);
    expect({ asked, errors, close }).toEqual({ asked: [], errors: [error], close: 'fin' });
    expect(output).toMatch(/^Status: (400 Bad Request|431 Request Header Fields Too Large)\r\n\r\n$/);
  });
});

describe('a strict listener', () => {
  it('takes the example of the specification', () => {
    expect(talk(DEEP_THOUGHT + QUESTION, {}, { strict: true })).toMatchObject({ errors: [], output: OK });
  });

  it.each([
    ['no SCGI', block('CONTENT_LENGTH', '0', 'REQUEST_METHOD', 'GET')],
    ['CONTENT_LENGTH behind SCGI', block('SCGI', '1', 'CONTENT_LENGTH', '0', 'REQUEST_METHOD', 'GET')],
  ])('refuses a request with %s, which others take', (_, sent) => {
    expect(talk(netstring(sent)).output).toBe(OK);
    const { asked, errors, output } = talk(netstring(sent), {}, { strict: true });
    expect({ asked, errors }).toEqual({ asked: [], errors: ['ERR_SCGI_HEADERS 400 1'] });
    expect(output).toBe('Status: 400 Bad Request\r\n\r\n');
  });
});

describe('a header block', () => {
  it('may have as many bytes as the limit, not one more', () => {
    const names = ['CONTENT_LENGTH', '0', 'REQUEST_METHOD', 'GET', 'A', 'v'.repeat(65_535), 'B'];
    const rest = 131_072 - block(...names).length - 1;
    const text = netstring(block(...names, 'w'.repeat(rest)));
    expect(text.startsWith('131072:')).toBe(true);
    expect(converse(open(), [bytes(text)]).asked.length).toBe(1);
  });
});

describe('a body', () => {
  const LONG = 200_000;
  const head = netstring(block('CONTENT_LENGTH', String(LONG), 'REQUEST_METHOD', 'POST'));

  it('is handed out up to bodyHighWater, then the connection wants no reading until pull', () => {
    const connection = started(head);
    connection.receive(Buffer.alloc(LONG));
    let taken = 0;
    const drain = (): void => {
      for (let event = connection.next(); event?.type === 'data'; event = connection.next())
        taken += event.chunk.length;
    };
    drain();
    expect(taken).toBe(limits.bodyHighWater);
    expect(connection.wantsRead).toBe(false);
    connection.pull(1);
    expect(connection.wantsRead).toBe(true);
    drain();
    expect(taken).toBe(2 * limits.bodyHighWater);
    connection.pull(1);
    drain();
    connection.pull(1);
    drain();
    expect(taken).toBe(LONG);
    expect(connection.wantsRead).toBe(true);
  });

  it('is no longer handed out once the request is answered', () => {
    const connection = started(head);
    connection.send(whole('no'));
    connection.receive(Buffer.alloc(LONG));
    expect(connection.next()).toBeUndefined();
    expect(connection.wantsRead).toBe(true);
    expect(outputText(connection)).toContain('\r\n\r\nno');
    expect(connection.wantsClose).toBe('fin');
  });

  it('that is cut short by FIN aborts the request', () => {
    const { asked, output, close } = talk(`${head}abc`, { fin: true }, { halfCloseServes: true });
    expect(asked).toMatchObject([{ body: 'abc', ended: 'ERR_ABORTED' }]);
    expect(output).toBe('');
    expect(close).toBe('fin');
  });
});

describe('the FIN of the peer', () => {
  it('behind a complete request aborts it, and what is sent afterwards goes nowhere', () => {
    const connection = started(GET);
    connection.receiveEnd();
    expect(connection.next()).toMatchObject({ type: 'abort', id: 1, error: { code: 'ERR_ABORTED' } });
    connection.send(whole('late'));
    expect(outputText(connection)).toBe('');
    expect(connection.wantsClose).toBe('fin');
    expect(connection.next()).toBeUndefined();
  });

  it('behind a complete request is served where half-closing peers are told of', () => {
    const connection = open({ halfCloseServes: true });
    expect(converse(connection, [bytes(GET)], { answer: 'never', fin: true }).asked).toMatchObject([{ ended: 'end' }]);
    connection.send(whole('hi'));
    expect(outputText(connection)).toContain('hi');
  });

  it('does not lose a body that waits for pull', () => {
    const length = limits.bodyHighWater + 10;
    const head = netstring(block('CONTENT_LENGTH', String(length), 'REQUEST_METHOD', 'POST'));
    const connection = open({ halfCloseServes: true });
    connection.receive(Buffer.concat([bytes(head), Buffer.alloc(length)]));
    connection.receiveEnd();
    expect(connection.next()).toMatchObject({ type: 'request' });
    while (connection.next() !== undefined);
    connection.pull(1);
    expect(connection.next()).toMatchObject({ type: 'data', chunk: { length: 10 } });
    expect(connection.next()).toMatchObject({ type: 'end' });
    expect(connection.next()).toBeUndefined();
  });

  it('before any byte ends the connection', () => {
    const connection = open();
    expect(converse(connection, [], { fin: true })).toEqual({ asked: [], errors: [], output: '', close: 'fin' });
  });
});

describe('a reply', () => {
  it('that is whole is one piece, and ends the connection', () => {
    const connection = started(GET);
    connection.send(whole('hi'));
    expect(connection.takeOutput(1)).toBe('Status: 200 OK\r\nContent-Type: text/plain\r\n\r\nhi');
    expect(connection.takeOutput(1)).toBeUndefined();
    expect(connection.wantsClose).toBe('fin');
  });

  it('that is streamed keeps the connection until its end', () => {
    const connection = started(GET);
    connection.send({ type: 'head', id: 1, status: 200, reason: 'OK', headers: [] });
    connection.send({ type: 'data', id: 1, chunk: 'a' });
    expect(connection.queued(1)).toBeGreaterThan(0);
    expect(outputText(connection)).toBe('Status: 200 OK\r\n\r\na');
    connection.send({ type: 'log', id: 1, text: 'a line' });
    connection.send({ type: 'flush', id: 1 });
    expect(outputText(connection)).toBe('');
    expect(connection.wantsClose).toBe(false);
    connection.send({ type: 'data', id: 1, chunk: Buffer.from('b') });
    connection.send({ type: 'end', id: 1 });
    expect(outputText(connection)).toBe('b');
    expect(connection.wantsClose).toBe('fin');
  });

  it('that broke off ends in a reset', () => {
    const connection = started(GET);
    connection.send({ type: 'head', id: 1, status: 200, reason: 'OK', headers: [] });
    connection.send({ type: 'abort', id: 1 });
    expect(connection.wantsClose).toBe('reset');
    expect(outputText(connection)).toBe('');
  });

  it.each([
    ['head', 'ERR_HEADERS_SENT'],
    ['data', 'ERR_WRITE_AFTER_END'],
    ['end', 'ERR_WRITE_AFTER_END'],
  ] as const)('takes no %s behind its end', (type, code) => {
    const connection = started(GET);
    connection.send(whole('hi'));
    const event = { type, id: 1, status: 200, reason: 'OK', headers: [], chunk: 'x' } as ReplyEvent;
    expect(() => connection.send(event)).toThrow(expect.objectContaining({ name: 'LocalProtocolError', code }));
    expect(() => connection.send({ type: 'log', id: 1, text: 'late' })).not.toThrow();
  });

  it('takes no body before its head', () => {
    const connection = started(GET);
    expect(() => connection.send({ type: 'data', id: 1, chunk: 'x' })).toThrow(
      expect.objectContaining({ code: 'ERR_WRITE_AFTER_END' }),
    );
  });
});

describe('expireHeads', () => {
  it('answers 408 once the length was read', () => {
    const connection = open();
    converse(connection, [bytes('57:CONTENT')]);
    expect(connection.headPending).toBe(true);
    connection.expireHeads();
    expect(outputText(connection)).toMatch(/^Status: 408 Request Timeout\r\n/);
    expect(connection.wantsClose).toBe('fin');
    expect(connection.headPending).toBe(false);
  });

  it('closes the connection before', () => {
    const connection = open();
    converse(connection, [bytes('57')]);
    expect(connection.headPending).toBe(true);
    connection.expireHeads();
    expect(outputText(connection)).toBe('');
    expect(connection.wantsClose).toBe('reset');
  });

  it('leaves a connection alone whose head is complete', () => {
    const connection = started(GET);
    connection.expireHeads();
    expect(connection.wantsClose).toBe(false);
  });
});

describe('shutdown', () => {
  it('closes an idle connection', () => {
    const connection = open();
    expect(connection.idle).toBe(true);
    connection.shutdown();
    expect(connection.wantsClose).toBe('fin');
  });

  it('lets what runs end', () => {
    const connection = started(GET);
    expect(connection.idle).toBe(false);
    connection.shutdown();
    expect(connection.wantsClose).toBe(false);
    connection.send(whole('hi'));
    expect(outputText(connection)).toContain('hi');
    expect(connection.wantsClose).toBe('fin');
    expect(connection.idle).toBe(true);
  });
});
