import { expect } from '@jest/globals';
import { atOnce, ignored, shut, type Vector } from '../vector.ts';
import { CPING, closed, EMPTY, forward, get, hex, isLast, later, packet, served, turnedDown } from './bytes.ts';

const room = 8192 - forward({ headers: ['X-A', ''] }).length;

/** Packets and their headers, and the messages that stand alone. */
export const packets: readonly Vector[] = [
  served({
    row: 'vA1',
    title: 'a plain GET is answered once, and the connection is kept',
    input: get,
    check: ({ output }) => expect(output.endsWith('\x41\x42\x00\x02\x05\x01')).toBe(true),
  }),
  closed('ERR_AJP_PACKET', {
    row: 'vA2',
    title: 'a packet begins with other bytes',
    input: { '12 35': hex('12 35 00 01 0a'), 'the other direction': hex('41 42 00 01 09') },
  }),
  closed('ERR_AJP_PACKET', {
    row: 'vA2',
    title: 'it begins as HTTP does, and ends there',
    input: hex('47 45 54 20'),
    fin: true,
    open: true,
  }),
  closed('ERR_WRONG_PROTOCOL', { row: 'vA2', title: 'TLS', input: hex('16 03 01 02 00 01 00 01 fc 03 03') }),
  {
    row: 'vA2',
    title: 'a whole request line of HTTP is answered with a page that says what to change',
    input: Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
    want: { asked: 0, answers: ['421 HTTP'], closed: 'fin', rule: 'ERR_WRONG_PROTOCOL' },
    // behind a request these bytes are no beginning any more
    wholeOnly: true,
    check: ({ output }) => expect(output.length).toBeLessThan(1024),
  },
  {
    row: 'vA3',
    title: 'CPING is answered with CPONG, and the connection goes on',
    input: hex('12 34 00 01 0a'),
    want: ignored({ others: ['4142000109'] }),
  },
  closed('ERR_AJP_MESSAGE', { row: 'vA4', title: 'CPING with a byte more', input: hex('12 34 00 02 0a 00') }),
  {
    row: 'vA5',
    title: '100 CPINGs are answered',
    input: Buffer.alloc(500, CPING),
    want: ignored({ others: Array(100).fill('4142000109') }),
  },
  {
    row: 'vA5',
    title: 'a flood of CPINGs closes, and 100 are answered',
    input: Buffer.alloc(50_000, CPING),
    want: shut({ others: Array(100).fill('4142000109'), rule: 'ERR_FLOOD' }),
    check: ({ output }) => expect(output.length).toBe(500),
  },
  closed('ERR_AJP_MESSAGE', {
    row: 'vA6',
    title: 'SHUTDOWN closes the connection and nothing else',
    input: hex('12 34 00 01 07'),
  }),
  closed('ERR_AJP_MESSAGE', {
    row: 'vA7',
    title: 'a message that no application gets',
    input: Object.fromEntries(
      [8, 9, 0, 1, 3, 4, 5, 6, 11, 12, 127, 255].map((type) => [`type ${type}`, packet(Buffer.of(type))]),
    ),
  }),
  closed('ERR_AJP_MESSAGE', { row: 'vA8', title: 'a packet without payload in front of all', input: EMPTY }),
  served({
    row: 'vA9',
    title: 'a packet without payload while a request without body runs',
    input: Buffer.concat([get, EMPTY]),
  }),
  served({
    row: 'vA9',
    title: 'and behind its answer',
    input: Buffer.concat([get, EMPTY]),
    app: atOnce,
  }),
  turnedDown(400, 'ERR_AJP_PACKET', {
    row: 'vA10',
    title: 'a packet longer than packetSize, which the log names',
    input: {
      'its header': hex('12 34 1f fd'),
      'all of it': Buffer.concat([hex('12 34 1f fd'), Buffer.alloc(8189, 2)]),
    },
    open: true,
    check: ({ log }) => expect(log[0].message).toContain('8193 bytes, packetSize is 8192'),
  }),
  served({
    row: 'vA11',
    title: 'a packet of the largest size',
    input: forward({ headers: ['X-A', 'x'.repeat(room)] }),
    check: ({ asked }) => expect(asked[0].variables.HTTP_X_A?.length).toBe(room),
  }),
  turnedDown(400, 'ERR_AJP_PACKET', {
    row: 'vA12',
    title: 'a packet of 65539 bytes is refused by its header',
    input: { 'its header': hex('12 34 ff ff'), 'all of it': Buffer.concat([hex('12 34 ff ff'), Buffer.alloc(65_535)]) },
    open: true,
  }),
  closed('ERR_AJP_PACKET', {
    row: 'vA13',
    title: 'the connection ends within a packet',
    input: get.subarray(0, 28),
    fin: true,
    open: true,
  }),
  closed('ERR_TIMEOUT_HEAD', {
    row: 'vA14',
    title: 'a packet is never completed',
    input: get.subarray(0, 28),
    pass: 12_000,
    open: true,
  }),
  {
    row: 'vA73',
    title: 'a request that comes before the answer to the one before it is not read',
    input: Buffer.concat([get, forward({ uri: '/second' })]),
    want: { asked: 1, answers: ['200'], closed: 'fin', aborted: 0, others: [] },
    app: later,
    oneTurn: true,
    check: isLast,
  },
];
