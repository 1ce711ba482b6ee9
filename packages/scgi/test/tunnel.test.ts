import { describe, expect, it } from '@jest/globals';
import { type LimitName, LocalProtocolError, limitsWith, type PeerOptions, type ServerConnection } from '@postern/core';
import { everyWay, outputText, type Tunnelled, type TunnelPlay, tunnelling, upgrade } from '@postern/testkit';
import { scgi } from '../src/index.ts';
import { block, bytes, GET, netstring } from './writer.ts';

/** As nginx sends it. */
const asking = (...more: string[]): string =>
  netstring(
    block(
      ...['CONTENT_LENGTH', '0', 'SCGI', '1', 'REQUEST_METHOD', 'GET', 'REQUEST_URI', '/chat'],
      ...['SERVER_PROTOCOL', 'HTTP/1.1', 'HTTP_UPGRADE', 'echo', 'HTTP_CONNECTION', 'keep-alive, Upgrade', ...more],
    ),
  );
const SWITCHED = 'Status: 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n';

function open(limits: Partial<Record<LimitName, number>> = {}, peer?: PeerOptions): ServerConnection {
  return scgi.server(limitsWith(limits), peer);
}

function talk(text: string, play: TunnelPlay = {}, limits: Partial<Record<LimitName, number>> = {}): Tunnelled {
  return everyWay(bytes(text), (chunks) => tunnelling(open(limits), chunks, play));
}

function started(text = asking()): ServerConnection {
  const connection = open();
  connection.receive(bytes(text));
  expect(connection.next()).toMatchObject({ type: 'request', ended: true });
  return connection;
}

describe('a tunnel', () => {
  it('carries raw bytes both ways behind a 101, however they come', () => {
    const { events, heard, output, close } = talk(`${asking()}one\0two`);
    expect(events).toEqual(['request']);
    expect(heard).toBe('one\0two');
    expect(output).toBe(`${SWITCHED}one\0two`);
    expect(close).toBe(false);
  });

  it('has what came before the answer', () => {
    expect(talk(`${asking()}early`, { late: true })).toMatchObject({ heard: 'early', output: `${SWITCHED}early` });
  });

  it('takes bytes that look like a request for bytes', () => {
    expect(talk(asking() + GET)).toMatchObject({ events: ['request'], heard: GET });
  });

  it('ends its one half at the FIN of the peer, and the connection with the other', () => {
    expect(talk(`${asking()}bye`, { fin: true })).toEqual({
      events: ['request', 'end'],
      heard: 'bye',
      output: `${SWITCHED}bye`,
      close: 'fin',
    });
  });

  it('goes on writing behind the FIN of the peer', () => {
    const { output, close } = talk(asking(), {
      fin: true,
      end: (connection, id) => connection.send({ type: 'data', id, chunk: 'and more' }),
    });
    expect(output).toBe(`${SWITCHED}and more`);
    expect(close).toBe(false);
  });

  it('reads on when its other half has ended', () => {
    const connection = started();
    upgrade(connection);
    connection.send({ type: 'data', id: 1, chunk: 'last' });
    connection.send({ type: 'half-end', id: 1 });
    expect(outputText(connection)).toBe(`${SWITCHED}last`);
    expect(connection.wantsClose).toBe('half');
    expect(connection.idle).toBe(false);
    connection.receive(bytes('still'));
    expect(connection.next()).toMatchObject({ type: 'data', chunk: bytes('still') });
    connection.send({ type: 'end', id: 1 });
    expect(connection.wantsClose).toBe('fin');
  });

  it('hands out no more than bodyHighWater before it is pulled, and wants no more', () => {
    const connection = open({ bodyHighWater: 4 });
    connection.receive(bytes(`${asking()}123456789`));
    connection.next();
    upgrade(connection);
    expect(connection.next()).toMatchObject({ chunk: bytes('1234') });
    expect(connection.next()).toBeUndefined();
    expect(connection.wantsRead).toBe(false);
    connection.receiveEnd();
    expect(connection.next()).toBeUndefined();
    connection.pull(1);
    expect(connection.wantsRead).toBe(true);
    expect(connection.next()).toMatchObject({ chunk: bytes('5678') });
    connection.pull(1);
    expect([connection.next(), connection.next(), connection.next()]).toMatchObject([
      { chunk: bytes('9') },
      { type: 'end' },
      undefined,
    ]);
  });

  it('reads no more than bodyHighWater before it is answered', () => {
    const connection = open({ bodyHighWater: 4 });
    connection.receive(bytes(`${asking()}123`));
    connection.next();
    expect(connection.next()).toBeUndefined();
    expect(connection.wantsRead).toBe(true);
    connection.receive(bytes('4'));
    expect(connection.wantsRead).toBe(false);
  });

  it('that breaks off resets the connection', () => {
    const connection = started();
    upgrade(connection);
    connection.send({ type: 'abort', id: 1 });
    expect(connection.wantsClose).toBe('reset');
  });
});

describe('a request for an upgrade', () => {
  it('that is answered otherwise is answered, and what stands behind it is dropped', () => {
    const connection = started(`${asking()}behind`);
    connection.send({ type: 'whole', id: 1, status: 426, reason: 'Upgrade Required', headers: [], body: 'no' });
    expect(outputText(connection)).toBe('Status: 426 Upgrade Required\r\n\r\nno');
    expect(connection.next()).toBeUndefined();
    expect(connection.wantsClose).toBe('fin');
  });

  it('that is answered with a stream drops what stands behind it', () => {
    const connection = started(`${asking()}behind`);
    connection.send({ type: 'head', id: 1, status: 200, reason: 'OK', headers: [] });
    expect(connection.next()).toBeUndefined();
    expect(connection.wantsRead).toBe(true);
  });

  it('is given up by a FIN before it is answered', () => {
    const connection = started();
    connection.receiveEnd();
    expect(connection.next()).toMatchObject({ type: 'abort' });
  });

  it.each([
    ['no Upgrade', GET],
    [
      'a body',
      netstring(
        block(
          ...['CONTENT_LENGTH', '3', 'SCGI', '1', 'REQUEST_METHOD', 'GET'],
          ...['HTTP_UPGRADE', 'echo', 'HTTP_CONNECTION', 'upgrade'],
        ),
      ),
    ],
    ['Connection without upgrade', asking().replace('keep-alive, Upgrade', 'keep-alive,upgrades')],
    ['a method that is not GET', asking().replace('GET', 'PUT')],
    ['HTTP/1.0', asking().replace('HTTP/1.1', 'HTTP/1.0')],
    ['no protocol in Upgrade', asking().replace('echo', '\t; \t')],
    ['a chunked body', asking('HTTP_TRANSFER_ENCODING', 'chunked')],
  ])('with %s cannot be upgraded', (_, text) => {
    const connection = open();
    connection.receive(bytes(text));
    expect(connection.next()).toMatchObject({ type: 'request' });
    expect(() => upgrade(connection)).toThrow(LocalProtocolError);
    expect(outputText(connection)).toBe('');
    // it can still be answered
    connection.send({ type: 'whole', id: 1, status: 200, reason: 'OK', headers: [], body: 'ok' });
    expect(outputText(connection)).toBe('Status: 200 OK\r\n\r\nok');
  });
});
