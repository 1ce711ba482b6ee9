import { ok, refused, shut, type Vector } from '../vector.ts';
import { block, deepThought, each, latin1, netstring, question } from './parts.ts';

const fixed = block([
  ['CONTENT_LENGTH', '0'],
  ['SCGI', '1'],
  ['REQUEST_METHOD', 'GET'],
  ['A', 'x'.repeat(65_535)],
]);
/** What the value of one more variable, B, may have: name, value and two NULs fill the limit. */
const room = 131_072 - fixed.length - 3;

const odd = latin1(`70:${deepThought};${question}`);

/** The netstring around the header block. */
export const netstringVectors: readonly Vector[] = [
  {
    row: 'vS3',
    title: 'the first byte is no digit',
    input: each(['-5:', '+5:', ' 5:', ':', ',', '\0\0\0\0', 'GET /\n'], latin1),
    want: shut({ rule: 'ERR_SCGI_NETSTRING' }),
  },
  {
    row: 'vS3',
    title: 'the beginning of another protocol, and silence',
    input: each(['GET /', '\0'], latin1),
    open: true,
    pass: 11_000,
    want: shut({ rule: 'ERR_TIMEOUT_HEAD' }),
  },
  {
    row: 'vS3',
    title: 'a request of HTTP gets a page that says what is served here',
    input: latin1('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n'),
    want: { asked: 0, answers: ['421 HTTP'], closed: 'fin', rule: 'ERR_WRONG_PROTOCOL' },
    check: ({ output }) => {
      if (!/^HTTP\/1\.1 421 /.test(output) || output.length > 1024) throw new Error(`no small page: ${output}`);
    },
  },
  {
    row: 'vS4',
    title: 'the length has a leading zero',
    input: { ...each(['00:', '07:'], latin1), '070:…': latin1(`070:${deepThought},${question}`) },
    want: refused(400, { rule: 'ERR_SCGI_NETSTRING' }),
  },
  { row: 'vS5', title: 'an empty block', input: latin1('0:,'), want: refused(400) },
  {
    row: 'vS6',
    title: 'no colon behind the digits',
    input: each(['70;', '70 :', '7a:'], latin1),
    want: shut({ rule: 'ERR_SCGI_NETSTRING' }),
  },
  {
    row: 'vS7',
    title: 'a huge length is refused at its seventh digit',
    input: each(['99999999999:', '9999999'], latin1),
    want: refused(431, { rule: 'ERR_ENV_BYTES' }),
  },
  {
    row: 'vS7',
    title: 'six digits may be a length, and are waited for',
    input: latin1('999999'),
    open: true,
    want: { asked: 0, answers: [], closed: 'open', rule: null },
  },
  {
    row: 'vS8',
    title: 'digits without end',
    input: Buffer.alloc(1 << 20, '1'),
    wholeOnly: true,
    want: refused(431, { rule: 'ERR_ENV_BYTES' }),
  },
  {
    row: 'vS9',
    title: 'a length above the limit is refused at its colon',
    input: latin1('131073:'),
    want: refused(431, { rule: 'ERR_ENV_BYTES' }),
  },
  {
    row: 'vS10',
    title: 'a block of exactly the limit',
    input: latin1(netstring(fixed + block([['B', 'x'.repeat(room)]]))),
    want: ok(),
    check: ({ asked }) => {
      if (asked[0].variables.B !== 'x'.repeat(room)) throw new Error('the last value did not come whole');
    },
  },
  { row: 'vS11', title: 'no comma behind the block', input: odd, want: refused(400, { rule: 'ERR_SCGI_NETSTRING' }) },
  {
    row: 'vS12',
    title: 'the length is one short',
    input: latin1(`70:${deepThought.replace('/deep', '/deeep')},`),
    want: refused(400, { rule: 'ERR_SCGI_NETSTRING' }),
  },
  {
    row: 'vS13',
    title: 'FIN within the block',
    input: latin1(`70:${deepThought.slice(0, 69)}`),
    open: true,
    fin: true,
    want: shut({ rule: 'ERR_SCGI_NETSTRING' }),
  },
  {
    row: 'vS34',
    title: 'the colon never comes',
    input: latin1('7'),
    open: true,
    pass: 11_000,
    want: shut({ rule: 'ERR_TIMEOUT_HEAD' }),
  },
];
