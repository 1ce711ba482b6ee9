import type { Reply } from '@postern/core';
import { type Answer, type AnswerVector, fieldsOf, named, replyOf } from './answer.ts';

const EVIL = 'X-Evil: yes';

function header(name: string, value: unknown): Answer {
  return () => ({ status: 200, headers: [[name, value as string]], body: 'hi' });
}

/** What is refused is answered with a page of ours: nothing that was given is in it. */
const untold: AnswerVector['check'] = ({ output }, protocol) => {
  if (/evil/i.test(replyOf(protocol, output))) throw new Error(`it is on the wire: ${JSON.stringify(output)}`);
};

function refused(code: string, rest: Omit<AnswerVector, 'status' | 'reported'>): AnswerVector {
  return { status: '500', reported: [code], check: untold, ...rest };
}

const controls = Array.from({ length: 0x20 }, (_, code) => String.fromCharCode(code)).filter((one) => one !== '\t');
const long = 'x'.repeat(1000);

/** Statuses, reasons and header fields that an application gives. */
export const headVectors: readonly AnswerVector[] = [
  refused('ERR_HEADER_VALUE', {
    row: 'vE1',
    title: 'a reason phrase with CR, LF or NUL is a 500',
    answers: named(
      [`OK\r\n${EVIL}`, `OK\r${EVIL}`, `OK\n${EVIL}`, `OK\0${EVIL}`, `\u010d\u010a${EVIL}`],
      (reason) => () => ({ status: 200, reason, body: 'hi' }),
    ),
  }),
  refused('ERR_STATUS', {
    row: 'vE2',
    title: 'a status that is no whole number from 200 to 999 is a 500',
    answers: named([99, 1000, 0, -200, 200.5, Number.NaN, Number.POSITIVE_INFINITY], (status) => () => ({ status })),
  }),
  refused('ERR_APP_REPLY', {
    row: 'vE2',
    title: 'a status that is no number is a 500',
    answers: named(['200', null, undefined, true], (status) => () => ({ status }) as unknown as Reply),
  }),
  refused('ERR_STATUS', {
    row: 'vE3',
    title: '1xx as the final status is a 500',
    answers: named([100, 101, 102, 103, 199], (status) => () => ({ status })),
  }),
  refused('ERR_HEADER_NAME', {
    row: 'vE4',
    title: 'a header name that is no token is a 500',
    answers: named(
      ['', ' ', 'a b', 'a:', `a: b\r\n${EVIL}`, 'a\r', 'a\n', 'a\0', '\xe4', 'a\x7f', 'a\u010d\u010a', '(a)', 'a/b'],
      (name) => header(name, 'x'),
    ),
  }),
  refused('ERR_HEADER_VALUE', {
    row: 'vE5',
    title: 'a control other than HTAB in a header value is a 500',
    answers: named([...controls, '\x7f', `a\r\n${EVIL}`, `\r\n\r\n${EVIL}`], (value) => header('X-A', value)),
  }),
  {
    row: 'vE5',
    title: 'HTAB and bytes above 0x7f in a header value are sent as they are',
    answers: { here: header('X-A', 'a\t\x80\xff') },
    status: '200',
    check: ({ output }, protocol) => expectField(fieldsOf(protocol, output), 'X-A', 'a\t\x80\xff'),
  },
  refused('ERR_HEADER_VALUE', {
    row: 'vE6',
    title: 'a character above U+00FF in a header value is a 500, and never one of its bytes',
    answers: named([`\u010d\u010a${EVIL}`, '\u0100', '\u{1f600}', '\ud800'], (value) => header('X-A', value)),
  }),
  refused('ERR_APP_REPLY', {
    row: 'vE7',
    title: 'a header value that is no text is a 500',
    answers: {
      ...named([undefined, null, true, Symbol('s')], (value) => header('X-A', value)),
      'an object': header('X-A', { toString: () => EVIL }),
      'an array in a pair': header('X-A', ['a', 'b']),
      'an array with undefined': () => ({ status: 200, headers: { 'X-A': ['a', undefined as never] } }),
      'headers that are text': () => ({ status: 200, headers: EVIL as never }),
    },
  }),
  {
    row: 'vE7',
    title: 'a number as a header value is sent in decimal',
    answers: { 5: header('X-A', 5), 'Content-Length': header('Content-Length', 2) },
    status: '200',
    body: 'hi',
  },
  refused('ERR_CONTENT_LENGTH', {
    row: 'vE8',
    title: 'two Content-Length that differ, or one that is no number, is a 500',
    answers: {
      'two of them': () => ({ status: 200, headers: { 'Content-Length': ['5', '6'] }, body: 'hello' }),
      'in two ways': () => ({ status: 200, headers: { 'Content-Length': '5', 'content-length': '6' }, body: 'hello' }),
      ...named(['-1', '5,5', '+5', '5 ', '0x5', '5.0', '', '1e0', '9'.repeat(16)], (length) => () => ({
        status: 200,
        headers: { 'Content-Length': length },
        body: 'hello',
      })),
    },
  }),
  {
    row: 'vE8',
    title: 'Content-Length twice the same is sent once',
    answers: { here: () => ({ status: 200, headers: { 'Content-Length': ['5', '5'] }, body: 'hello' }) },
    status: '200',
    body: 'hello',
    check: ({ output }, protocol) => expectNames(fieldsOf(protocol, output), ['Content-Length']),
  },
  {
    row: 'vE9',
    title: 'Transfer-Encoding is left out: the web server frames the reply',
    answers: named(['chunked', 'gzip, chunked', 'identity'], (coding) => () => ({
      status: 200,
      headers: { 'Transfer-Encoding': coding, 'Content-Length': '2', 'transfer-encoding': coding },
      body: 'hi',
    })),
    status: '200',
    body: 'hi',
    check: ({ output }, protocol) => expectNames(fieldsOf(protocol, output), ['Content-Length']),
  },
  {
    row: 'vE10',
    title: 'headers of the connection are left out',
    answers: named(
      [
        'Connection',
        'Keep-Alive',
        'Upgrade',
        'TE',
        'Trailer',
        'Proxy-Connection',
        'Proxy-Authenticate',
        'PROXY-AUTHORIZATION',
      ],
      (name) => () => ({ status: 200, headers: { [name]: 'x', 'Content-Type': 'text/plain' }, body: 'hi' }),
    ),
    status: '200',
    body: 'hi',
    check: ({ output }, protocol) => expectNames(fieldsOf(protocol, output), ['Content-Type']),
  },
  {
    row: 'vE11',
    title: 'a header Status is left out: the status is the one that was answered',
    answers: named(['Status', 'status', 'STATUS'], (name) => () => ({
      status: 200,
      headers: { [name]: '404 Not Found', 'Content-Type': 'text/plain' },
      body: 'hi',
    })),
    status: '200',
    body: 'hi',
    check: ({ output }, protocol) => expectNames(fieldsOf(protocol, output), ['Content-Type']),
  },
  {
    row: 'vE12',
    title: '__proto__ as a header name is sent like any other',
    answers: {
      'an own property': () => ({ status: 200, headers: JSON.parse('{"__proto__":"x"}') }),
      'a pair': () => ({ status: 200, headers: [['__proto__', 'x']] }),
    },
    status: '200',
    check: ({ output }, protocol) => expectField(fieldsOf(protocol, output), '__proto__', 'x'),
  },
  {
    row: 'vE13',
    title: 'Set-Cookie as an array of three is three fields',
    answers: { here: () => ({ status: 200, headers: { 'Set-Cookie': ['a=1', 'b=2', 'c=3'] }, body: 'hi' }) },
    status: '200',
    check: ({ output }, protocol) => {
      const cookies = fieldsOf(protocol, output).filter(([name]) => name === 'Set-Cookie');
      if (cookies.map(([, value]) => value).join() !== 'a=1,b=2,c=3') throw new Error(`cookies: ${cookies.join(' ')}`);
    },
  },
  refused('ERR_HEADER_BLOCK', {
    row: 'vE24',
    title: 'more than 65,535 bytes of headers, or more than 256 of them, is a 500',
    answers: {
      'many bytes': () => ({ status: 200, headers: Array.from({ length: 66 }, (_, i) => [`X-${i}`, long] as const) }),
      'one value': header('X-A', 'x'.repeat(65_535)),
      'many fields': () => ({ status: 200, headers: Array.from({ length: 257 }, () => ['X', 'y'] as const) }),
    },
  }),
];

function expectField(fields: readonly [string, string][], name: string, value: string): void {
  if (!fields.some(([one, other]) => one === name && other === value))
    throw new Error(`no ${name}: ${fields.join(' ')}`);
}

/** AJP adds Date where none of the others has a code. */
function expectNames(fields: readonly [string, string][], names: readonly string[]): void {
  const found = fields.map(([name]) => name).filter((name) => name !== 'Date');
  if (found.join() !== names.join()) throw new Error(`fields: ${found.join()}`);
}
