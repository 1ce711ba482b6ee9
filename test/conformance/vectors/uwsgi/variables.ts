import type { Seen } from '../observe.ts';
import { badLengths, each, numbered } from '../scgi/parts.ts';
import { ok, refused, type Vector } from '../vector.ts';
import { baseline, block, packet, withVariables } from './parts.ts';

const bodyIsAbc = ({ bodies }: Seen): void => {
  if (bodies[0] !== 'abc') throw new Error(`the body is ${bodies[0]}`);
};

/** What uWSGI would load, or change, because a request says so. */
const loaders = [
  ...['FILE', 'SCRIPT', 'MODULE', 'CALLABLE', 'APPID', 'CHDIR', 'PYHOME', 'SETENV', 'POSTFILE', 'TOUCH_RELOAD'],
].map((name) => `UWSGI_${name}`);

const fixed = block([
  ['REQUEST_METHOD', 'GET'],
  ['A', ''],
]);

/** What the variables say, and the body behind them. */
export const variableVectors: readonly Vector[] = [
  {
    row: 'vU14',
    title: 'a byte that no name may have',
    input: each(['A\0', 'A=B', 'A\r', 'A\n', 'A B', 'A\x7f', 'A\xe9'], (name) => withVariables([[name, 'x']])),
    want: refused(400, { rule: 'ERR_ENV_NAME' }),
  },
  {
    row: 'vU15',
    title: 'what would load code in uWSGI is dropped, and the operator is told',
    input: each(loaders, (name) => withVariables([[name, 'exec://id']])),
    want: ok('fin', { rule: 'ERR_UWSGI_VARIABLE' }),
    check: ({ asked }) => {
      const found = Object.keys(asked[0].variables).filter((name) => name.startsWith('UWSGI_'));
      if (found.length > 0) throw new Error(`the application was told of ${found}`);
    },
  },
  {
    row: 'vU16',
    title: 'CONTENT_LENGTH is no whole number',
    input: each(badLengths, (text) => withVariables([['CONTENT_LENGTH', text]])),
    want: refused(400, { rule: 'ERR_ENV_LENGTH' }),
  },
  {
    row: 'vU16',
    title: 'what is behind a bad CONTENT_LENGTH is never read as a request',
    input: withVariables([['CONTENT_LENGTH', 'x']], baseline.toString('latin1')),
    want: refused(400, { rule: 'ERR_ENV_LENGTH' }),
  },
  {
    row: 'vU17',
    title: 'CONTENT_LENGTH twice, with two values',
    input: withVariables([
      ['CONTENT_LENGTH', '3'],
      ['CONTENT_LENGTH', '4'],
    ]),
    want: refused(400, { rule: 'ERR_ENV_REPEATED' }),
  },
  {
    row: 'vU18',
    title: 'bytes behind the body are dropped, and the operator is told',
    input: withVariables([['CONTENT_LENGTH', '3']], 'abcdefghij'),
    oneTurn: true,
    want: ok('fin', { rule: 'ERR_BODY_EXCESS' }),
    check: bodyIsAbc,
  },
  {
    row: 'vU19',
    title: 'a second packet behind the body is never read',
    input: withVariables([['CONTENT_LENGTH', '3']], `abc${baseline.toString('latin1')}`),
    oneTurn: true,
    want: ok('fin', { rule: 'ERR_BODY_EXCESS' }),
    check: bodyIsAbc,
  },
  {
    row: 'vU20',
    title: 'the scheme is not what wsgi.url_scheme says',
    input: withVariables([
      ['wsgi.url_scheme', 'https'],
      ['wsgi.input', 'x'],
    ]),
    want: ok(),
    check: ({ asked }) => {
      const { variables } = asked[0];
      if (variables.REQUEST_SCHEME !== 'http' || Object.keys(variables).some((name) => name.includes('.')))
        throw new Error(`${variables.REQUEST_SCHEME}, ${Object.keys(variables)}`);
    },
  },
  {
    row: 'vU20',
    title: 'the scheme is what HTTPS says',
    input: withVariables([['HTTPS', 'on']]),
    want: ok(),
    check: ({ asked }) => {
      if (asked[0].variables.REQUEST_SCHEME !== 'https') throw new Error(asked[0].variables.REQUEST_SCHEME);
    },
  },
  {
    row: 'vU21',
    title: 'what must not reach an application does not',
    input: withVariables([
      ['HTTP_PROXY', 'http://evil:1/'],
      ['HTTP_CONTENT_LENGTH', '5'],
      ['HTTP_TRANSFER_ENCODING', 'chunked'],
      ['__proto__', 'x'],
      ['constructor', 'c'],
    ]),
    want: ok(),
    check: ({ asked }) => {
      const names = Object.keys(asked[0].variables);
      const found = names.filter((name) => /PROXY|CONTENT_LENGTH|TRANSFER|proto/.test(name));
      if (found.length > 0) throw new Error(`the application was told of ${found}`);
      if (!names.includes('constructor')) throw new Error('a name of Object.prototype is a plain name');
    },
  },
  {
    row: 'vU22',
    title: '1001 variables',
    input: withVariables(numbered(999)),
    want: refused(431, { rule: 'ERR_ENV_COUNT' }),
  },
  {
    row: 'vU22',
    title: '1000 variables are not too many',
    input: withVariables(numbered(998)),
    want: ok(),
    check: ({ asked }) => {
      if (asked[0].variables.N997 !== '') throw new Error('the last variable did not come');
    },
  },
  {
    row: 'vU23',
    title: 'the largest block that has a size',
    input: packet(
      block([
        ['REQUEST_METHOD', 'GET'],
        ['A', 'x'.repeat(65_535 - fixed.length)],
      ]),
    ),
    want: ok(),
    check: ({ asked }) => {
      if (asked[0].variables.A.length !== 65_535 - fixed.length) throw new Error('the value did not come whole');
    },
  },
];
