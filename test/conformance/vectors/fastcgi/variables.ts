import { plainGet, request } from '@postern/testkit';
import type { Seen } from '../observe.ts';
import { ok, refused, type Vector } from '../vector.ts';
import { each, type Pairs, replacing, withVariables } from './parts.ts';

const badValue = refused(400, { rule: 'ERR_ENV_VALUE' });
const badLength = refused(400, { rule: 'ERR_ENV_LENGTH' });
const badMethod = refused(400, { rule: 'ERR_ENV_METHOD' });
const repeated = refused(400, { rule: 'ERR_ENV_REPEATED' });

/** The application sees these; undefined: not at all. */
function sees(wanted: Readonly<Record<string, string | undefined>>): (seen: Seen) => void {
  return ({ asked: [one] }) => {
    for (const [name, value] of Object.entries(wanted))
      if (one.variables[name] !== value) throw new Error(`${name} is ${JSON.stringify(one.variables[name])}`);
  };
}

const processEnvironment = JSON.stringify(process.env);

function processUntouched(): void {
  if (JSON.stringify(process.env) !== processEnvironment) throw new Error('process.env was changed');
}

const highBytes = String.fromCharCode(...Array.from({ length: 128 }, (_, i) => 128 + i));
const badLengths = [
  ...['-1', '+5', '5 ', ' 5', '0x10', '1e3', '5,5', '5;', '5.0', '1_000'],
  ...['9007199254740993', '99999999999999999999', '\xef\xbc\x95'],
];

/** The same variables but one, twice with different values. */
function twice(name: string, first: string, second: string): Buffer {
  const others = Object.entries(plainGet).filter(([other]) => other !== name);
  return request([...others, [name, first], [name, second]]);
}

const withoutMethod = Object.entries(plainGet).filter(([name]) => name !== 'REQUEST_METHOD');

