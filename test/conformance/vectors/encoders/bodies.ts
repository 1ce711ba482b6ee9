import type { BodyWriter, Exchange } from '@postern/core';
import type { Seen } from '../observe.ts';
import { type Answer, type AnswerVector, named } from './answer.ts';

/** An application that streams: what it does with the writer of its body. */
function streaming(headers: string[], use: (writer: BodyWriter, exchange: Exchange) => void, status = 200): Answer {
  return {
    handler: (exchange) => use(exchange.start(status, 'Fine', [...headers]), exchange),
  };
}

/** The code of what is thrown. */
function codeOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return undefined;
}

/** @throws Error what is thrown is something else */
function throws(code: string, act: () => unknown): void {
  const found = codeOf(act);
  if (found !== code) throw new Error(`${found} is thrown, and not ${code}`);
}

const five = ['Content-Length', '5'];

/** Bodies that an application gives: against their Content-Length, where there is none, behind their end, empty. */
export const bodyVectors: readonly AnswerVector[] = [
  {
    row: 'vE14',
    title:
      'a streamed body with more bytes than its Content-Length: the wire has as many as were stated, the app is told',
    answers: {
      'in one piece': () => ({ status: 200, headers: { 'Content-Length': '5' }, body: ['hello!'] }),
      'in two': () => ({ status: 200, headers: { 'Content-Length': '5' }, body: ['hello', '!'] }),
    },
    status: '200',
    body: 'hello',
    reported: ['ERR_BODY_LONG'],
  },
  {
    row: 'vE14',
    title: 'the write that goes beyond Content-Length throws',
    answers: {
      here: streaming(five, (writer) => {
        writer.write('hel');
        throws('ERR_BODY_LONG', () => writer.write('lo!'));
      }),
    },
    status: '200',
    body: 'hello',
  },
  {
    row: 'vE14',
    title: 'a body in memory with more bytes than its Content-Length is a 500',
    answers: { here: () => ({ status: 200, headers: { 'Content-Length': '5' }, body: 'hello!' }) },
    status: '500',
    reported: ['ERR_BODY_LONG'],
  },
  {
    row: 'vE15',
    title: 'a streamed body with fewer bytes than its Content-Length is cut, not ended',
    answers: {
      pieces: () => ({ status: 200, headers: { 'Content-Length': '5' }, body: slowly('hel') }),
      'a writer': streaming(five, (writer) => {
        writer.write('hel');
        setImmediate(() => writer.end());
      }),
      'none at all': streaming(five, (writer) => void setImmediate(() => writer.end())),
    },
    status: '200 cut',
    reported: ['ERR_BODY_CUT'],
    check: wasReset,
  },
  {
    row: 'vE15',
    title: 'one of which nothing has gone out yet is no reply at all',
    answers: {
      pieces: () => ({ status: 200, headers: { 'Content-Length': '5' }, body: ['hel'] }),
      'a writer': streaming(five, (writer) => {
        writer.write('hel');
        writer.end();
      }),
    },
    status: 'none',
    reported: ['ERR_BODY_CUT'],
    check: wasReset,
  },
  {
    row: 'vE15',
    title: 'a body in memory with fewer bytes than its Content-Length is a 500',
    answers: { here: () => ({ status: 200, headers: { 'Content-Length': '5' }, body: 'hel' }) },
    status: '500',
    reported: ['ERR_BODY_CUT'],
  },
  ...[204, 205, 304].map(
    (status): AnswerVector => ({
      row: 'vE16',
      title: `a ${status} has no body, whatever the application gives`,
      answers: bodies(status),
      status: String(status),
      body: '',
    }),
  ),
  {
    row: 'vE16',
    title: 'the answer to HEAD has no body, whatever the application gives',
    answers: bodies(200),
    method: 'HEAD',
    status: '200',
    body: '',
  },
  {
    row: 'vE17',
    title: 'a write behind the end throws, and changes nothing',
    answers: {
      'a write': streaming([], (writer) => {
        writer.write('hi');
        writer.end();
        throws('ERR_WRITE_AFTER_END', () => writer.write('more'));
        throws('ERR_WRITE_AFTER_END', () => writer.write(''));
        writer.end();
      }),
      'a write in a later turn': streaming([], (writer) => {
        writer.write('hi');
        writer.end();
        setImmediate(() => throws('ERR_WRITE_AFTER_END', () => writer.write('more')));
      }),
      'another answer': streaming([], (writer, exchange) => {
        writer.write('hi');
        throws('ERR_HEADERS_SENT', () => exchange.respond(200, 'OK', [], 'more'));
        writer.end();
        throws('ERR_HEADERS_SENT', () => exchange.start(200, 'OK', []));
      }),
    },
    status: '200',
    body: 'hi',
  },
  {
    row: 'vE18',
    title: 'a thousand empty writes are no bytes on the wire',
    answers: {
      'a writer': streaming([], (writer) => {
        for (let i = 0; i < 1000; i++) writer.write(i % 2 === 0 ? '' : new Uint8Array(0));
        writer.write('hi');
        for (let i = 0; i < 1000; i++) writer.write('');
        writer.end();
      }),
      pieces: () => ({ status: 200, body: [...Array.from({ length: 1000 }, () => ''), 'hi'] }),
    },
    status: '200',
    body: 'hi',
    check: ({ output }) => {
      if (output.length > 150) throw new Error(`${output.length} bytes for a body of 2`);
    },
  },
  {
    row: 'vE19',
    title: 'a piece of 65,536 bytes is split, and no byte is lost',
    answers: named([65_535, 65_536, 65_537, 200_000], (size) => ({
      handler: (exchange) => {
        const writer = exchange.start(200, 'OK', []);
        writer.write(pattern(size));
        writer.end();
      },
    })),
    status: '200',
    check: ({ bodies: [body] }) => expectPattern(body),
  },
  {
    row: 'vE19',
    title: 'a whole body of 65,536 bytes is split, and no byte is lost',
    answers: named([65_400, 65_535, 65_536, 200_000], (size) => () => ({ status: 200, body: pattern(size) })),
    status: '200',
    check: ({ bodies: [body] }) => expectPattern(body),
  },
];

function bodies(status: number): Record<string, Answer> {
  return {
    text: () => ({ status, body: 'hello' }),
    'more than Content-Length': () => ({ status, headers: { 'Content-Length': '2' }, body: Buffer.from('hello') }),
    'less than Content-Length': () => ({ status, headers: { 'Content-Length': '9' }, body: 'hello' }),
    pieces: () => ({ status, body: ['hel', 'lo'] }),
    'a writer': streaming(
      five,
      (writer) => {
        writer.write('hello and more');
        writer.end();
      },
      status,
    ),
  };
}

async function* slowly(piece: string): AsyncGenerator<string> {
  yield piece;
  await new Promise((resolve) => setImmediate(resolve));
}

/** The peer sees an error and not an end; over FastCGI that is eight zero bytes in the place of a record. */
function wasReset({ closed, output }: Seen, protocol: string): void {
  const poisoned = protocol === 'fastcgi' && closed === 'close' && output.endsWith('\0'.repeat(8));
  if (closed !== 'reset' && !poisoned) throw new Error(`the connection: ${closed}, ${JSON.stringify(output)}`);
}

/** Bytes of which no two pieces of a record's length are the same. */
function pattern(size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, i) => (i + (i >> 8) * 7) & 255));
}

function expectPattern(body: string): void {
  if (!Buffer.from(body, 'latin1').equals(pattern(body.length)) || body.length < 65_000)
    throw new Error(`the body has ${body.length} bytes, or others`);
}
