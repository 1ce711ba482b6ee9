import { each, type ReplyVector, whole } from './reply.ts';

const tooLong = 'the answer has more bytes than its Content-Length: the rest is dropped\n';

/** Bodies against their Content-Length. */
export const bodyVectors: readonly ReplyVector[] = [
  {
    row: 'vC19',
    title: 'a body longer than Content-Length is cut there, and a line is logged',
    reply: each('Content-Length: 2\r\n\r\nhi there', 'Content-Length: 2\r\n\r\nhi!'),
    want: whole(200, { body: 'hi', log: tooLong }),
  },
  {
    row: 'vC19',
    title: 'behind a body that is too long no other request goes where the connection frames the reply',
    reply: 'Content-Length: 2\r\n\r\nhi!',
    backEnds: ['scgi', 'uwsgi'],
    want: { body: 'hi', ended: 'whole', kept: false },
  },
  {
    row: 'vC20',
    title: 'a body shorter than Content-Length is an error for its reader',
    reply: each('Content-Length: 3\r\n\r\nhi', 'Content-Length: 3\r\n\r\n'),
    want: { status: 200, ended: 'ERR_REPLY 502', kept: false },
  },
  {
    row: 'vC21',
    title: 'a body where there is none: 204, 205, 304',
    reply: each(...['204', '205', '304'].map((status) => `Status: ${status}\r\nContent-Length: 2\r\n\r\nhi there`)),
    want: { body: '', ended: 'whole', log: '' },
  },
  {
    row: 'vC21',
    title: 'a body in the answer to HEAD',
    reply: each('Status: 200\r\nContent-Length: 2\r\n\r\nhi', 'Status: 200\r\n\r\nhi'),
    method: 'HEAD',
    want: whole(200, { body: '' }),
  },
  {
    row: 'vC21',
    title: 'HEAD answered without the body that Content-Length tells of',
    reply: 'Content-Length: 1000\r\n\r\n',
    method: 'HEAD',
    want: whole(200, { headers: ['Content-Length', '1000'], body: '' }),
  },
];
