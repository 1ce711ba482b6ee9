import { describe, expect, it } from '@jest/globals';
import { LocalProtocolError } from '@postern/core';
import {
  abort,
  begin,
  everyWay,
  outputText,
  plainGet,
  readRecords,
  readReplies,
  request,
  stdin,
  type Tunnelled,
  type TunnelPlay,
  tunnelling,
  upgrade,
} from '@postern/testkit';
import { data, open, receive, summary, whole } from './driving.ts';
import { complete, server } from './serving.ts';

// lighttpd 1.4.74 and newer with "upgrade" => "enable": it holds the empty STDIN back, and sends raw bytes as STDIN

const wish = { HTTP_UPGRADE: 'echo', HTTP_CONNECTION: 'upgrade' };
const SWITCHED = 'Status: 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n';
const asking = (id = 1, flags = 0): Buffer => open(id, wish, flags);

function talk(parts: Buffer[], play: TunnelPlay = {}): Tunnelled {
  return everyWay(Buffer.concat(parts), (chunks) => {
    const { output, ...rest } = tunnelling(server(), chunks, play);
    // where records are cut depends on how bytes come
    return { ...rest, output: JSON.stringify(readReplies(output).replies) };
  });
}

function repliesOf({ output }: Tunnelled): unknown {
  return JSON.parse(output);
}

describe('a tunnel', () => {
  it.each([false, true])('carries STDIN and STDOUT raw behind a 101, answered late: %s', (late) => {
    const told = talk([asking(), stdin('one'), stdin('two')], { late });
    expect(told).toMatchObject({ events: ['request'], heard: 'onetwo', close: false });
    expect(repliesOf(told)).toEqual([{ id: 1, stdout: `${SWITCHED}onetwo`, stderr: '', closed: false }]);
  });

  it('ends its one half at the empty STDIN, and the request with the other', () => {
    const told = talk([asking(), stdin('bye'), stdin()]);
    expect(told).toMatchObject({ events: ['request', 'end'], heard: 'bye', close: 'fin' });
    expect(repliesOf(told)).toMatchObject([{ stdout: `${SWITCHED}bye`, closed: true, end: complete }]);
  });

  it('whose STDIN has ended with the request is closed on that side from the start', () => {
    const told = talk([request({ ...plainGet, ...wish })], {
      end: (connection, id) => connection.send({ type: 'data', id, chunk: 'from here alone' }),
    });
    expect(told).toMatchObject({ events: ['request', 'end'], heard: '', close: false });
    expect(repliesOf(told)).toMatchObject([{ stdout: `${SWITCHED}from here alone`, closed: false }]);
  });

  it('leaves the connection for the next request', () => {
    const connection = server();
    receive(connection, asking(1, 1));
    upgrade(connection);
    data(connection, 'hi');
    connection.send({ type: 'end', id: 1 });
    expect(readReplies(outputText(connection)).replies).toMatchObject([
      { stdout: `${SWITCHED}hi`, closed: true, end: complete },
    ]);
    expect(connection.wantsClose).toBe(false);
    expect(summary(receive(connection, stdin('late'), stdin(), request(plainGet, { id: 1, flags: 1 })))).toEqual([
      '1 request',
    ]);
  });

  it('half-ends by an empty STDOUT, reads on, and ends without a second one', () => {
    const connection = server();
    receive(connection, asking());
    upgrade(connection);
    data(connection, 'last');
    connection.send({ type: 'half-end', id: 1 });
    const first = outputText(connection);
    expect(readReplies(first).replies).toMatchObject([{ stdout: `${SWITCHED}last`, closed: true, end: undefined }]);
    expect(connection.wantsClose).toBe(false);
    expect(summary(receive(connection, stdin('still')))).toEqual(['1 data still']);
    connection.send({ type: 'end', id: 1 });
    expect(readRecords(outputText(connection)).map(({ type }) => type)).toEqual([3]);
    expect(connection.wantsClose).toBe('fin');
  });

  it('does not concern its neighbours, and they do not concern it', () => {
    const connection = server();
    receive(connection, asking(1, 1), open(2, {}, 1), stdin('', 2));
    upgrade(connection, 1);
    whole(connection, 2, 'neighbour');
    expect(summary(receive(connection, stdin('a', 1), open(3, wish, 1), stdin('b', 1)))).toEqual([
      '1 data a',
      '3 request',
      '1 data b',
    ]);
    upgrade(connection, 3);
    expect(summary(receive(connection, stdin('c', 3), stdin('d', 1)))).toEqual(['3 data c', '1 data d']);
    data(connection, 'three', 3);
    connection.send({ type: 'end', id: 3 });
    data(connection, 'one', 1);
    const { replies } = readReplies(outputText(connection));
    expect(replies.map(({ id, stdout, end }) => [id, stdout.split('\r\n\r\n')[1], end])).toEqual([
      [2, 'neighbour', complete],
      [1, 'one', undefined],
      [3, 'three', complete],
    ]);
  });

  it('hands out no more than bodyHighWater before it is pulled', () => {
    const connection = server({ bodyHighWater: 4 });
    receive(connection, asking());
    upgrade(connection);
    expect(summary(receive(connection, stdin('12345'), stdin('6789')))).toEqual(['1 data 12345']);
    expect(connection.wantsRead).toBe(false);
    connection.pull(1);
    expect(connection.wantsRead).toBe(true);
    expect(summary(receive(connection))).toEqual(['1 data 6789']);
  });

  it('keeps no more than bodyHighWater before it is answered, and loses nothing', () => {
    const connection = server({ bodyHighWater: 4 });
    expect(summary(receive(connection, asking(), stdin('123'), stdin('456')))).toEqual(['1 request']);
    expect(connection.wantsRead).toBe(false);
    upgrade(connection);
    expect(connection.wantsRead).toBe(true);
    expect(summary(receive(connection))).toEqual(['1 data 123', '1 data 456']);
  });

  it('that breaks off alone on its connection ends it so that the web server can tell', () => {
    const connection = server();
    receive(connection, asking());
    upgrade(connection);
    outputText(connection);
    connection.send({ type: 'abort', id: 1 });
    expect(outputText(connection)).toBe('\0'.repeat(8));
    expect(connection.wantsClose).toBe('reset');
  });

  it.each([
    ['ABORT_REQUEST', (connection: ReturnType<typeof server>) => receive(connection, abort())],
    [
      'FIN',
      (connection: ReturnType<typeof server>) => {
        connection.receiveEnd();
        return receive(connection);
      },
    ],
  ])('is given up by %s', (_, leave) => {
    const connection = server();
    receive(connection, asking());
    upgrade(connection);
    expect(leave(connection).map(({ type }) => type)).toEqual(['abort']);
  });
});

