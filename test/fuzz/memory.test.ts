import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import {
  ChunkList,
  type ClientConnection,
  limitsWith,
  RemoteProtocolError,
  type ServerConnection,
} from '@postern/core';
import { begin, outputText, pair, pairs, params, plainGet, record, stdin } from '@postern/testkit';
import { ajp } from '../../packages/ajp/src/index.ts';
import { bodyPacket, CPING, forward } from '../../packages/ajp/test/writer.ts';
import { fastcgi } from '../../packages/fastcgi/src/index.ts';
import { scgi } from '../../packages/scgi/src/index.ts';
import { uwsgi } from '../../packages/uwsgi/src/index.ts';
import * as container from './ajp-answers.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes on and off the heap that are in use: what several collections in a row leave, for one alone leaves some of it. */
async function memory(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 4; i++) {
    collectGarbage();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    least = Math.min(least, heapUsed + arrayBuffers);
    await new Promise(setImmediate);
  }
  return least;
}

const READ = 65_536;
const SENT = 8 << 20;
/** A window, a read, and what the harness itself keeps. */
const KEPT = 700_000;

/**
 * What a connection keeps of eight mebibytes that nobody reads: reads of 64 KiB, each in memory of its own, as long as it
 * wants to read; and what it hands out of a body unasked.
 */
async function kept(
  connection: ServerConnection | ClientConnection,
  first: Uint8Array,
  flood: Uint8Array,
): Promise<number> {
  const before = await memory();
  const held = new ChunkList();
  let rest = first;
  let sent = 0;
  try {
    while (sent < SENT && connection.wantsRead && connection.wantsClose === false) {
      const chunk = Buffer.concat([rest, Buffer.alloc(Math.ceil(READ / flood.length) * flood.length, flood)]);
      rest = new Uint8Array();
      sent += chunk.length;
      connection.receive(chunk);
      for (let event = connection.next(); event !== undefined; event = connection.next()) {
        if ('chunk' in event && event.type !== 'log') held.push(Buffer.from(event.chunk));
      }
      outputText(connection);
      if ('retain' in connection) connection.retain();
    }
  } catch (error) {
    if (!(error instanceof RemoteProtocolError)) throw error;
  }
  const after = await memory();
  // both are in use until here
  expect(connection.wantsClose).toBeDefined();
  expect(held.length).toBeLessThan(KEPT);
  return after - before;
}

const limits = limitsWith();
const post = { ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '99999999' };
const head = Buffer.concat([begin(1, 1), params(pairs(post)), params()]);
const asking = Buffer.concat([
  begin(1, 1),
  params(pairs({ ...plainGet, HTTP_UPGRADE: 'websocket', HTTP_CONNECTION: 'Upgrade' })),
  params(),
]);
const nothing = new Uint8Array();

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

type Flood = [name: string, open: () => ServerConnection | ClientConnection, first: Uint8Array, flood: Uint8Array];

const toServers: Flood[] = [
  ['FastCGI: a body', () => fastcgi.server(limits), head, stdin('x'.repeat(65_535))],
  ['FastCGI: a body in records of one byte', () => fastcgi.server(limits), head, stdin('x')],
  ['FastCGI: a body before its head', () => fastcgi.server(limits), begin(), stdin('x'.repeat(999))],
  ['FastCGI: bytes behind a request for an upgrade', () => fastcgi.server(limits), asking, stdin('x'.repeat(999))],
  ['FastCGI: PARAMS without end', () => fastcgi.server(limits), begin(), params(pair('N', 'v'.repeat(50)))],
  ['FastCGI: padding', () => fastcgi.server(limits), head, record(5, 1, '', { padding: 255 })],
  ['FastCGI: GET_VALUES', () => fastcgi.server(limits), nothing, record(9, 0, pair('FCGI_MAX_REQS', ''))],
  [
    'FastCGI: requests begun and aborted',
    () => fastcgi.server(limits),
    nothing,
    Buffer.concat([begin(1, 1), record(2, 1)]),
  ],
  ['SCGI: digits', () => scgi.server(limits), nothing, latin1('1')],
  ['SCGI: a netstring that is too long', () => scgi.server(limits), latin1('999999:'), latin1('x'.repeat(999))],
  [
    'SCGI: a body',
    () => scgi.server(limits),
    latin1('64:CONTENT_LENGTH\x0099999999\0SCGI\x001\0REQUEST_METHOD\0PUT\0REQUEST_URI\0/\0,'),
    latin1('x'),
  ],
  ['uwsgi: a block', () => uwsgi.server(limits), Buffer.of(0, 255, 255, 0), Buffer.of(1, 0, 65, 1, 0, 66)],
  ['AJP: packets that are too long', () => ajp.server(limits), nothing, Buffer.of(0x12, 0x34, 255, 255)],
  [
    'AJP: a body',
    () => ajp.server(limits),
    forward({ method: 'POST', headers: ['content-length', '99999999'] }),
    bodyPacket('x'.repeat(8186)),
  ],
  ['AJP: CPING', () => ajp.server(limits), nothing, CPING],
];

function asked<Connection extends ClientConnection>(connection: Connection): Connection {
  connection.send({ type: 'request', id: 1, variables: ['REQUEST_METHOD', 'GET'], keep: true });
  outputText(connection);
  return connection;
}

function askedOnce<Connection extends ClientConnection>(connection: Connection): Connection {
  connection.send({ type: 'request', id: 1, variables: ['REQUEST_METHOD', 'GET'], keep: false });
  outputText(connection);
  return connection;
}

const reply = latin1('Status: 200 OK\r\n\r\n');

const toClients: Flood[] = [
  ['FastCGI: a body', () => asked(fastcgi.client(limits)), record(6, 1, reply), record(6, 1, 'x'.repeat(65_535))],
  [
    'FastCGI: a body in records of one byte',
    () => asked(fastcgi.client(limits)),
    record(6, 1, reply),
    record(6, 1, 'x'),
  ],
  ['FastCGI: a head without end', () => asked(fastcgi.client(limits)), nothing, record(6, 1, 'X: y\r\n')],
  ['FastCGI: STDERR', () => asked(fastcgi.client(limits)), nothing, record(7, 1, 'x'.repeat(99))],
  ['SCGI: a head without end', () => askedOnce(scgi.client(limits)), nothing, latin1('X')],
  ['SCGI: interim heads', () => askedOnce(scgi.client(limits)), nothing, latin1('Status: 103\n\n')],
  ['SCGI: a body', () => askedOnce(scgi.client(limits)), reply, latin1('x')],
  ['uwsgi: a head without end', () => askedOnce(uwsgi.client(limits)), nothing, latin1('X: y\n')],
  ['AJP: a body', () => asked(ajp.client(limits)), container.headers(), container.chunk('x'.repeat(8184))],
  ['AJP: FLUSH', () => asked(ajp.client(limits)), container.headers(), container.FLUSH],
  ['AJP: packets that are not whole', () => asked(ajp.client(limits)), nothing, Buffer.of(0x41, 0x42, 31, 0, 4)],
];

describe.each([
  ['a server', toServers],
  ['a client', toClients],
] as const)('what %s keeps of what nobody reads', (_, floods) => {
  it.each(floods.map(([name, ...flood]) => [name, flood] as const))(
    'is bounded: %s',
    async (_name, [open, first, flood]) => {
      expect(await kept(open(), first, flood)).toBeLessThan(KEPT);
    },
  );
});
