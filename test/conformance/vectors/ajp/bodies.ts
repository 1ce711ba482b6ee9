import { expect } from '@jest/globals';
import type { Exchange } from '@postern/core';
import type { Vector } from '../vector.ts';
import { ok, refused } from '../vector.ts';
import { asks, bodyPacket, EMPTY, forward, get, givenUp, goesOn, hex, isLast, later, packet, served } from './bytes.ts';

function post(length: number): Buffer {
  return forward({ method: 'POST', headers: ['host', 'a', 'content-length', String(length)] });
}

function posted(length: number, ...packets: Uint8Array[]): Buffer {
  return Buffer.concat([post(length), ...packets]);
}

/** Bytes of the plain GET without the header of its packet: as a body packet they are data. */
const forged = get.subarray(4);

/** Reads one piece, asks for another, and answers while that is on its way. */
async function impatient(exchange: Exchange): Promise<void> {
  const reader = exchange.input[Symbol.asyncIterator]();
  try {
    await reader.next();
    later(exchange);
    await reader.next();
  } catch {
    // nobody waits for the answer
  }
}

/** Reads two pieces, and answers. */
async function contented(exchange: Exchange): Promise<void> {
  const reader = exchange.input[Symbol.asyncIterator]();
  try {
    await reader.next();
    await reader.next();
    later(exchange);
  } catch {
    // nobody waits for the answer
  }
}

/** Packets with bytes of a body. */
export const bodies: readonly Vector[] = [
  givenUp('ERR_AJP_PACKET', {
    row: 'vA62',
    title: 'a body packet whose inner length is larger than its payload',
    input: posted(8, hex('12 34 00 05 00 05 61 62 63')),
  }),
  givenUp('ERR_AJP_PACKET', {
    row: 'vA63',
    title: 'a body packet whose inner length is smaller than its payload',
    input: posted(8, hex('12 34 00 05 00 01 61 62 63')),
  }),
  givenUp('ERR_AJP_PACKET', {
    row: 'vA64',
    title: 'a body packet without an inner length: the log says what to do about lighttpd',
    input: posted(3, hex('12 34 00 03 61 3d 31')),
    check: ({ log }) => expect(log[0].message).toContain('peer=lighttpd'),
  }),
  served({
    row: 'vA64',
    title: 'which is read where the address says that lighttpd sends it',
    input: posted(3, hex('12 34 00 03 61 3d 31')),
    peer: { peer: 'lighttpd' },
    check: ({ asked }) => expect(asked[0].body).toBe('a=1'),
  }),
  givenUp('ERR_AJP_PACKET', {
    row: 'vA65',
    title: 'a body packet of one byte',
    input: posted(8, hex('12 34 00 01 00')),
  }),
  {
    row: 'vA66',
    title: 'an empty body packet before Content-Length is reached',
    input: { 'at once': posted(8, EMPTY), 'an inner length of 0': posted(8, hex('12 34 00 02 00 00')) },
    want: refused(400, { asked: 1, aborted: 1 }),
    check: (seen) => {
      isLast(seen);
      expect(seen.asked[0].lost).toBe('ERR_BODY_SHORT');
    },
  },
  givenUp('ERR_AJP_PACKET', {
    row: 'vA67',
    title: 'a body packet with more than Content-Length leaves',
    input: posted(3, bodyPacket('abcd')),
  }),
  givenUp('ERR_AJP_PACKET', {
    row: 'vA67',
    title: 'a packet that was asked for, with more than Content-Length leaves',
    input: posted(4, bodyPacket('abc')),
    later: [bodyPacket('de')],
  }),
  served({
    row: 'vA68',
    title: 'a body packet is as large as packetSize lets it be, whatever came before',
    input: posted(8286, bodyPacket('x'.repeat(100))),
    later: [bodyPacket('y'.repeat(8186))],
    check: ({ asked }) => expect(asked[0].body).toBe('x'.repeat(100) + 'y'.repeat(8186)),
  }),
  givenUp('ERR_AJP_PACKET', {
    row: 'vA68',
    title: 'and never larger',
    input: posted(100_000, hex('12 34 1f fd 1f fb')),
    check: ({ log }) => expect(log[0].message).toContain('packetSize is 8192'),
  }),
  served({
    row: 'vA69',
    title: 'a request inside a body that is never read is not taken for one (CVE-2011-3190)',
    input: posted(forged.length, bodyPacket(forged)),
    app: later,
    oneTurn: true,
    check: ({ asked }) => expect(asked[0].method).toBe('POST'),
  }),
  served({
    row: 'vA70',
    title: 'a body packet that looks like a request is a body while one is due',
    input: {
      'its length': posted(0x0202, bodyPacket('x'.repeat(0x0202))),
      'its bytes': posted(forged.length, packet(hex('00 2f'), forged)),
    },
    check: ({ asked: [{ method, body }] }, name) =>
      expect([method, body]).toEqual(['POST', name === 'its length' ? 'x'.repeat(0x0202) : forged.toString('latin1')]),
  }),
  served({
    row: 'vA71',
    title: 'of a body that is not read the packet that came unasked is passed over, and the connection goes on',
    input: posted(2 ** 30, bodyPacket(Buffer.alloc(8186))),
    app: later,
    oneTurn: true,
  }),
  {
    row: 'vA71',
    title: 'and where that packet has not come, the connection closes',
    input: { 'its head': post(2 ** 30), 'a part of it': posted(2 ** 30, bodyPacket('x'.repeat(400)).subarray(0, 300)) },
    want: ok('fin', { others: [], rule: null }),
    app: later,
    open: true,
    oneTurn: true,
    check: isLast,
  },
  {
    row: 'vA72',
    title: 'a packet that was asked for and has not come: the connection closes behind the answer',
    input: posted(20_000, bodyPacket(Buffer.alloc(8186))),
    want: ok('fin', { others: [], rule: null }),
    app: impatient,
    open: true,
    oneTurn: true,
    check: (seen) => {
      isLast(seen);
      expect(asks(seen)).toEqual([8186]);
    },
  },
  {
    row: 'vA72',
    title: 'and where it has come the connection goes on, with the rest of the body never asked for',
    input: posted(20_000, bodyPacket(Buffer.alloc(8186))),
    later: [bodyPacket(Buffer.alloc(8186))],
    want: ok('open', { others: [], rule: null }),
    app: contented,
    check: (seen) => {
      goesOn(seen);
      expect(asks(seen)).toEqual([8186]);
    },
  },
  givenUp('ERR_AJP_PACKET', {
    row: 'vA74',
    title: 'the other direction in the middle of a body',
    input: {
      'as the first packet': posted(5, hex('41 42 00 07 00 05'), Buffer.from('hello')),
      'behind a packet': posted(5, bodyPacket('hel'), hex('41 42 00 04 00 02'), Buffer.from('lo')),
    },
  }),
];
