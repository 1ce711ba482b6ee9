import { hex } from '@postern/testkit';
import { each, latin1 } from '../scgi/parts.ts';
import { ok, refused, shut, type Vector } from '../vector.ts';
import { baseline, modified, packet, withBytes } from './parts.ts';

const larger = Buffer.concat([hex('00 ff 00 00'), baseline.subarray(4)]);
const badBlock = refused(400, { rule: 'ERR_UWSGI_BLOCK' });
const badModifier = refused(501, { rule: 'ERR_UWSGI_MODIFIER' });

/** The header of a packet, and how its block is cut into names and values. */
export const packetVectors: readonly Vector[] = [
  {
    row: 'vU1',
    title: 'a plain GET is answered with an HTTP status line',
    input: baseline,
    want: ok(),
    check: ({ output }) => {
      if (!output.startsWith('HTTP/1.1 200 OK\r\n')) throw new Error(output);
    },
  },
  {
    row: 'vU2',
    title: 'another modifier1 selects nothing',
    input: Object.fromEntries(
      [0x05, 0x11, 0x12, 0x16, 0x1f, 0x64, 0x6e, 0x6f, 0xad, 0xff].map((one) => [one.toString(16), modified(one)]),
    ),
    want: badModifier,
  },
  {
    row: 'vU2',
    title: 'another modifier1 is refused before its block has come',
    input: Object.fromEntries([0x16, 0xad].map((one) => [one.toString(16), Buffer.of(one, 0xff, 0xff, 0)])),
    want: badModifier,
  },
  {
    row: 'vU3',
    title: 'another modifier2',
    input: Object.fromEntries([1, 7, 255].map((one) => [String(one), modified(0, one)])),
    want: badModifier,
  },
  {
    row: 'vU4',
    title: 'an empty block has no method',
    input: packet(''),
    want: refused(400, { rule: 'ERR_ENV_METHOD' }),
  },
  {
    row: 'vU5',
    title: 'a size larger than what is sent, then FIN',
    input: larger,
    fin: true,
    open: true,
    want: shut({ rule: 'ERR_UWSGI_BLOCK' }),
  },
  {
    row: 'vU6',
    title: 'a size larger than what is sent, then silence',
    input: larger,
    open: true,
    pass: 11_000,
    want: refused(408, { rule: 'ERR_TIMEOUT_HEAD' }),
  },
  {
    row: 'vU7',
    title: 'a name of no bytes',
    input: { alone: packet('\0\0\x01\0x'), 'behind others': withBytes('\0\0\x01\0x') },
    want: badBlock,
  },
  {
    row: 'vU8',
    title: 'a name runs past the block',
    input: { alone: packet('\x10\0AB'), 'behind others': withBytes('\x10\0AB') },
    want: badBlock,
  },
  { row: 'vU9', title: 'one stray byte at the end of the block', input: withBytes('A'), want: badBlock },
  {
    row: 'vU10',
    title: 'a name, and no size of a value',
    input: { 'no byte': withBytes('\x01\0A'), 'half of it': withBytes('\x01\0A\0') },
    want: badBlock,
  },
  { row: 'vU11', title: 'a value runs past the block', input: withBytes('\x01\0A\x09\0x'), want: badBlock },
  {
    row: 'vU12',
    title: 'an empty value at the end',
    input: withBytes('\x01\0A\0\0'),
    want: ok(),
    check: ({ asked }) => {
      if (asked[0].variables.A !== '') throw new Error('the empty value did not come');
    },
  },
  {
    row: 'vU13',
    title: 'sizes with the high byte first',
    input: packet('\0\x0eREQUEST_METHOD\0\x03GET'),
    want: badBlock,
  },
  {
    row: 'vU24',
    title: 'a header in four pieces',
    input: baseline,
    want: ok(),
  },
  {
    row: 'vU25',
    title: 'a request of HTTP gets a page that says what is served here',
    input: latin1('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n'),
    want: { asked: 0, answers: ['421 HTTP'], closed: 'fin', rule: 'ERR_WRONG_PROTOCOL' },
    check: ({ output }) => {
      if (!/^HTTP\/1\.1 421 /.test(output) || output.length > 1024) throw new Error(`no small page: ${output}`);
    },
  },
  {
    row: 'vU25',
    title: 'the beginning of HTTP, and silence',
    input: latin1('GET '),
    open: true,
    pass: 11_000,
    want: shut({ rule: 'ERR_TIMEOUT_HEAD' }),
  },
  {
    row: 'vU25',
    title: 'what begins as a word, and is no HTTP',
    input: each(['GET \0', 'QUIT\r\n'], latin1),
    want: shut({ rule: 'ERR_UWSGI_MODIFIER' }),
  },
];
