import { each, type ReplyVector, refused, statusLines, statusOnly, whole } from './reply.ts';

const found = { reason: 'Found' };

/** How a reply begins: Status, Location, a status line, interim replies, the end of the head. */
export const headVectors: readonly ReplyVector[] = [
  {
    row: 'vC1',
    title: 'a plain reply',
    reply: 'Status: 200 OK\r\nContent-Type: text/plain\r\n\r\nhi',
    want: whole(200, { reason: 'OK', headers: ['Content-Type', 'text/plain'], body: 'hi' }),
  },
  {
    row: 'vC2',
    title: 'lines end with LF, CRLF, or either by turns',
    reply: each(...['\n\n', '\r\n\r\n', '\r\n\n', '\n\r\n'].map((end) => `A: b${end}hi`)),
    want: whole(200, { headers: ['A', 'b'], body: 'hi' }),
  },
  {
    row: 'vC3',
    title: 'Location without Status is a 302',
    reply: 'Location: https://example.test/x\r\n\r\n',
    want: whole(302, { ...found, headers: ['Location', 'https://example.test/x'] }),
  },
  {
    row: 'vC4',
    title: 'a local Location is a 302 too, and nothing is asked again',
    reply: 'Location: /x\r\n\r\n',
    want: whole(302, { ...found, headers: ['Location', '/x'] }),
  },
  {
    row: 'vC5',
    title: 'neither Status nor Location is a 200',
    reply: 'Content-Type: text/plain\r\n\r\nhi',
    want: whole(200, { reason: 'OK', body: 'hi' }),
  },
  {
    row: 'vC6',
    title: 'a Status that is none',
    reply: each(
      ...['abc', '99', '1000', '20', '200OK', '-200', '', '+200', '099', '200.', '2e2', '0200', '200,'].map(
        (status) => `Status: ${status}\r\n\r\nhi`,
      ),
    ),
    want: refused,
  },
  {
    row: 'vC7',
    title: 'two Status fields',
    reply: each('Status: 200\r\nStatus: 500\r\n\r\n', 'Status: 200\r\nA: b\r\nstatus: 200\r\n\r\n'),
    want: refused,
  },
  {
    row: 'vC8',
    title: 'a bare CR in Status',
    reply: each(
      'Status: 200 OK\rSet-Cookie: a=b\r\n\r\n',
      'Status: 200\rSet-Cookie: a=b\r\n\r\n',
      'Status: 200 OK\r\r\n\r\n',
    ),
    want: refused,
  },
  {
    row: 'vC9',
    title: "HTTP's status line where it was not asked for",
    reply: each('HTTP/1.1 200 OK\r\nA: b\r\n\r\nhi', 'HTTP/1.0 200\r\n\r\nhi'),
    backEnds: statusOnly,
    want: refused,
  },
  {
    row: 'vC9',
    title: "HTTP's status line from uwsgi, and with nph",
    reply: 'HTTP/1.1 404 Gone\r\nA: b\r\n\r\nhi',
    backEnds: statusLines,
    want: whole(404, { reason: 'Gone', headers: ['A', 'b'], body: 'hi' }),
  },
  {
    row: 'vC9',
    title: 'a status line that is none',
    reply: each(
      ...[
        'HTTP/1.1 20 OK',
        'HTTP/2.0 200 OK',
        'HTTP/1.1  200 OK',
        'HTTP/1.1 200OK',
        'http/1.1 200 OK',
        'HTTP/1.1 099',
      ].map((line) => `${line}\r\n\r\n`),
      'HTTP/1.1 200 OK\r\nStatus: 404\r\n\r\n',
      'HTTP/1.1 200 O\rK\r\n\r\n',
    ),
    backEnds: statusLines,
    want: refused,
  },
  {
    row: 'vC10',
    title: 'interim replies are passed over, eight of them at most',
    reply: {
      one: 'Status: 103\r\nLink: x\r\n\r\nStatus: 200\r\n\r\nhi',
      eight: `${'Status: 103\r\nLink: x\r\n\r\n'.repeat(8)}A: b\r\n\r\nhi`,
    },
    want: whole(200, { body: 'hi' }),
  },
  {
    row: 'vC10',
    title: 'a ninth interim reply, a 101, and an interim reply alone',
    reply: {
      nine: `${'Status: 103\r\n\r\n'.repeat(9)}A: b\r\n\r\nhi`,
      'a 101': 'Status: 101\r\nUpgrade: x\r\n\r\nhi',
      alone: 'Status: 103\r\n\r\n',
    },
    want: refused,
  },
  { row: 'vC25', title: 'nothing at all', reply: '', want: refused },
  {
    row: 'vC25',
    title: 'a head that does not end',
    reply: each('Status: 200\r\n', 'A: b', 'A: b\r\n\r'),
    want: refused,
  },
];
