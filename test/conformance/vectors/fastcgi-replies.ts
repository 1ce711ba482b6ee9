import { hex, record } from '@postern/testkit';

/** One row of what a FastCGI application sends back to request 1. */
export interface ReplyRow {
  readonly row: string;
  readonly title: string;
  /** Several inputs by name are run one by one. */
  readonly input: Uint8Array | Readonly<Record<string, Uint8Array>>;
  /** The body, or the code and status of the error of the request. */
  readonly want: { readonly body: string } | string;
  /** Of the body that had come before an error. */
  readonly before?: string;
  /** The connection takes a further request. */
  readonly reuse: boolean;
  /** The back-end closes the connection behind it. */
  readonly fin?: boolean;
}

const HEAD = 'Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n';

const bytes = (...parts: Uint8Array[]): Buffer => Buffer.concat(parts);

export function stdout(content = '', id = 1): Buffer {
  return record(6, id, content);
}

export function stderr(content = '', id = 1): Buffer {
  return record(7, id, content);
}

export function end(protocolStatus = 0, id = 1): Buffer {
  return record(3, id, Uint8Array.of(0, 0, 0, 0, protocolStatus, 0, 0, 0));
}

/** A whole reply. */
export function reply(body: string, id = 1): Buffer {
  return bytes(stdout(HEAD + body, id), stdout('', id), end(0, id));
}

const broken = { want: 'ERR_REPLY 502', reuse: false } as const;

export const replyRows: readonly ReplyRow[] = [
  {
    row: 'vC28',
    title: 'a record of an id that nothing was asked of',
    input: {
      STDOUT: hex('01 06 00 02 00 01 00 00 78'),
      STDERR: stderr('x', 2),
      END_REQUEST: end(0, 2),
      'STDOUT behind a head': bytes(stdout(HEAD), stdout('x', 257)),
    },
    ...broken,
  },
  {
    row: 'vC29',
    title: 'END_REQUEST before any STDOUT, or before the head is whole',
    input: {
      'no STDOUT': hex('01 03 00 01 00 08 00 00 00 00 00 00 00 00 00 00'),
      'empty STDOUT': bytes(stdout(), end()),
      'half a head': bytes(stdout('Status: 200 OK\r\n'), stdout(), end()),
    },
    want: 'ERR_REPLY 502',
    reuse: true,
  },
  {
    row: 'vC30',
    title: 'END_REQUEST with CANT_MPX_CONN: the caller is told to ask for one at once',
    input: end(1),
    want: 'ERR_BACKEND_MULTIPLEX 502',
    reuse: true,
  },
  {
    row: 'vC30',
    title: 'END_REQUEST with OVERLOADED',
    input: hex('01 03 00 01 00 08 00 00 00 00 00 00 02 00 00 00'),
    want: 'ERR_BACKEND_BUSY 503',
    reuse: true,
  },
  {
    row: 'vC30',
    title: 'END_REQUEST with UNKNOWN_ROLE',
    input: end(3),
    want: 'ERR_BACKEND_ROLE 500',
    reuse: true,
  },
  {
    row: 'vC31',
    title: 'END_REQUEST of 7 or 9 bytes',
    input: {
      '7 bytes': bytes(stdout(HEAD), stdout(), record(3, 1, Buffer.alloc(7))),
      '9 bytes': bytes(stdout(HEAD), stdout(), record(3, 1, Buffer.alloc(9))),
      '7 bytes at once': record(3, 1, Buffer.alloc(7)),
    },
    ...broken,
  },
  {
    row: 'vC32',
    title: 'STDOUT behind END_REQUEST is ignored',
    input: bytes(reply('hello'), stdout('x')),
    want: { body: 'hello' },
    reuse: false,
  },
  {
    row: 'vC33',
    title: 'STDOUT behind its end',
    input: bytes(stdout(`${HEAD}hi`), stdout(), stdout('x'), end()),
    before: 'hi',
    ...broken,
  },
  {
    row: 'vC34',
    title: 'FIN without END_REQUEST, and no Content-Length',
    input: { 'behind the body': stdout(`${HEAD}hi`), 'behind the end of STDOUT': bytes(stdout(`${HEAD}hi`), stdout()) },
    before: 'hi',
    fin: true,
    ...broken,
  },
  {
    row: 'vC36',
    title: '64 empty STDERR records are borne with',
    input: bytes(Buffer.alloc(64 * 8, stderr()), reply('hello')),
    want: { body: 'hello' },
    reuse: true,
  },
  { row: 'vC36', title: 'the 65th empty STDERR record', input: Buffer.alloc(65 * 8, stderr()), ...broken },
  {
    row: 'vC37',
    title: 'a record that only a web server sends',
    input: Object.fromEntries(
      [4, 5, 9].flatMap((type) => [
        [`type ${type}`, record(type, 1, 'x')],
        [`type ${type} behind a head`, bytes(stdout(HEAD), record(type, 1, 'x'))],
        [`type ${type} without an id`, record(type, 0)],
      ]),
    ),
    ...broken,
  },
];