describe('a request for an upgrade', () => {
  it('that is answered otherwise is answered, and STDIN behind it is dropped', () => {
    const connection = server();
    expect(summary(receive(connection, asking(1, 1), stdin('behind')))).toEqual(['1 request']);
    whole(connection);
    expect(readReplies(outputText(connection)).replies).toMatchObject([{ end: complete }]);
    expect(summary(receive(connection, stdin('more'), stdin(), request(plainGet, { flags: 1 })))).toEqual([
      '1 request',
    ]);
  });

  it('that is answered with a stream reads on', () => {
    const connection = server({ bodyHighWater: 4 });
    receive(connection, asking(1, 1), stdin('123'), stdin('456'));
    expect(connection.wantsRead).toBe(false);
    connection.send({ type: 'head', id: 1, status: 200, reason: 'OK', headers: [] });
    expect(connection.wantsRead).toBe(true);
    expect(receive(connection)).toEqual([]);
  });

  it('is one of a responder alone', () => {
    const connection = server({}, { roles: ['authorizer'] });
    const [, ...rest] = [asking(), asking().subarray(16)];
    receive(connection, begin(1, 0, 2), ...rest);
    expect(() => upgrade(connection)).toThrow(LocalProtocolError);
  });

  it('cannot be had by a request that does not ask', () => {
    const connection = server();
    receive(connection, request());
    expect(() => upgrade(connection)).toThrow(LocalProtocolError);
    whole(connection);
    expect(readReplies(outputText(connection)).replies).toMatchObject([{ end: complete }]);
  });
});
