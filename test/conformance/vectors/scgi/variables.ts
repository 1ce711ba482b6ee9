import { ok, refused, type Vector } from '../vector.ts';
import {
  badLengths,
  block,
  deepThought,
  each,
  latin1,
  netstring,
  numbered,
  type Pairs,
  withPairs,
  withVariables,
} from './parts.ts';

const plain: Pairs = [
  ['REQUEST_METHOD', 'GET'],
  ['REQUEST_URI', '/'],
];
const length: Pairs = [['CONTENT_LENGTH', '0']];
const scgi: Pairs = [['SCGI', '1']];

const notFirst = withPairs([...scgi, ...length, ...plain]);
const withoutScgi = withPairs([...length, ...plain]);
const badHeaders = refused(400, { rule: 'ERR_SCGI_HEADERS' });
const badValue = refused(400, { rule: 'ERR_ENV_VALUE' });

/** The header block and its variables. */
export const variableVectors: readonly Vector[] = [
  {
    row: 'vS14',
    title: 'the last value does not end with NUL',
    input: latin1(netstring(deepThought.slice(0, -1))),
    want: badHeaders,
  },
  { row: 'vS15', title: 'a name without a value', input: latin1(netstring(`${deepThought}A\0`)), want: badHeaders },
  {
    row: 'vS16',
    title: 'an empty name',
    input: { alone: latin1(netstring('\0x\0')), 'behind others': latin1(netstring(`${deepThought}\0x\0`)) },
    want: badHeaders,
  },
  {
    row: 'vS17',
    title: 'CONTENT_LENGTH is not the first variable, on a strict listener',
    input: notFirst,
    peer: { strict: true },
    want: badHeaders,
  },
  {
    row: 'vS17',
    title: 'CONTENT_LENGTH is not the first variable: served, and the operator is told',
    input: notFirst,
    want: ok('fin', { rule: 'ERR_SCGI_HEADERS' }),
  },
  { row: 'vS18', title: 'no CONTENT_LENGTH', input: withPairs([...scgi, ...plain]), want: badHeaders },
  {
    row: 'vS19',
    title: 'an empty CONTENT_LENGTH',
    input: withPairs([['CONTENT_LENGTH', ''], ...scgi, ...plain]),
    want: badHeaders,
  },
  {
    row: 'vS20',
    title: 'CONTENT_LENGTH is no whole number',
    input: each(badLengths, (text) => withPairs([['CONTENT_LENGTH', text], ...scgi, ...plain])),
    want: refused(400, { rule: 'ERR_ENV_LENGTH' }),
  },
  {
    row: 'vS21',
    title: 'CONTENT_LENGTH twice, with two values',
    input: withPairs([['CONTENT_LENGTH', '27'], ...scgi, ...plain, ['CONTENT_LENGTH', '28']]),
    want: refused(400, { rule: 'ERR_ENV_REPEATED' }),
  },
  { row: 'vS22', title: 'no SCGI, on a strict listener', input: withoutScgi, peer: { strict: true }, want: badHeaders },
  {
    row: 'vS22',
    title: 'no SCGI: served, and the operator is told',
    input: withoutScgi,
    want: ok('fin', { rule: 'ERR_SCGI_HEADERS' }),
  },
  {
    row: 'vS23',
    title: 'SCGI has another value than 1',
    input: each(['0', '2', '11', ''], (text) => withPairs([...length, ['SCGI', text], ...plain])),
    want: badHeaders,
  },
  {
    row: 'vS30',
    title: 'NUL in a value ends it, and the rest does not pass for one',
    input: withVariables([['HTTP_X', 'a\0b']]),
    want: badHeaders,
  },
  {
    row: 'vS31',
    title: 'what must not reach an application does not',
    input: withVariables([
      ['HTTP_PROXY', 'http://evil:1/'],
      ['HTTP_CONTENT_LENGTH', '5'],
      ['HTTP_TRANSFER_ENCODING', 'chunked'],
      ['__proto__', 'x'],
      ['constructor', 'c'],
      ['toString', 't'],
    ]),
    want: ok(),
    check: ({ asked, bodies }) => {
      const { variables } = asked[0];
      const found = Object.keys(variables).filter((name) => /PROXY|CONTENT_LENGTH|TRANSFER|proto/.test(name));
      if (found.length > 0) throw new Error(`the application was told of ${found}`);
      if ((variables.constructor as unknown) !== 'c' || (variables.toString as unknown) !== 't')
        throw new Error('names of Object.prototype are plain names');
      if (bodies[0] !== '') throw new Error('a body');
      if (process.env.HTTP_PROXY === 'http://evil:1/') throw new Error('the environment of the process was changed');
    },
  },
  {
    row: 'vS31',
    title: 'CR or LF in a header',
    input: each(['a\rb', 'a\nb', 'a\r\nSet-Cookie: b', 'a\r\n b'], (text) => withVariables([['HTTP_X', text]])),
    want: badValue,
  },
  {
    row: 'vS32',
    title: 'tens of thousands of empty pairs end at the first',
    input: latin1(netstring('\0\0'.repeat(65_536))),
    want: badHeaders,
  },
  {
    row: 'vS32',
    title: 'one empty pair more is above the limit',
    input: latin1(netstring('\0\0'.repeat(65_537))),
    want: refused(431, { rule: 'ERR_ENV_BYTES' }),
  },
  {
    row: 'vS32',
    title: '65,537 empty pairs where the limit allows them',
    input: latin1(netstring('\0\0'.repeat(65_537))),
    limits: { maxEnvBytes: 1_048_576 },
    wholeOnly: true,
    want: badHeaders,
  },
  {
    row: 'vS33',
    title: '1001 variables',
    input: withVariables(numbered(997)),
    want: refused(431, { rule: 'ERR_ENV_COUNT' }),
  },
  {
    row: 'vS33',
    title: '1000 variables are not too many',
    input: withVariables(numbered(996)),
    want: ok(),
    check: ({ asked }) => {
      if (asked[0].variables.N995 !== '') throw new Error('the last variable did not come');
    },
  },
  {
    row: 'vS24',
    title: 'names are told from others by their case',
    input: latin1(netstring(block([['content_length', '0'], ...scgi, ...plain]))),
    want: badHeaders,
  },
];
