import type { HttpAsked, HttpVector } from './run-http.ts';

function post(fields: string, body: string): string {
  return `POST / HTTP/1.1\r\nHost: a.test\r\n${fields}\r\n\r\n${body}`;
}

function get(fields: string): string {
  return `GET / HTTP/1.1\r\nHost: a.test\r\n${fields}\r\n\r\n`;
}

function line(text: string): string {
  return `${text} HTTP/1.1\r\nHost: a.test\r\n\r\n`;
}

const refused = { answers: [400], asked: 0, ends: true, rule: 'ERR_HTTP_REQUEST' };
const served = { answers: [200], asked: 1, ends: false };
const CHUNKED = 'Transfer-Encoding: chunked';

/** The variables of the one request; undefined: it is a (req, res) application. */
function variablesOf([asked]: readonly HttpAsked[]): Readonly<Record<string, unknown>> {
  return asked.variables ?? {};
}

export const httpVectors: readonly HttpVector[] = [
  {
    row: 'vH1',
    title: 'Content-Length beside Transfer-Encoding',
    input: {
      'length first': post(`Content-Length: 3\r\n${CHUNKED}`, '0\r\n\r\n'),
      'length last': post(`${CHUNKED}\r\nContent-Length: 3`, '0\r\n\r\n'),
      'length of 0': post(`Content-Length: 0\r\n${CHUNKED}`, '0\r\n\r\n'),
    },
    ...refused,
  },
  {
    row: 'vH1',
    title: 'Content-Length beside Transfer-Encoding behind a request that is not answered yet: one answer, and the end',
    input: get('X: 1') + post(`Content-Length: 3\r\n${CHUNKED}`, '0\r\n\r\n'),
    wholeOnly: true,
    ...refused,
    asked: 1,
  },
  {
    row: 'vH2',
    title: 'two lengths',
    input: {
      same: post('Content-Length: 3\r\nContent-Length: 3', 'abc'),
      different: post('Content-Length: 3\r\nContent-Length: 4', 'abc'),
      'in one field': post('Content-Length: 3, 3', 'abc'),
      'no whole number': post('Content-Length: +3', 'abc'),
    },
    ...refused,
  },
  {
    row: 'vH3',
    title: 'a transfer coding that is not chunked alone',
    input: {
      'chunked, identity': post('Transfer-Encoding: chunked, identity', '0\r\n\r\n'),
      xchunked: post('Transfer-Encoding: xchunked', '0\r\n\r\n'),
      identity: post('Transfer-Encoding: identity', ''),
      'gzip, chunked': post('Transfer-Encoding: gzip, chunked', '0\r\n\r\n'),
      'chunked and chunked': post(`${CHUNKED}\r\n${CHUNKED}`, '0\r\n\r\n'),
      'with HTTP/1.0': `POST / HTTP/1.0\r\n${CHUNKED}\r\n\r\n0\r\n\r\n`,
      'a space before the colon': post('Transfer-Encoding : chunked', '0\r\n\r\n'),
    },
    ...refused,
  },
  {
    row: 'vH4',
    title: 'a control in a field, or a field in several lines',
    input: {
      'bare CR': get('X: a\rb'),
      'bare LF': get('X: a\nY: b'),
      NUL: get('X: a\0b'),
      'obs-fold': get('X: a\r\n b'),
      'no colon': get('X'),
      'no name': get(': a'),
    },
    ...refused,
  },
  {
    row: 'vH5',
    title: 'a name with an underscore is no variable',
    input: {
      'behind the other': get('X-Foo: good\r\nX_Foo: bad'),
      'before the other': get('X_Foo: bad\r\nX-Foo: good'),
    },
    ...served,
    check: ({ asked }) => {
      const { HTTP_X_FOO = 'good' } = variablesOf(asked);
      if (HTTP_X_FOO !== 'good') throw new Error(`HTTP_X_FOO is ${HTTP_X_FOO}`);
    },
  },
  {
    row: 'vH6',
    title: 'Proxy is no variable',
    input: get('Proxy: http://evil:1/\r\nPROXY: http://evil:1/'),
    ...served,
    check: ({ asked }) => {
      const found = Object.keys(variablesOf(asked)).filter((name) => name.includes('PROXY'));
      if (found.length > 0) throw new Error(`the application was told of ${found}`);
      if (process.env.HTTP_PROXY === 'http://evil:1/') throw new Error('the environment of the process was changed');
    },
  },
  {
    row: 'vH7',
    title: 'a field may have the name of a property of every object',
    input: Object.fromEntries(
      ['__proto__', '__PROTO__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'].map((name) => [
        name,
        `POST / HTTP/1.1\r\nHost: a.test\r\n${name}: x\r\n${name}: y\r\n${CHUNKED}\r\n\r\n1\r\na\r\n0\r\n${name}: z\r\n\r\n`,
      ]),
    ),
    ...served,
    check: ({ asked }, name) => {
      if (asked[0].body !== 'a') throw new Error('the body did not come');
      const of = `HTTP_${name.toUpperCase()}`;
      const told = variablesOf(asked)[of];
      if (asked[0].variables !== undefined && !name.includes('_') && told !== 'x, y')
        throw new Error(`${of} is ${told}`);
      if (told !== undefined && name.includes('_')) throw new Error(`the application was told of ${of}`);
    },
  },
  {
    row: 'vH8',
    title: 'a chunk whose size has 17 digits',
    input: post(CHUNKED, `${'f'.repeat(17)}\r\nabc`),
    ...refused,
    asked: 1,
  },
  {
    row: 'vH8',
    title: 'a chunk with the largest size: nothing is set aside for it, and it has to come in time',
    input: post(CHUNKED, `${'f'.repeat(16)}\r\nabc`),
    pass: 31_000,
    answers: [408],
    asked: 1,
    ends: true,
    rule: 'ERR_TIMEOUT_BODY',
  },
  {
    row: 'vH8',
    title: 'a chunk with the largest size, and more bytes than maxBody',
    input: post(CHUNKED, `${'f'.repeat(16)}\r\n${'x'.repeat(200)}`),
    limits: { maxBody: 100 },
    answers: [413],
    asked: 1,
    ends: true,
  },
  {
    row: 'vH8',
    title: 'a chunk extension of 1 MiB',
    input: post(CHUNKED, `3;${'x'.repeat(1 << 20)}\r\nabc\r\n0\r\n\r\n`),
    wholeOnly: true,
    ...refused,
    asked: 1,
  },
  {
    row: 'vH9',
    title: 'a head that trickles in, one byte a second',
    input: get('X: abcdef'),
    pace: 1000,
    answers: [408],
    asked: 0,
    ends: true,
    rule: 'ERR_TIMEOUT_HEAD',
  },
  {
    row: 'vH10',
    title: 'the host of an absolute target counts, whatever Host says',
    input: line('GET http://b.test:81/x?y'),
    ...served,
    check: ({ asked }) => {
      if (asked[0].host !== 'b.test:81') throw new Error(`the host is ${asked[0].host}`);
      const { SERVER_NAME = 'b.test', PATH_INFO = '/x', QUERY_STRING = 'y' } = variablesOf(asked);
      if (`${SERVER_NAME} ${PATH_INFO} ${QUERY_STRING}` !== 'b.test /x y')
        throw new Error(`${SERVER_NAME} ${PATH_INFO} ${QUERY_STRING}`);
    },
  },
  {
    row: 'vH10',
    title: 'an absolute target that names no host, or another scheme',
    input: Object.fromEntries(
      ['http:///x', 'http://?x', 'http://u:p@b.test/', 'http://b.test:x/', 'ftp://b.test/x'].map((target) => [
        target,
        line(`GET ${target}`),
      ]),
    ),
    ...refused,
  },
  {
    row: 'vH10',
    title: 'a target in no form that its method has',
    input: Object.fromEntries(
      ['GET *', 'OPTIONS *x', 'GET b.test:80', 'GET x', 'GET ?x', 'GET urn:x'].map((text) => [text, line(text)]),
    ),
    ...refused,
  },
  { row: 'vH10', title: 'OPTIONS may ask about *', input: line('OPTIONS *'), ...served },
  {
    row: 'vH10',
    title: 'CONNECT, in any form, ends the connection',
    input: Object.fromEntries(['CONNECT b.test:80', 'CONNECT /', 'CONNECT *'].map((text) => [text, line(text)])),
    answers: [],
    asked: 0,
    ends: true,
  },
  {
    row: 'vH10',
    title: 'HTTP/1.1 without Host',
    input: 'GET / HTTP/1.1\r\n\r\n',
    answers: [400],
    asked: 0,
    ends: true,
  },
];
