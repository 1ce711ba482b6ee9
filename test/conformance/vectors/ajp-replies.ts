import { answer, CPONG, chunk, end, FLUSH, getBody, headers, REPLY } from '../../../packages/ajp/test/container.ts';
import { hex } from '../../../packages/ajp/test/writer.ts';

/** One row of what a container sends back. */
export interface ReplyRow {
  readonly row: string;
  readonly title: string;
  /** Several inputs by name are run one by one. */
  readonly input: Uint8Array | Readonly<Record<string, Uint8Array>>;
  /** What was asked: a request without body, one with so many bytes of body, nothing at all. */
  readonly asked?: number | 'nothing';
  /** 502 and the connection is discarded; or what is heard. */
  readonly want: 502 | { readonly body: string; readonly reuse: boolean };
  /** Lengths of the body packets that go out. */
  readonly sent?: readonly number[];
}

const bytes = (...parts: Uint8Array[]): Buffer => Buffer.concat(parts);
const head = headers([[0xa001, 'text/plain']]);

export const replyRows: readonly ReplyRow[] = [
  {
    row: 'vC38',
    title: 'the container sends packets of the other direction, or no packets',
    input: {
      'at once': hex('12 34 00 01 0a'),
      'behind a head': bytes(head, hex('12 34')),
      HTTP: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
      'half a magic': hex('41 34'),
    },
    want: 502,
  },
  { row: 'vC39', title: 'SEND_HEADERS twice', input: bytes(head, head, chunk('x'), end()), want: 502 },
  { row: 'vC40', title: 'a body chunk before the head', input: bytes(chunk('x'), head, end()), want: 502 },
  { row: 'vC40', title: 'the end before the head', input: end(), want: 502 },
  {
    row: 'vC41',
    title: 'a chunk whose length is not that of its packet',
    input: {
      larger: bytes(head, hex('41 42 00 07 03 00 05 61 62 63 00')),
      smaller: bytes(head, hex('41 42 00 07 03 00 01 61 62 63 00')),
      'far larger': bytes(head, hex('41 42 00 04 03 ff ff 61')),
      'no whole length': bytes(head, hex('41 42 00 02 03 00')),
    },
    want: 502,
  },
  {
    row: 'vC41',
    title: 'a chunk may lack the byte behind its content: some containers leave it out',
    input: bytes(head, chunk('abc', { nul: false }), end()),
    want: { body: 'abc', reuse: true },
  },
  {
    row: 'vC42',
    title: 'a flush is no body and no end, before the head too',
    input: bytes(FLUSH, head, hex('41 42 00 04 03 00 00 00'), chunk('abc'), FLUSH, end()),
    want: { body: 'abc', reuse: true },
  },
  {
    row: 'vC43',
    title: 'a string of the head runs past its packet',
    input: {
      reason: answer(hex('04 00 c8 7f ff 4f 4b')),
      'header name': answer(hex('04 00 c8 00 00 00 00 01 00 09 61 62 00')),
      'header value': answer(hex('04 00 c8 00 00 00 00 01 a0 01 00 03 61 62 63')),
      'by a byte': bytes(answer(hex('04 00 c8 00 00 00 00 01 a0 01 00 04 61 62 63 00')), chunk('next'), end()),
    },
    want: 502,
  },
  {
    row: 'vC44',
    title: 'the number of headers is not that of the headers',
    input: {
      65535: headers([['a', 'b']], { count: 0xffff }),
      'more than there are': headers([['a', 'b']], { count: 2 }),
      'fewer than there are': headers([['a', 'b']], { count: 0 }),
    },
    want: 502,
  },
  {
    row: 'vC45',
    title: 'a header code that stands for nothing',
    input: Object.fromEntries([0xa000, 0xa00c, 0xa0ff].map((code) => [code.toString(16), headers([[code, 'x']])])),
    want: 502,
  },
  {
    row: 'vC46',
    title: 'END_RESPONSE of a wrong size',
    input: {
      '1 byte': bytes(head, chunk('abc'), hex('41 42 00 01 05')),
      '3 bytes': bytes(head, chunk('abc'), hex('41 42 00 03 05 01 00')),
    },
    want: 502,
  },
  {
    row: 'vC47',
    title: 'GET_BODY_CHUNK where there is no body any more is answered with its end, once',
    input: bytes(getBody(), REPLY),
    want: { body: 'hello', reuse: true },
    sent: [0],
  },
  { row: 'vC47', title: 'and not a second time', input: bytes(getBody(), getBody(), REPLY), want: 502 },
  {
    row: 'vC48',
    title: 'GET_BODY_CHUNK for 65535 bytes gets what fits one packet',
    input: bytes(getBody(0xffff), REPLY),
    asked: 20_000,
    want: { body: 'hello', reuse: true },
    sent: [8186, 8186],
  },
  {
    row: 'vC48',
    title: 'GET_BODY_CHUNK for 0 bytes gets an empty packet',
    input: bytes(getBody(0), REPLY),
    asked: 20_000,
    want: { body: 'hello', reuse: true },
    sent: [8186, 0],
  },
  {
    row: 'vC49',
    title: 'a packet longer than packetSize is refused by its header',
    input: {
      8193: bytes(head, hex('41 42 1f fd')),
      65539: bytes(head, hex('41 42 ff ff')),
      'a head': hex('41 42 1f fd 04'),
      'all of it': bytes(head, hex('41 42 1f fd 03 1f f9'), Buffer.alloc(8186)),
    },
    want: 502,
  },
  {
    row: 'vC49',
    title: 'a packet of packetSize is read',
    input: bytes(head, chunk('x'.repeat(8184)), end()),
    want: { body: 'x'.repeat(8184), reuse: true },
  },
  {
    row: 'vC50',
    title: 'CPONG that nobody asked for',
    input: { 'before the head': bytes(CPONG, REPLY), 'behind the head': bytes(head, CPONG, end()) },
    want: 502,
  },
  {
    row: 'vC50',
    title: 'CPONG, or anything else, on a connection where nothing was asked',
    input: { CPONG, 'a reply': REPLY, 'a byte': hex('41') },
    asked: 'nothing',
    want: 502,
  },
];
