import { describe, expect, it } from '@jest/globals';
import { type AskEvent, limitsWith } from '@postern/core';
import { outputText } from '@postern/testkit';
import { AjpClientConnection } from '../src/client-connection.ts';
import { ajp } from '../src/index.ts';
import {
  answer,
  asked,
  bodyPackets,
  CPONG,
  chunk,
  end,
  FLUSH,
  getBody,
  headers,
  hear,
  hearEveryWay,
  posting,
  REPLY,
  refusal,
} from './container.ts';
import { CPING, forward, hex } from './writer.ts';

const request = (id = 1, keep = true, ...variables: string[]) =>
  ({ type: 'request', id, variables: ['REQUEST_METHOD', 'GET', ...variables], keep }) as const;
const local = (code: string) => expect.objectContaining({ name: 'LocalProtocolError', code });

describe('a request on the wire', () => {
  it('is one packet, and nothing behind it where there is no body', () => {
    const connection = ajp.client(limitsWith());
    const variables = ['REMOTE_ADDR', '127.0.0.1', 'SERVER_NAME', 'a', 'SERVER_PORT', '80', 'HTTP_HOST', 'a'];
    connection.send(request(1, true, ...variables));
    connection.send({ type: 'end', id: 1 });
    expect(outputText(connection)).toBe(forward().toString('latin1'));
    expect(connection.queued(1)).toBe(0);
  });

  it('has its first body packet in the same write', () => {
    const connection = new AjpClientConnection(limitsWith());
    const variables = ['REQUEST_METHOD', 'POST', 'CONTENT_LENGTH', '9'];
    connection.send({ type: 'request', id: 1, variables, keep: true });
    connection.send({ type: 'data', id: 1, chunk: Buffer.from('hello') });
    expect([connection.queued(1), connection.queued(2)]).toEqual([5, 0]);
    const output = connection.takeOutput(1) as Uint8Array[];
    const text = Buffer.concat(output).toString('latin1');
    expect(text.endsWith('\x124\x00\x07\x00\x05hello')).toBe(true);
    expect(connection.takeOutput(1)).toBeUndefined();
    expect(connection.queued(1)).toBe(0);
  });

  it('that cannot be sent leaves the connection as it was', () => {
    const connection = new AjpClientConnection(limitsWith());
    expect(() => connection.send(request(1, true, 'HTTP_A', 'a\nb'))).toThrow(local('ERR_ENV_VALUE'));
    expect(() => connection.send(request(1, true, 'HTTP_A', 'x'.repeat(8192)))).toThrow(local('ERR_ENV_BYTES'));
    expect(outputText(connection)).toBe('');
    connection.send(request());
    expect(outputText(connection)).not.toBe('');
  });

  it('is refused while another runs, or a ping', () => {
    expect(() => asked().send(request(2))).toThrow(local('ERR_AJP_MESSAGE'));
    expect(() => asked().send(request(2))).toThrow(/^id 1 is running on this connection$/);
    expect(() => asked().send({ type: 'ping', id: 2 })).toThrow(local('ERR_AJP_MESSAGE'));
    const pinged = new AjpClientConnection(limitsWith());
    pinged.send({ type: 'ping', id: 1 });
    expect(() => pinged.send(request(2))).toThrow(local('ERR_AJP_MESSAGE'));
  });

  it.each([{ packetSize: 1 }, { secret: '' }])('is not made with the options %j', (options) => {
    expect(() => ajp.client(limitsWith(), options)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
  });
});

describe('an answer', () => {
  it('is a head, a body and an end', () => {
    const bytes = Buffer.concat([headers([[0xa001, 'text/plain']], { reason: 'Fine' }), chunk('hel'), chunk('lo')]);
    expect(hearEveryWay(Buffer.concat([bytes, end()]))).toEqual({
      head: { status: 200, reason: 'Fine', headers: ['Content-Type', 'text/plain'] },
      body: 'hello',
      end: { reuse: true },
      pongs: 0,
    });
  });

  it('is the same with chunks that have no byte behind them', () => {
    const bytes = Buffer.concat([headers(), chunk('hello', { nul: false }), chunk('', { nul: false }), end()]);
    expect(hearEveryWay(bytes)).toMatchObject({ body: 'hello', end: { reuse: true } });
  });

  it('may be flushed, before its head too, which is no event', () => {
    const bytes = Buffer.concat([FLUSH, headers(), FLUSH, FLUSH, chunk('hi'), FLUSH, end()]);
    expect(hearEveryWay(bytes)).toMatchObject({ head: { status: 200 }, body: 'hi', end: { reuse: true } });
  });

  it('lets the connection be used again where both sides say so', () => {
    const reuse = (keep: boolean, flag: number) =>
      hearEveryWay(Buffer.concat([headers(), end(flag)]), () => asked({ keep })).end?.reuse;
    expect([reuse(true, 1), reuse(true, 2), reuse(true, 0), reuse(false, 1)]).toEqual([true, true, false, false]);
  });

  it('that is the last one closes the connection, and nothing more is asked or heard', () => {
    for (const connection of [asked({ keep: false }), asked()]) {
      hear(connection, headers(), end(0));
      expect(connection.wantsClose).toBe('fin');
      expect(() => connection.send(request())).toThrow(local('ERR_AJP_MESSAGE'));
      expect(() => connection.send(request())).toThrow(/^this connection is over$/);
      expect(hear(connection, REPLY)).toEqual({ body: '', pongs: 0 });
      connection.send({ type: 'abort', id: 1 });
      expect(connection.wantsClose).toBe('fin');
    }
  });

  it('with bytes behind it, or a FIN, is the last one', () => {
    const connection = asked();
    expect(hear(connection, Buffer.concat([REPLY, hex('41')])).end).toEqual({ reuse: false });
    const left = asked();
    left.receive(REPLY);
    left.receiveEnd();
    expect(hear(left, hex('')).end).toEqual({ reuse: false });
    expect(left.wantsClose).toBe('fin');
  });

  it('is followed by a second one on a kept connection', () => {
    const connection = asked();
    expect(hear(connection, REPLY)).toMatchObject({ body: 'hello', end: { reuse: true } });
    expect(connection.wantsClose).toBe(false);
    connection.send(request(1, true, 'REQUEST_URI', '/second'));
    expect(outputText(connection)).toContain('/second');
    expect(hear(connection, headers([], { status: 404 }), end())).toMatchObject({ head: { status: 404 } });
  });

  it('waits for pull above replyHighWater, and a FIN behind it is no error', () => {
    const connection = asked({ set: { replyHighWater: 1000 } });
    const piece = chunk('x'.repeat(600));
    connection.receive(Buffer.concat([headers(), piece, piece, piece, end()]));
    connection.receiveEnd();
    const types = (): string[] => {
      const list: string[] = [];
      for (let event = connection.next(); event !== undefined; event = connection.next()) list.push(event.type);
      return list;
    };
    expect(types()).toEqual(['head', 'data', 'data']);
    expect(connection.wantsRead).toBe(false);
    connection.pull(2);
    expect(types()).toEqual([]);
    connection.pull(1);
    expect(connection.wantsRead).toBe(true);
    expect(types()).toEqual(['data', 'end']);
    expect(types()).toEqual([]);
  });

  it('whose body is as large as replyHighWater waits for pull, but not with its end', () => {
    const connection = asked({ set: { replyHighWater: 1000, maxReplyHeaderBytes: 500 } });
    connection.receive(Buffer.concat([headers(), chunk('x'.repeat(999))]));
    expect([connection.next()?.type, connection.next()?.type]).toEqual(['head', 'data']);
    expect(connection.wantsRead).toBe(true);
    connection.receive(Buffer.concat([chunk('x'), FLUSH, end()]));
    expect(connection.next()?.type).toBe('data');
    expect(connection.wantsRead).toBe(false);
    expect(connection.next()).toBeUndefined();
    connection.pull(1);
    expect(connection.next()?.type).toBe('end');
    const ended = asked({ set: { replyHighWater: 1000 } });
    ended.receive(Buffer.concat([headers(), chunk('x'.repeat(1000)), end()]));
    expect([ended.next()?.type, ended.next()?.type, ended.next()?.type]).toEqual(['head', 'data', 'end']);
  });

  it('of the largest packets is read where both sides have that size', () => {
    const options = { packetSize: 65_536 };
    const text = 'x'.repeat(65_528);
    expect(hear(asked({ options }), headers(), chunk(text), end())).toMatchObject({ body: text });
    expect(() => hear(asked(), headers(), chunk(text))).toThrow(/packet of 65536 bytes, packetSize is 8192/);
    expect(() => hear(asked({ options }), hex('41 42 ff fd'))).toThrow(/packetSize is 65536/);
  });
});

describe('a request body', () => {
  const give = (connection: AjpClientConnection, text: string) =>
    connection.send({ type: 'data', id: 1, chunk: Buffer.from(text) });
  const sent = (connection: AjpClientConnection) => bodyPackets(outputText(connection)).map(({ length }) => length);

  it('goes packet by packet, as it is asked for', () => {
    const connection = posting(20_000);
    give(connection, 'x'.repeat(20_000));
    connection.send({ type: 'end', id: 1 });
    expect(sent(connection)).toEqual([8186]);
    expect(connection.queued(1)).toBe(11_814);
    hear(connection, getBody(100));
    expect(sent(connection)).toEqual([100]);
    hear(connection, getBody(0xffff));
    expect(sent(connection)).toEqual([8186]);
    hear(connection, getBody(8186));
    expect(sent(connection)).toEqual([3528]);
    expect(hear(connection, REPLY)).toMatchObject({ end: { reuse: true } });
  });

  it('of unknown length goes when it is asked for, and ends with an empty packet', () => {
    const connection = posting('chunked');
    give(connection, 'hello');
    expect(outputText(connection)).toBe('');
    hear(connection, getBody());
    expect(sent(connection)).toEqual([5]);
    hear(connection, getBody());
    connection.send({ type: 'end', id: 1 });
    expect(outputText(connection)).toBe('\x124\x00\x02\x00\x00');
    expect(hear(connection, REPLY)).toMatchObject({ end: { reuse: true } });
  });

  it('may be asked for while the answer comes', () => {
    const connection = posting('chunked');
    hear(connection, headers(), chunk('a'), getBody());
    give(connection, 'hello');
    expect(sent(connection)).toEqual([5]);
    expect(hear(connection, end())).toMatchObject({ end: { reuse: true } });
  });

  it('that is whole is followed by its end once, if more is asked for', () => {
    for (const make of [() => posting(0), () => asked()]) {
      const connection = make();
      hear(connection, getBody());
      expect(outputText(connection)).toBe('\x124\x00\x02\x00\x00');
      expect(() => hear(connection, getBody())).toThrow(/GET_BODY_CHUNK/);
    }
  });

  it('of which a packet is owed when the answer ends keeps the connection from being used again', () => {
    for (const length of [5, 'chunked'] as const) {
      const connection = posting(length);
      if (length === 'chunked') hear(connection, getBody());
      expect(hear(connection, REPLY).end).toEqual({ reuse: false });
      give(connection, 'hello');
      expect([connection.queued(1), outputText(connection)]).toEqual([0, '']);
    }
  });

  it('of which no packet is owed when the answer ends does not', () => {
    const connection = posting(20_000);
    give(connection, 'x'.repeat(8186));
    expect(sent(connection)).toEqual([8186]);
    expect(hear(connection, REPLY).end).toEqual({ reuse: true });
    expect(hear(posting('chunked'), REPLY).end).toEqual({ reuse: true });
  });

  it('longer than was stated is refused, and what is for another request is not sent', () => {
    const connection = posting(5);
    expect(() => give(connection, 'hello!')).toThrow(local('ERR_BODY_LONG'));
    connection.send({ type: 'data', id: 2, chunk: Buffer.from('hello!') });
    connection.send({ type: 'end', id: 2 });
    expect([connection.queued(1), connection.queued(2), outputText(connection)]).toEqual([0, 0, '']);
  });
});

describe('abort', () => {
  it('resets the connection, and nothing more is sent or heard', () => {
    const connection = posting(20_000);
    connection.send({ type: 'data', id: 1, chunk: Buffer.alloc(20_000) });
    connection.send({ type: 'abort', id: 2 });
    expect(connection.wantsClose).toBe(false);
    connection.send({ type: 'abort', id: 1 });
    expect([connection.wantsClose, outputText(connection), connection.queued(1)]).toEqual(['reset', '', 0]);
    expect(hear(connection, REPLY)).toEqual({ body: '', pongs: 0 });
    expect(() => connection.send(request())).toThrow(local('ERR_AJP_MESSAGE'));
  });

  it('of a request that is answered means nothing', () => {
    const connection = asked();
    hear(connection, REPLY);
    connection.send({ type: 'abort', id: 1 });
    expect(connection.wantsClose).toBe(false);
  });
});

describe('what AJP does not have', () => {
  it.each<AskEvent>([
    { type: 'request', id: 1, role: 'filter', variables: [], keep: true },
    { type: 'filter-data', id: 1, chunk: Buffer.from('x') },
    { type: 'filter-end', id: 1 },
    { type: 'values', id: 1 },
  ])('is a role or values: $type is refused', (event) => {
    const connection = new AjpClientConnection(limitsWith());
    expect(() => connection.send(event)).toThrow(local('ERR_PROTOCOL_LACKS'));
    expect(() => connection.send(event)).toThrow(/AJP/);
    expect([outputText(connection), connection.ready]).toEqual(['', true]);
  });

  it('is a second request at once', () => {
    const connection = new AjpClientConnection(limitsWith());
    connection.send(request());
    outputText(connection);
    expect(connection.ready).toBe(false);
    hear(connection, REPLY);
    expect(connection.ready).toBe(true);
    connection.receiveEnd();
    expect(connection.ready).toBe(false);
  });
});

describe('a ping', () => {
  const pinged = (): AjpClientConnection => {
    const connection = new AjpClientConnection(limitsWith());
    connection.send({ type: 'ping', id: 7 });
    expect(outputText(connection)).toBe(CPING.toString('latin1'));
    return connection;
  };

  it('is answered, before and between requests', () => {
    const connection = pinged();
    connection.receive(CPONG);
    expect(connection.next()).toEqual({ type: 'pong', id: 7 });
    connection.send(request());
    outputText(connection);
    expect(hear(connection, REPLY).end).toEqual({ reuse: true });
    connection.send({ type: 'ping', id: 1 });
    outputText(connection);
    expect(hearEveryWay(CPONG, pinged).pongs).toBe(1);
    expect(hear(connection, CPONG).pongs).toBe(1);
  });

  it.each([
    ['another packet', REPLY],
    ['CPONG with a byte more', hex('41 42 00 02 09 00')],
    ['two of CPONG', Buffer.concat([CPONG, CPONG])],
    ['a flush', FLUSH],
  ])('that is answered with %s is an error', (_, bytes) => {
    expect(refusal(bytes, pinged).code).toBe('ERR_REPLY');
  });

  it('that is answered with a FIN is an error', () => {
    const connection = pinged();
    connection.receiveEnd();
    expect(() => connection.next()).toThrow(/closed the connection/);
  });
});

describe('bytes that are no answer', () => {
  it.each<[string, Buffer, string]>([
    ['the magic of the other direction', hex('12 34'), 'ERR_AJP_PACKET'],
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request'), 'ERR_AJP_PACKET'],
    ['a packet above the packet size', hex('41 42 1f fd'), 'ERR_REPLY'],
    ['a packet far above it', hex('41 42 ff ff'), 'ERR_REPLY'],
    ['a packet without payload', hex('41 42 00 00'), 'ERR_REPLY'],
    ['two heads', Buffer.concat([headers(), headers()]), 'ERR_REPLY'],
    ['a body before its head', chunk('x'), 'ERR_REPLY'],
    ['an end before the head', end(), 'ERR_REPLY'],
    ['a chunk with a wrong length', Buffer.concat([headers(), hex('41 42 00 07 03 00 05 61 62 63 00')]), 'ERR_REPLY'],
    ['a chunk of two bytes', Buffer.concat([headers(), hex('41 42 00 02 03 00')]), 'ERR_REPLY'],
    ['an END_RESPONSE of one byte', Buffer.concat([headers(), hex('41 42 00 01 05')]), 'ERR_REPLY'],
    ['an END_RESPONSE of three', Buffer.concat([headers(), hex('41 42 00 03 05 01 00')]), 'ERR_REPLY'],
    ['a GET_BODY_CHUNK of two bytes', hex('41 42 00 02 06 1f'), 'ERR_REPLY'],
    ['two of GET_BODY_CHUNK without an answer', Buffer.concat([getBody(), getBody()]), 'ERR_REPLY'],
    ['CPONG', CPONG, 'ERR_REPLY'],
    ['a malformed string', answer(hex('04 00 c8 7f ff 61')), 'ERR_AJP_PACKET'],
    ['a status that is none', headers([], { status: 100 }), 'ERR_REPLY'],
    ['ffff headers', headers([], { count: 0xffff }), 'ERR_REPLY'],
    ['257 headers', headers(Array.from({ length: 257 }, (_, i) => [`a${i}`, ''])), 'ERR_REPLY'],
    ...[0, 1, 2, 7, 8, 10, 11, 255].map((type): [string, Buffer, string] => [
      `a packet of type ${type}`,
      answer(Buffer.of(type)),
      'ERR_REPLY',
    ]),
  ])('%s: refused as the failure of a gateway', (_, bytes, code) => {
    expect(refusal(bytes).code).toBe(code);
  });

  it('a head above maxReplyHeaderBytes is refused before it has come', () => {
    const make = () => asked({ set: { maxReplyHeaderBytes: 100 } });
    const size = (length: number) => headers([['a', 'x'.repeat(length)]]);
    const room = 104 - size(0).length;
    expect(hear(make(), size(room)).head?.status).toBe(200);
    expect(refusal(size(room + 1).subarray(0, 5), make).message).toMatch(/maxReplyHeaderBytes is 100/);
  });

  it('GET_BODY_CHUNK while the first packet has not gone out is refused', () => {
    expect(refusal(getBody(), () => posting(5)).message).toMatch(/GET_BODY_CHUNK/);
  });

  it('a FIN before END_RESPONSE is an error at every byte of an answer', () => {
    for (let length = 0; length < REPLY.length; length++) {
      const connection = asked();
      connection.receive(REPLY.subarray(0, length));
      connection.receiveEnd();
      expect(() => {
        while (connection.next() !== undefined);
      }).toThrow(/closed the connection before the end of its reply/);
      expect(connection.wantsClose).toBe('reset');
    }
  });

  it('a FIN on an idle connection is none, and nothing more is asked on it', () => {
    const connection = new AjpClientConnection(limitsWith());
    connection.receiveEnd();
    expect(connection.next()).toBeUndefined();
    expect(connection.wantsClose).toBe('fin');
    expect(() => connection.send(request())).toThrow(local('ERR_AJP_MESSAGE'));
  });

  it('any byte although nothing was asked is refused, behind an answer too', () => {
    const fresh = () => new AjpClientConnection(limitsWith());
    const done = () => {
      const connection = asked();
      hear(connection, REPLY);
      return connection;
    };
    for (const make of [fresh, done]) {
      expect(refusal(hex('41'), make).message).toMatch(/nothing was asked/);
      expect(refusal(REPLY, make).message).toMatch(/nothing was asked/);
    }
  });

  it('an answer before its request went out is refused', () => {
    const connection = new AjpClientConnection(limitsWith());
    connection.send(request());
    expect(() => hear(connection, REPLY)).toThrow(/before its request went out/);
    expect(outputText(connection)).toBe('');
  });

  it('bytes of an older packet never appear', () => {
    const connection = asked();
    hear(connection, headers([['X-Secret', 'first']]), chunk('secret'), end());
    connection.send(request());
    outputText(connection);
    expect(() => hear(connection, answer(hex('04 00 c8 00 02 4f 4b 00 00 01 00 40 58')))).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('ecret') }),
    );
  });
});
