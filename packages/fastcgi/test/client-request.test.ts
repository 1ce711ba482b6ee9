import { describe, expect, it } from '@jest/globals';
import { limitsWith, type Role } from '@postern/core';
import { FastcgiClientConnection } from '../src/client-connection.ts';
import { RecordType } from '../src/constants.ts';
import { readPairs } from '../src/params.ts';
import { FastcgiServerConnection } from '../src/server-connection.ts';
import { askedFor, bytesOf, cut, Listener, reply } from './client-harness.ts';

const VARIABLES = [
  'REQUEST_METHOD',
  'GET',
  'SCRIPT_NAME',
  '/a',
  'PATH_INFO',
  '/b',
  'PATH_TRANSLATED',
  '/c',
  'CONTENT_LENGTH',
  '3',
  'HTTP_X',
  'y',
];

function begun(role?: Role): FastcgiClientConnection {
  const connection = new FastcgiClientConnection(limitsWith());
  connection.send({ type: 'request', id: 1, role, variables: VARIABLES, keep: true });
  return connection;
}

const chunk = Buffer.from('abc');

/** What was sent: type and content of each record. */
function sent(connection: FastcgiClientConnection): [number, string][] {
  return cut(bytesOf(connection.takeOutput(1_000_000))).map(({ type, content }) => [type, content.toString('latin1')]);
}

function namesOf(content: string): string[] {
  const names: string[] = [];
  readPairs(Buffer.from(content, 'latin1'), (name) => names.push(name));
  return names;
}

describe('a request for a role', () => {
  it.each<[Role | undefined, number]>([
    [undefined, 1],
    ['responder', 1],
    ['authorizer', 2],
    ['filter', 3],
  ])('%s begins with number %i', (role, number) => {
    const [[type, content]] = sent(begun(role));
    expect([type, content]).toEqual([RecordType.BEGIN_REQUEST, `\0${String.fromCharCode(number)}\x01\0\0\0\0\0`]);
  });

  it('of an authorizer has no STDIN, and nothing of the resource in its variables', () => {
    const connection = begun('authorizer');
    connection.send({ type: 'end', id: 1 });
    const records = sent(connection);
    expect(records.map(([type]) => type)).toEqual([1, 4, 4]);
    expect(namesOf(records[1][1])).toEqual(['REQUEST_METHOD', 'HTTP_X']);
    expect(new Listener(connection).receive(reply('')).heard).toEqual(['1 head 200', '1 end reuse']);
  });

  it('of a filter has DATA behind the end of STDIN, in whatever order they were given', () => {
    const connection = begun('filter');
    connection.send({ type: 'filter-data', id: 1, chunk });
    connection.send({ type: 'filter-end', id: 1 });
    expect(sent(connection).map(([type]) => type)).toEqual([1, 4, 4]);
    expect(connection.queued(1)).toBe(3);
    connection.send({ type: 'data', id: 1, chunk });
    connection.send({ type: 'end', id: 1 });
    expect(connection.queued(1)).toBe(6);
    expect(sent(connection)).toEqual([
      [RecordType.STDIN, 'abc'],
      [RecordType.STDIN, ''],
      [RecordType.DATA, 'abc'],
      [RecordType.DATA, ''],
    ]);
    expect(new Listener(connection).receive(reply('')).heard.at(-1)).toBe('1 end reuse');
  });

  it('of a filter that is answered before its DATA was sent ends the connection', () => {
    const connection = begun('filter');
    connection.send({ type: 'end', id: 1 });
    sent(connection);
    expect(new Listener(connection).receive(reply('')).heard.at(-1)).toBe('1 end close');
  });

  it.each<[Role, 'data' | 'filter-data', string]>([
    ['authorizer', 'data', 'body'],
    ['authorizer', 'filter-data', 'filter data'],
    ['responder', 'filter-data', 'filter data'],
  ])('of a %s refuses %s', (role, type, what) => {
    const connection = begun(role);
    const message = expect.stringContaining(`${role} has no ${what}`);
    expect(() => connection.send({ type, id: 1, chunk })).toThrow(
      expect.objectContaining({ code: 'ERR_PROTOCOL_LACKS', message }),
    );
    connection.send({ type, id: 1, chunk: Buffer.alloc(0) });
    expect(connection.queued(1)).toBe(0);
  });

  it('of a filter that is answered before anything was sent ends the connection too', () => {
    const connection = new FastcgiClientConnection(limitsWith());
    connection.send({ type: 'request', id: 1, role: 'filter', variables: [], keep: true });
    sent(connection);
    const heard = new Listener(connection).receive(reply('x')).heard;
    expect(heard).toEqual(['1 head 200', '1 end close']);
    expect(sent(connection)).toEqual([]);
  });

  it('takes nothing behind the end of a stream', () => {
    const connection = begun('filter');
    for (const type of ['end', 'filter-end'] as const) connection.send({ type, id: 1 });
    for (const type of ['data', 'filter-data'] as const) connection.send({ type, id: 1, chunk });
    expect(connection.queued(1)).toBe(0);
    sent(connection);
    for (const type of ['data', 'filter-data'] as const) connection.send({ type, id: 1, chunk });
    expect(sent(connection)).toEqual([]);
  });
});

describe('a ping', () => {
  it('is no question of FastCGI, and changes nothing', () => {
    const connection = new FastcgiClientConnection(limitsWith());
    expect(() => connection.send({ type: 'ping', id: 1 })).toThrow(
      expect.objectContaining({ code: 'ERR_PROTOCOL_LACKS' }),
    );
    expect([connection.takeOutput(1000), connection.ready]).toEqual([undefined, true]);
  });
});

describe('values', () => {
  const NAMES = ['FCGI_MAX_CONNS', 'FCGI_MAX_REQS', 'FCGI_MPXS_CONNS'];

  it('are asked for in a record of id 0, and told by our server, mid-request too', () => {
    for (const connection of [new FastcgiClientConnection(limitsWith()), askedFor({ ids: [1] })]) {
      const server = new FastcgiServerConnection(limitsWith({ maxConnections: 10, maxConcurrentPerConnection: 20 }));
      connection.send({ type: 'values', id: 70_000 });
      const bytes = bytesOf(connection.takeOutput(1000));
      expect(cut(bytes)).toMatchObject([{ type: RecordType.GET_VALUES, id: 0 }]);
      expect(namesOf(cut(bytes)[0].content.toString('latin1'))).toEqual(NAMES);
      server.receive(bytes);
      expect(server.next()).toBeUndefined();
      const listener = new Listener(connection).receive(bytesOf(server.takeOutput(1000)));
      const values = 'FCGI_MAX_CONNS 10 FCGI_MAX_REQS 20 FCGI_MPXS_CONNS 1';
      expect(listener.heard).toEqual([`70000 values ${values} at once 20`]);
      expect(connection.wantsClose).toBe(false);
    }
  });
});
