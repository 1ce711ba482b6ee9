import { each, type ReplyVector, refused, whole } from './reply.ts';

function head(...lines: string[]): string {
  return `Status: 200\r\n${lines.join('\r\n')}\r\n\r\nhi`;
}

/** Header fields: what may not stand in a reply. */
export const fieldVectors: readonly ReplyVector[] = [
  {
    row: 'vC11',
    title: 'a line without a colon, wherever it stands',
    reply: each('garbage\r\n\r\n', 'garbage\r\nA: b\r\n\r\n', head('A: b', 'garbage'), head('garbage', 'A: b')),
    want: refused,
  },
  {
    row: 'vC12',
    title: 'a header name that is no token',
    reply: each(
      ...[': x', 'A : x', 'A\0B: x', 'A B: x', ' A: x', 'A\t: x', 'A\xe4: x', 'A(: x', '"A": x'].map((line) =>
        head(line),
      ),
    ),
    want: refused,
  },
  {
    row: 'vC13',
    title: 'a folded line',
    reply: each(head('A: x', ' y'), head('A: x', '\ty'), head('A: x', ' y: z')),
    want: refused,
  },
  {
    row: 'vC14',
    title: 'a bare CR in a value',
    reply: each(head('A: x\ry'), head('A: \rx'), head('A: x\r')),
    want: refused,
  },
  {
    row: 'vC15',
    title: 'NUL or another control in a value',
    reply: each(...['\0', '\x01', '\x0b', '\x1b', '\x7f'].map((control) => head(`A: x${control}y`))),
    want: refused,
  },
  {
    row: 'vC15',
    title: 'every byte that may stand in a value is kept',
    reply: head(`A: a\t ~\x80\xff`),
    want: whole(200, { headers: ['A', 'a\t ~\x80\xff'], body: 'hi' }),
  },
  {
    row: 'vC16',
    title: 'Content-Length that is no whole number',
    reply: each(
      ...[
        '',
        '-1',
        '+5',
        '0x10',
        '1e3',
        '5,5',
        '5;',
        '5.0',
        '1_000',
        '5 5',
        '9007199254740993',
        '9'.repeat(20),
        '\xef\xbc\x95',
      ].map((length) => head(`Content-Length: ${length}`)),
    ),
    want: refused,
  },
  {
    row: 'vC16',
    title: 'two Content-Length fields that differ',
    reply: each(head('Content-Length: 2', 'Content-Length: 3'), head('Content-Length: 2', 'content-length: 02')),
    want: refused,
  },
  {
    row: 'vC16',
    title: 'Content-Length twice the same is one',
    reply: head('Content-Length: 2', 'content-length: 2'),
    want: whole(200, { headers: ['Content-Length', '2'], body: 'hi' }),
  },
  {
    row: 'vC17',
    title: 'Content-Length and Transfer-Encoding',
    reply: each(
      head('Content-Length: 2', 'Transfer-Encoding: chunked'),
      head('Transfer-Encoding: chunked', 'Content-Length: 2'),
    ),
    want: refused,
  },
  {
    row: 'vC18',
    title: 'Transfer-Encoding: the gateway protocol frames the body, a second framing is refused',
    reply: each(
      'Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n',
      'transfer-encoding: identity\r\n\r\nhi',
      'Transfer-Encoding:\r\n\r\nhi',
    ),
    want: refused,
  },
  {
    row: 'vC22',
    title: 'a head that does not end is refused at the byte above the limit',
    reply: 'A: b\r\n'.repeat(10_923).slice(0, 65_536),
    open: true,
    long: true,
    want: refused,
  },
  {
    row: 'vC22',
    title: 'a head that fills the limit is waited for',
    reply: 'A: b\r\n'.repeat(10_923).slice(0, 65_535),
    open: true,
    long: true,
    want: { status: 0, ended: 'waiting' },
  },
  {
    row: 'vC23',
    title: 'one header line of 64 KiB',
    reply: { 'with an end': `A: ${'x'.repeat(65_536)}\r\n\r\n`, 'a name': `${'x'.repeat(65_536)}: A\r\n\r\n` },
    long: true,
    want: refused,
  },
  {
    row: 'vC24',
    title: '257 header fields',
    reply: `${'A: b\r\n'.repeat(257)}\r\nhi`,
    long: true,
    want: refused,
  },
  {
    row: 'vC24',
    title: '256 header fields are a reply',
    reply: `Status: 200\r\n${'A: b\r\n'.repeat(256)}\r\nhi`,
    long: true,
    want: whole(200, { body: 'hi' }),
  },
  {
    row: 'vC27',
    title: 'names of prototypes are names like others',
    reply: '__proto__: x\r\nconstructor: y\r\ntoString: z\r\n\r\nhi',
    want: whole(200, { headers: ['__proto__', 'x', 'constructor', 'y', 'toString', 'z'], body: 'hi' }),
  },
];
