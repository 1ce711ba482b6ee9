import { describe, expect, it } from '@jest/globals';
import { limitCounts, limitsWith, type ReplyEvent } from '@postern/core';
import { converse, outputText } from '@postern/testkit';
import { ajp } from '../src/index.ts';
import { CHUNKED, head, LAST, OK, open, POST, reply, started } from './harness.ts';
import { forward, hex, readMessages } from './writer.ts';

describe('a reply', () => {
  it('that is streamed goes out as it comes, and ends once', () => {
    const connection = started(forward());
    connection.send(head(1));
    connection.send({ type: 'data', id: 1, chunk: 'a' });
    connection.send({ type: 'log', id: 1, text: 'a line' });
    expect([connection.queued(1), connection.queued(2)]).toEqual([1, 0]);
    expect(readMessages(outputText(connection)).map(({ type }) => type)).toEqual(['headers', 'body']);
    connection.send({ type: 'flush', id: 1 });
    expect(readMessages(outputText(connection))).toEqual([{ type: 'body', text: '' }]);
    connection.send({ type: 'data', id: 1, chunk: Buffer.from('b') });
    connection.send({ type: 'end', id: 1 });
    expect(connection.idle).toBe(false);
    expect(readMessages(outputText(connection))).toEqual([
      { type: 'body', text: 'b' },
      { type: 'end', reuse: true },
    ]);
    expect(connection.idle).toBe(true);
  });

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('to %s with status %d is never flushed', (method, status) => {
    const connection = started(forward({ method }));
    connection.send(head(1, status));
    connection.send({ type: 'flush', id: 1 });
    connection.send({ type: 'end', id: 1 });
    expect(readMessages(outputText(connection)).map(({ type }) => type)).toEqual(['headers', 'end']);
  });

  it('whose head does not fit a packet is refused, and another can be sent', () => {
    for (const large of [
      head(1, 200, ['X-A', 'x'.repeat(8192)]),
      { ...reply(1), headers: ['X-A', 'x'.repeat(8192)] },
    ]) {
      const connection = started(forward());
      expect(() => connection.send(large as ReplyEvent)).toThrow(
        expect.objectContaining({ name: 'LocalProtocolError', code: 'ERR_HEADER_BLOCK' }),
      );
      expect(outputText(connection)).toBe('');
      connection.send(reply(1));
      expect(outputText(connection)).toBe(OK);
    }
  });

  it('that broke off has no end, and the connection is reset', () => {
    const connection = started(forward());
    connection.send(head(1));
    connection.send({ type: 'data', id: 1, chunk: 'a' });
    const sent = outputText(connection);
    connection.send({ type: 'data', id: 1, chunk: 'b' });
    connection.send({ type: 'abort', id: 1 });
    expect(readMessages(sent).map(({ type }) => type)).toEqual(['headers', 'body']);
    expect(outputText(connection)).toBe('');
    expect(connection.wantsClose).toBe('reset');
    connection.send({ type: 'data', id: 1, chunk: 'c' });
    expect(outputText(connection)).toBe('');
  });

  it('that has not gone out when the peer breaks a rule goes nowhere, and the one before it goes out', () => {
    const connection = started(POST);
    connection.send(head(1));
    connection.send({ type: 'data', id: 1, chunk: 'a' });
    connection.receive(hex('41 42'));
    expect(() => connection.next()).toThrow(expect.objectContaining({ code: 'ERR_AJP_PACKET' }));
    expect([outputText(connection), connection.wantsClose]).toEqual(['', 'reset']);
    const answered = started(CHUNKED);
    answered.pull(1);
    answered.send(reply(1));
    answered.receive(hex('41 42'));
    expect(() => answered.next()).toThrow(expect.objectContaining({ code: 'ERR_AJP_PACKET' }));
    expect([outputText(answered), answered.wantsClose]).toEqual([LAST, 'reset']);
  });

  it('may have an interim one in front of it', () => {
    const connection = started(forward());
    const hints = { type: 'interim', id: 1, status: 103, reason: 'Early Hints', headers: ['Link', '</a>'] } as const;
    connection.send(hints);
    expect(readMessages(outputText(connection))).toMatchObject([{ type: 'headers', status: 103 }]);
    connection.send(reply(1));
    expect(outputText(connection)).toBe(OK);
    expect(() => connection.send(hints)).toThrow(expect.objectContaining({ code: 'ERR_HEADERS_SENT' }));
  });

  it.each([
    ['head', 'ERR_HEADERS_SENT'],
    ['data', 'ERR_WRITE_AFTER_END'],
    ['end', 'ERR_WRITE_AFTER_END'],
  ] as const)('takes no %s behind its end', (type, code) => {
    const connection = started(forward());
    connection.send(reply(1));
    const event = { type, id: 1, status: 200, reason: 'OK', headers: [], chunk: 'x' } as ReplyEvent;
    expect(() => connection.send(event)).toThrow(expect.objectContaining({ name: 'LocalProtocolError', code }));
    expect(outputText(connection)).toBe(OK);
  });

  it('to no request is refused', () => {
    expect(() => open().send(reply(0))).toThrow(expect.objectContaining({ code: 'ERR_HEADERS_SENT' }));
  });

  it('to a request that is over goes nowhere', () => {
    const connection = started(forward());
    connection.send(reply(1));
    outputText(connection);
    connection.receive(forward());
    expect(connection.next()).toMatchObject({ type: 'request', id: 2 });
    connection.send({ type: 'end', id: 1 });
    connection.pull(1);
    expect(outputText(connection)).toBe('');
    expect(connection.queued(1)).toBe(0);
  });

  it('to the last request that a connection may carry closes it', () => {
    const counts = limitCounts();
    const connection = ajp.server(limitsWith({ maxConnectionRequests: 2 }), {}, counts);
    expect(converse(connection, [forward(), forward()])).toMatchObject({ output: OK + LAST, close: 'fin' });
    expect(counts.maxConnectionRequests).toBe(1);
  });
});
