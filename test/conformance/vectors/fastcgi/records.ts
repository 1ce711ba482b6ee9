import { begin, hex, pairs, params, plainGet, type RecordExtras, record, request, stdin } from '@postern/testkit';
import { atOnce, ok, shut, silent, type Vector } from '../vector.ts';
import { bytes, env, get, post } from './parts.ts';

/** The plain GET, with extras on each of its records. */
function getWith(...extras: RecordExtras[]): Buffer {
  const [first, second = first, third = second, last = third] = extras;
  return bytes(begin(1, 0, 1, first), params(env, 1, second), params('', 1, third), stdin('', 1, last));
}

const padded = { padding: 255, fill: 0xaa };
const many = 'x'.repeat(65_535);

/** Records as such: their headers, padding and ends. */
export const recordVectors: readonly Vector[] = [
  {
    row: 'vF1',
    title: 'a plain GET is answered once',
    input: get,
    want: ok('fin', { others: [] }),
    check: ({ output }) => {
      if (!output.startsWith('\x01\x06\0\x01')) throw new Error('no STDOUT first');
      const end = '\x01\x06\0\x01\0\0\0\0\x01\x03\0\x01\0\x08\0\0\0\0\0\0\0\0\0\0';
      if (!output.endsWith(end)) throw new Error('no empty STDOUT and END_REQUEST at the end');
    },
  },
  {
    row: 'vF2',
    title: 'an id is used again on a kept connection, and sees nothing of the request before',
    input: bytes(request({ ...plainGet, REMOTE_USER: 'root' }, { flags: 1 }), request(plainGet, { flags: 1 })),
    app: atOnce,
    want: { asked: 2, answers: ['200', '200'], closed: 'open', aborted: 0, rule: null },
    check: ({ asked }) => {
      if (asked[0].variables.REMOTE_USER !== 'root') throw new Error('the first has no REMOTE_USER');
      if (asked[1].variables.REMOTE_USER !== undefined) throw new Error('REMOTE_USER of another request');
    },
  },
  {
    row: 'vF3',
    title: 'version 0',
    input: hex('00 01 00 01 00 08 00 00 00 01 00 00 00 00 00 00'),
    want: shut({ rule: 'ERR_FCGI_VERSION' }),
  },
  {
    row: 'vF4',
    title: 'version 2',
    input: hex('02 01 00 01 00 08 00 00 00 01 00 00 00 00 00 00'),
    want: shut({ rule: 'ERR_FCGI_VERSION' }),
  },
  {
    row: 'vF5',
    title: 'an HTTP request gets a small page that says what to change',
    input: hex('47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d 0a 0d 0a'),
    want: { asked: 0, answers: ['421 HTTP'], closed: 'fin', rule: 'ERR_WRONG_PROTOCOL' },
    check: ({ output }) => {
      if (output.length > 1024 || !output.includes('fastcgi_pass')) throw new Error(`the page is ${output}`);
    },
  },
  {
    row: 'vF6',
    title: 'a TLS ClientHello',
    input: hex('16 03 01 02 00 01 00 00 01 fc 03 03'),
    want: shut({ rule: 'ERR_WRONG_PROTOCOL' }),
  },
  { row: 'vF7', title: 'reserved bytes of 255 in every header', input: getWith({ reserved: 255 }), want: ok() },
  {
    row: 'vF8',
    title: 'padding of 255 bytes reaches neither variables nor body',
    input: bytes(
      begin(1, 0, 1, padded),
      params(pairs({ ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '3' }), 1, padded),
      params('', 1, padded),
      stdin('abc', 1, padded),
      stdin('', 1, padded),
    ),
    want: ok(),
    check: ({ asked: [one], bodies, output }) => {
      if (bodies[0] !== 'abc') throw new Error(`the body is ${bodies[0]}`);
      if (JSON.stringify(one.variables).includes('ª') || output.includes('ª')) throw new Error('padding was read');
    },
  },
  { row: 'vF9', title: 'odd padding', input: getWith({ padding: 1 }, { padding: 3 }, { padding: 5 }), want: ok() },
  {
    row: 'vF10',
    title: 'the end of PARAMS has padding',
    input: bytes(begin(), params(env), record(4, 1, '', { padding: 255 }), stdin()),
    want: ok(),
  },
  {
    row: 'vF11',
    title: 'a record of the largest size arrives whole',
    input: bytes(post(65_535), stdin(many, 1, { padding: 255, fill: 0xaa }), stdin()),
    want: ok(),
    check: ({ bodies }) => {
      if (bodies[0] !== many) throw new Error(`${bodies[0].length} bytes came`);
    },
  },
  {
    row: 'vF12',
    title: 'FIN behind nothing: no warning',
    input: Buffer.alloc(0),
    fin: true,
    want: shut({ closed: 'fin', rule: null }),
  },
  {
    row: 'vF13',
    title: 'FIN within the first header: a peer that leaves is no error',
    input: Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((length) => [`${length} bytes`, get.subarray(0, length)])),
    fin: true,
    want: shut({ closed: 'fin', rule: null }),
  },
  {
    row: 'vF14',
    title: 'FIN within BEGIN_REQUEST: a peer that leaves is no error',
    input: get.subarray(0, 15),
    fin: true,
    want: shut({ closed: 'fin', rule: null }),
  },
  {
    row: 'vF15',
    title: 'FIN within the padding of the last record: the request was dispatched, and is given up',
    input: bytes(begin(), params(env), params(), stdin('', 1, { padding: 8 }).subarray(0, 11)),
    fin: true,
    app: silent,
    want: { asked: 1, answers: [], closed: 'fin', aborted: 1, others: [], rule: null },
  },
  {
    row: 'vF16',
    title: 'two requests in one write, each answered under its own id',
    input: bytes(request(plainGet, { flags: 1 }), request(plainGet, { id: 2, flags: 1 })),
    want: { asked: 2, answers: ['200', '200'], closed: 'open', aborted: 0, rule: null },
    check: ({ marks }) => {
      if (String([...marks].sort()) !== '1,2') throw new Error(`answered: ${marks}`);
    },
  },
  {
    row: 'vF16',
    title: 'where one request at once is allowed the second is told CANT_MPX_CONN',
    input: bytes(
      ...[begin(1, 1), begin(2, 1), params(env), params(), stdin()],
      ...[params(env, 2), params('', 2), stdin('', 2)],
    ),
    limits: { maxConcurrentPerConnection: 1 },
    app: atOnce,
    want: { asked: 1, answers: ['END(1)', '200'], closed: 'open', aborted: 0, rule: 'ERR_FCGI_CONCURRENT' },
    check: ({ answers, marks }) => {
      if (marks[answers.indexOf('200')] !== 1) throw new Error('id 1 has no answer');
    },
  },
];
