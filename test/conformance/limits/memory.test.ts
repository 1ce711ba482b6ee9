import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { limitTable } from '@postern/core';
import { begin, type OneOfFive, pair, pairs, params, plainGet, record, requestInFive, stdin } from '@postern/testkit';
import type { Peer } from '../../../packages/server/test/support/peer.ts';
import { type FaultServer, faultServer } from '../../faults/support/fault-child.ts';
import { gone, times } from './limited.ts';

const MIB = 1_048_576;
/** What is put together of pieces lies in memory that doubles, and what it was before waits for the collector. */
const ROOM = 524_288;
/** node:http reads what is thrown away too. */
const NODE = 8 * MIB;
/** Enough that keeping it would be seen. */
const MUCH = 32 * MIB;

let server: FaultServer;

beforeAll(async () => {
  server = await faultServer({ watched: true });
});

afterAll(() => server.stop());

/** Sends a beginning, and then the same over and over, until so much is sent, or the server takes no more of it. */
async function pour(peer: Peer, first: Uint8Array, again: Uint8Array): Promise<void> {
  peer.write(first);
  for (let sent = 0; sent < MUCH && !gone(peer); sent += again.length) {
    if (peer.socket.write(again)) continue;
    const drained = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(resolve, 1000, false);
      peer.socket.once('drain', () => {
        clearTimeout(timer);
        resolve(true);
      });
      peer.socket.once('close', () => {
        clearTimeout(timer);
        resolve(false);
      });
    });
    if (!drained) return;
  }
}

async function growth(protocol: OneOfFive, first: Uint8Array, again: Uint8Array): Promise<number> {
  await server.reset();
  const peer = await server.connect(protocol);
  peer.socket.on('error', () => {});
  await pour(peer, first, again);
  const { external } = (await server.state()).growth;
  peer.socket.destroy();
  return external * MIB;
}

const upload = (length: string): Buffer =>
  Buffer.concat([
    begin(),
    params(pairs({ ...plainGet, REQUEST_URI: '/never', REQUEST_METHOD: 'POST', CONTENT_LENGTH: length })),
    params(),
  ]);
const name = (size: number): Buffer => params(pair('HTTP_X', 'x'.repeat(size)));
const lines = Buffer.from(`X-A: ${'x'.repeat(1000)}\r\n`.repeat(60));
const body = Buffer.alloc(65_528, 'x');

it.each<[string, string, OneOfFive, Uint8Array, Uint8Array, number]>([
  ['L5', 'variables of FastCGI', 'fastcgi', begin(), times(60, name(1000)), limitTable.maxEnvBytes.default],
  ['L5', 'a netstring of SCGI', 'scgi', Buffer.from('131072:'), body, limitTable.maxEnvBytes.default],
  ['L5', 'a block of uwsgi', 'uwsgi', Buffer.of(0, 0xff, 0xff, 0), body, limitTable.maxEnvBytes.default],
  ['L5', 'fields of HTTP', 'http', Buffer.from('GET / HTTP/1.1\r\n'), lines, NODE],
  ['L7', 'one value', 'fastcgi', Buffer.concat([begin(), Buffer.of(1, 4, 0, 1, 255, 255, 0, 0, 1, 0xff)]), body, 0],
  ['L8', 'records of one byte', 'fastcgi', begin(), times(4000, params('x')), limitTable.maxEnvBytes.default],
  ['L9', 'packets of AJP', 'ajp', Buffer.of(0x12, 0x34, 0x20, 0), body, 8192],
  ['L17', 'a body of FastCGI', 'fastcgi', upload(''), stdin(body), limitTable.bodyHighWater.default],
  [
    'L17',
    'a body of SCGI',
    'scgi',
    requestInFive('scgi', '/never', '', 2 ** 40),
    body,
    limitTable.bodyHighWater.default,
  ],
  [
    'L17',
    'a body of uwsgi',
    'uwsgi',
    requestInFive('uwsgi', '/never', '', 2 ** 40),
    body,
    limitTable.bodyHighWater.default,
  ],
  [
    'L18',
    'bytes of a body one by one',
    'fastcgi',
    upload(''),
    times(4000, stdin('x')),
    limitTable.bodyHighWater.default * 3,
  ],
  ['L24', 'records of no request', 'fastcgi', begin(), times(4000, stdin('', 9)), 0],
  ['L26', 'records of unknown types', 'fastcgi', begin(), times(4000, record(200, 0)), 0],
  ['L27', 'what comes behind an error', 'scgi', Buffer.from('200000:'), body, 0],
])('%s: %s without end cost what the limit allows', async (_row, _what, protocol, first, again, limit) => {
  expect(await growth(protocol, first, again)).toBeLessThanOrEqual(2 * limit + ROOM);
});