/** What the variables mean. */
export const variableVectors: readonly Vector[] = [
  {
    row: 'vF57',
    title: 'NUL in a value',
    input: {
      HTTP_X: withVariables({ HTTP_X: 'a\0b' }),
      PATH_INFO: replacing({ PATH_INFO: '/\0' }),
      REMOTE_USER: withVariables({ REMOTE_USER: 'a\0' }),
    },
    want: badValue,
  },
  {
    row: 'vF60',
    title: 'CR or LF in a header',
    input: each(['a\r\nSet:b', 'a\rb', 'a\nb', 'a\r\n b'], (HTTP_X) => ({ HTTP_X })),
    want: badValue,
  },
  {
    row: 'vF61',
    title: 'LF in PATH_INFO is data (CVE-2019-11043)',
    input: replacing({ PATH_INFO: '/a\nb' }),
    want: ok(),
    check: sees({ PATH_INFO: '/a\nb', SCRIPT_NAME: '' }),
  },
  {
    row: 'vF62',
    title: 'the bytes 128 to 255 of a value are the characters U+0080 to U+00FF',
    input: withVariables({ HTTP_X: highBytes }),
    want: ok(),
    check: sees({ HTTP_X: highBytes }),
  },
  {
    row: 'vF63',
    title: 'a Proxy header does not become HTTP_PROXY (httpoxy)',
    input: withVariables({ HTTP_PROXY: 'http://evil:1/' }),
    want: ok(),
    check: (seen) => {
      sees({ HTTP_PROXY: undefined })(seen);
      processUntouched();
    },
  },
  {
    row: 'vF64',
    title: 'CONTENT_LENGTH twice with one value',
    input: withVariables(
      [
        ['CONTENT_LENGTH', '3'],
        ['CONTENT_LENGTH', '3'],
      ],
      'abc',
    ),
    want: ok(),
    check: sees({ CONTENT_LENGTH: '3' }),
  },
  {
    row: 'vF65',
    title: 'CONTENT_LENGTH twice with different values',
    input: withVariables(
      [
        ['CONTENT_LENGTH', '3'],
        ['CONTENT_LENGTH', '4'],
      ],
      'abc',
    ),
    want: repeated,
  },
  {
    row: 'vF66',
    title: 'HTTP_CONTENT_LENGTH alone says nothing of a body, and is not passed on',
    input: withVariables({ HTTP_CONTENT_LENGTH: '5' }),
    want: ok(),
    check: sees({ CONTENT_LENGTH: undefined, HTTP_CONTENT_LENGTH: undefined }),
  },
  {
    row: 'vF67',
    title: 'HTTP_CONTENT_LENGTH beside CONTENT_LENGTH says nothing',
    input: withVariables({ HTTP_CONTENT_LENGTH: '5', CONTENT_LENGTH: '3' }, 'abc'),
    want: ok(),
    check: (seen) => {
      sees({ CONTENT_LENGTH: '3', HTTP_CONTENT_LENGTH: undefined })(seen);
      if (seen.bodies[0] !== 'abc') throw new Error(`the body is ${seen.bodies[0]}`);
    },
  },
  {
    row: 'vF68',
    title: 'HTTP_TRANSFER_ENCODING and no length: a body up to the end of STDIN',
    input: withVariables({ HTTP_TRANSFER_ENCODING: 'chunked', CONTENT_LENGTH: '' }, 'abc'),
    want: ok(),
    check: (seen) => {
      sees({ HTTP_TRANSFER_ENCODING: undefined })(seen);
      if (seen.bodies[0] !== 'abc') throw new Error(`the body is ${seen.bodies[0]}`);
    },
  },
  {
    row: 'vF69',
    title: 'a CONTENT_LENGTH that is no whole number',
    input: each(badLengths, (CONTENT_LENGTH) => ({ CONTENT_LENGTH })),
    want: badLength,
  },
  {
    row: 'vF69',
    title: 'CONTENT_LENGTH -1 of Caddy means that it is not known',
    input: withVariables({ CONTENT_LENGTH: '-1', SERVER_SOFTWARE: 'Caddy/2.6.2' }, 'abc'),
    want: ok(),
    check: ({ bodies }) => {
      if (bodies[0] !== 'abc') throw new Error(`the body is ${bodies[0]}`);
    },
  },
  {
    row: 'vF70',
    title: 'an empty CONTENT_LENGTH: a body up to the end of STDIN',
    input: withVariables({ CONTENT_LENGTH: '' }, 'abc'),
    want: ok(),
    check: ({ bodies }) => {
      if (bodies[0] !== 'abc') throw new Error(`the body is ${bodies[0]}`);
    },
  },
  {
    row: 'vF71',
    title: 'CONTENT_LENGTH with leading zeros',
    input: withVariables({ CONTENT_LENGTH: '0003' }, 'abc'),
    want: ok(),
    check: ({ bodies }) => {
      if (bodies[0] !== 'abc') throw new Error(`the body is ${bodies[0]}`);
    },
  },
  {
    row: 'vF72',
    title: 'no REQUEST_METHOD',
    input: { missing: request(withoutMethod), empty: replacing({ REQUEST_METHOD: '' }) },
    want: badMethod,
  },
  {
    row: 'vF73',
    title: 'REQUEST_METHOD is no token',
    input: Object.fromEntries(
      ['GE T', '(', 'A'.repeat(33)].map((method) => [method, replacing({ REQUEST_METHOD: method })]),
    ),
    want: badMethod,
  },
  {
    row: 'vF73',
    title: 'REQUEST_METHOD with CR and LF',
    input: replacing({ REQUEST_METHOD: 'GET\r\n' }),
    want: badMethod,
  },
  { row: 'vF73', title: 'REQUEST_METHOD with NUL', input: replacing({ REQUEST_METHOD: 'G\0T' }), want: badValue },
  { row: 'vF74', title: 'two different methods', input: twice('REQUEST_METHOD', 'GET', 'POST'), want: repeated },
  {
    row: 'vF75',
    title: 'a repeated list header is joined',
    input: withVariables([...pairsOf('HTTP_X_FOO', 'a', 'b'), ...pairsOf('HTTP_COOKIE', 'a=1', 'b=2')]),
    want: ok(),
    check: sees({ HTTP_X_FOO: 'a, b', HTTP_COOKIE: 'a=1; b=2' }),
  },
  {
    row: 'vF76',
    title: 'a header that must be single, twice with different values',
    input: Object.fromEntries(
      ['HTTP_AUTHORIZATION', 'HTTP_EXPECT', 'HTTP_RANGE'].map((name) => [name, withVariables(pairsOf(name, 'a', 'b'))]),
    ),
    want: repeated,
  },
  {
    row: 'vF76',
    title: 'a header that must be single, twice with one value; of two hosts the last is taken',
    input: withVariables([
      ...pairsOf('HTTP_AUTHORIZATION', 'a', 'a'),
      ...pairsOf('HTTP_EXPECT', 'b', 'b'),
      ...pairsOf('HTTP_RANGE', 'c', 'c'),
      ...pairsOf('HTTP_HOST', 'first', 'last'),
    ]),
    want: ok(),
    check: sees({ HTTP_AUTHORIZATION: 'a', HTTP_EXPECT: 'b', HTTP_RANGE: 'c', HTTP_HOST: 'last' }),
  },
  {
    row: 'vF77',
    title: 'of a repeated variable that is no header the last is taken',
    input: withVariables(
      ['SCRIPT_FILENAME', 'REMOTE_ADDR', 'HTTPS', 'PATH_INFO'].flatMap((name) => [...pairsOf(name, 'first', 'last')]),
    ),
    want: ok(),
    check: sees({ SCRIPT_FILENAME: 'last', REMOTE_ADDR: 'last', HTTPS: 'last', PATH_INFO: 'last' }),
  },
  {
    row: 'vF78',
    title: 'names of Object.prototype are data, and __proto__ is dropped',
    input: withVariables(
      ['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toString'].map((name) => [name, 'x'] as const),
    ),
    want: ok(),
    check: ({ asked: [{ variables }] }) => {
      const found = Object.keys(variables).filter((name) => variables[name] === 'x');
      if (String(found.sort()) !== 'constructor,hasOwnProperty,prototype,toString') throw new Error(`found: ${found}`);
    },
  },
  {
    row: 'vF79',
    title: 'names of libraries do not come from the wire',
    input: withVariables(
      ['wsgi.input', 'wsgi.url_scheme', 'psgi.input', 'sgi.body', 'jsgi.errors'].map((name) => [name, 'x'] as const),
    ),
    want: ok(),
    check: ({ asked: [{ variables }] }) => {
      if (Object.values(variables).includes('x')) throw new Error('one of them is there');
    },
  },
  {
    row: 'vF80',
    title: 'names that mean something to loaders and interpreters are data',
    input: withVariables(
      ['PHP_VALUE', 'PHP_ADMIN_VALUE', 'LD_PRELOAD', 'NODE_OPTIONS', 'PATH', 'UWSGI_FILE'].map(
        (n) => [n, 'x'] as const,
      ),
    ),
    want: ok(),
    check: (seen) => {
      const x = 'x';
      sees({ PHP_VALUE: x, PHP_ADMIN_VALUE: x, LD_PRELOAD: x, NODE_OPTIONS: x, PATH: x, UWSGI_FILE: undefined })(seen);
      processUntouched();
    },
  },
  {
    row: 'vF89',
    title: 'SERVER_PROTOCOL is no version of HTTP',
    input: Object.fromEntries(
      [
        ['with a line of its own', 'HTTP/1.1\r\nX: y'],
        ['FTP/9', 'FTP/9'],
      ].map(([name, value]) => [name, replacing({ SERVER_PROTOCOL: value })]),
    ),
    want: refused(400, { rule: 'ERR_ENV_PROTOCOL' }),
  },
];

function pairsOf(name: string, first: string, second: string): Pairs {
  return [
    [name, first],
    [name, second],
  ];
}
