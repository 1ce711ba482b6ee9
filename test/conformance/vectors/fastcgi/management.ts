import { abort, begin, hex, pair, params, record, stdin } from '@postern/testkit';
import { ignored, ok, shut, type Vector } from '../vector.ts';
import { bytes, env } from './parts.ts';

function getValues(...names: string[]): Buffer {
  return record(9, 0, bytes(...names.map((name) => pair(name, ''))));
}

/** GET_VALUES_RESULT, as `others` shows it. */
function result(values: Readonly<Record<string, string>>): string {
  return `0a${bytes(...Object.entries(values).map(([name, value]) => pair(name, value))).toString('hex')}`;
}

const broken = shut({ rule: 'ERR_FCGI_RECORD' });
const values = { FCGI_MAX_CONNS: '77', FCGI_MAX_REQS: '9', FCGI_MPXS_CONNS: '1' };

/** Record types, and what belongs to no request. */
export const managementVectors: readonly Vector[] = [
  {
    row: 'vF17',
    title: 'type 0 without an id',
    input: hex('01 00 00 00 00 00 00 00'),
    want: ignored({ others: ['0b0000000000000000'] }),
    check: ({ output }) => exactly(output, '010b0000000800000000000000000000'),
  },
  {
    row: 'vF18',
    title: 'an unknown type with content is answered, and the content skipped',
    input: hex('01 0c 00 00 00 05 00 00 68 65 6c 6c 6f'),
    want: ignored({ others: ['0b0c00000000000000'] }),
    check: ({ output }) => exactly(output, '010b0000000800000c00000000000000'),
  },
  {
    row: 'vF19',
    title: 'type 255 without an id',
    input: hex('01 ff 00 00 00 00 00 00'),
    want: ignored({ others: ['0bff00000000000000'] }),
  },
  { row: 'vF20', title: 'an unknown type for an idle id', input: hex('01 0c 00 01 00 00 00 00'), want: ignored() },
  {
    row: 'vF21',
    title: 'an unknown type for an active id',
    input: bytes(begin(), record(12, 1), params(env), params(), stdin()),
    want: ok('fin', { others: [] }),
  },
  {
    row: 'vF22',
    title: 'UNKNOWN_TYPE: two servers do not answer each other',
    input: hex('01 0b 00 00 00 08 00 00 0c 00 00 00 00 00 00 00'),
    want: broken,
  },
  { row: 'vF23', title: 'GET_VALUES_RESULT', input: hex('01 0a 00 00 00 00 00 00'), want: broken },
  {
    row: 'vF24',
    title: 'a record that only an application sends',
    input: {
      END_REQUEST: hex('01 03 00 01 00 01 00 00 78'),
      STDOUT: hex('01 06 00 01 00 01 00 00 78'),
      STDERR: hex('01 07 00 01 00 01 00 00 78'),
    },
    want: broken,
  },
  {
    row: 'vF25',
    title: 'BEGIN_REQUEST with id 0',
    input: hex('01 01 00 00 00 08 00 00 00 01 00 00 00 00 00 00'),
    want: broken,
  },
  {
    row: 'vF26',
    title: 'a record of a request with id 0',
    input: {
      PARAMS: hex('01 04 00 00 00 00 00 00'),
      STDIN: hex('01 05 00 00 00 00 00 00'),
      DATA: hex('01 08 00 00 00 00 00 00'),
      ABORT_REQUEST: abort(0),
    },
    want: broken,
  },
  {
    row: 'vF27',
    title: 'GET_VALUES tells the configured limits',
    input: hex(
      `01 09 00 00 00 30 00 00
      0e 00 46 43 47 49 5f 4d 41 58 5f 43 4f 4e 4e 53
      0d 00 46 43 47 49 5f 4d 41 58 5f 52 45 51 53
      0f 00 46 43 47 49 5f 4d 50 58 53 5f 43 4f 4e 4e 53`,
    ),
    limits: { maxConnections: 77, maxConcurrentPerConnection: 9 },
    want: ignored({ others: [result(values)] }),
  },
  {
    row: 'vF28',
    title: 'GET_VALUES for names of Object.prototype',
    input: getValues('toString', 'constructor', '__proto__', 'hasOwnProperty', 'FCGI_MPXS_CONNS'),
    want: ignored({ others: [result({ FCGI_MPXS_CONNS: '1' })] }),
  },
  {
    row: 'vF29',
    title: 'GET_VALUES for nothing',
    input: hex('01 09 00 00 00 00 00 00'),
    want: ignored({ others: ['0a'] }),
    check: ({ output }) => exactly(output, '010a000000000000'),
  },
  {
    row: 'vF30',
    title: 'GET_VALUES with a pair that is cut off',
    input: hex('01 09 00 00 00 03 00 00 0e 00 46'),
    want: broken,
  },
  {
    row: 'vF31',
    title: 'GET_VALUES for one name 4095 times',
    input: getValues(...Array.from({ length: 4095 }, () => 'FCGI_MAX_CONNS')),
    want: ignored({ others: [result({ FCGI_MAX_CONNS: '1024' })] }),
  },
  { row: 'vF32', title: 'GET_VALUES with an id', input: hex('01 09 00 01 00 00 00 00'), want: ignored() },
  {
    row: 'vF33',
    title: 'GET_VALUES 100 times is answered',
    input: Buffer.alloc(800, getValues()),
    want: ignored({ others: Array.from({ length: 100 }, () => '0a') }),
  },
  {
    row: 'vF33',
    title: 'a flood of GET_VALUES closes, and 100 are answered',
    input: Buffer.alloc(80_000, getValues()),
    want: shut({ others: Array.from({ length: 100 }, () => '0a'), rule: 'ERR_FLOOD' }),
    check: ({ output }) => {
      if (output.length > 800) throw new Error(`${output.length} bytes were written`);
    },
  },
];

function exactly(output: string, wanted: string): void {
  const found = Buffer.from(output, 'latin1').toString('hex');
  if (found !== wanted) throw new Error(`the output is ${found}`);
}
