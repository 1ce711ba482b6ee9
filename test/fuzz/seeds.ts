/** Conversations that peers have, made by hand: they share nothing with the codecs. */
import { abort, begin, hex, pair, pairs, params, plainGet, record, request, stdin } from '@postern/testkit';
import * as webServer from '../../packages/ajp/test/writer.ts';
import * as scgi from '../../packages/scgi/test/writer.ts';
import * as uwsgi from '../../packages/uwsgi/test/writer.ts';
import * as container from './ajp-answers.ts';

/** The variables that nginx's fastcgi_params sends. */
export const nginx: Readonly<Record<string, string>> = {
  QUERY_STRING: 'a=b',
  REQUEST_METHOD: 'POST',
  CONTENT_TYPE: 'text/plain',
  CONTENT_LENGTH: '5',
  SCRIPT_NAME: '/p/x',
  REQUEST_URI: '/p/x?a=b',
  DOCUMENT_URI: '/p/x',
  DOCUMENT_ROOT: '/var/www',
  SERVER_PROTOCOL: 'HTTP/1.1',
  REQUEST_SCHEME: 'https',
  HTTPS: 'on',
  GATEWAY_INTERFACE: 'CGI/1.1',
  SERVER_SOFTWARE: 'nginx/1.22.1',
  REMOTE_ADDR: '127.0.0.1',
  REMOTE_PORT: '40000',
  SERVER_ADDR: '127.0.0.1',
  SERVER_PORT: '443',
  SERVER_NAME: 'app.test',
  HTTP_HOST: 'app.test',
  HTTP_COOKIE: 'a=b; c=d',
  HTTP_X_LONG: 'x'.repeat(140),
};

const asking = {
  ...plainGet,
  HTTP_UPGRADE: 'websocket',
  HTTP_CONNECTION: 'Upgrade',
  HTTP_SEC_WEBSOCKET_KEY: 'dGhlIHNhbXBsZSBub25jZQ==',
};

function withSoftware(software: string): Record<string, string> {
  return { ...nginx, SERVER_SOFTWARE: software, HTTP_TRANSFER_ENCODING: 'chunked', CONTENT_LENGTH: '' };
}

export const fastcgiServer: readonly Buffer[] = [
  request(),
  Buffer.concat([request(nginx, { flags: 1, body: 'hello' }), request(plainGet, { id: 1 })]),
  Buffer.concat([
    ...[begin(1, 1), begin(2, 1), params(pairs(nginx).subarray(0, 50), 1), params(pairs(plainGet), 2), params('', 2)],
    ...[
      params(pairs(nginx).subarray(50), 1),
      params('', 1),
      stdin('he', 1),
      stdin('', 2),
      stdin('llo', 1),
      stdin('', 1),
    ],
  ]),
  Buffer.concat([
    record(9, 0, Buffer.concat(['MAX_CONNS', 'MAX_REQS', 'MPXS_CONNS'].map((n) => pair(`FCGI_${n}`, '')))),
  ]),
  Buffer.concat([begin(1, 1), params(pairs(plainGet)), params(), abort(), request(plainGet, { id: 2, flags: 1 })]),
  // a filter, an authorizer
  Buffer.concat([
    ...[begin(1, 1, 3), params(pairs({ ...nginx, FCGI_DATA_LENGTH: '3' })), params(), stdin('hello'), stdin()],
    ...[record(8, 1, 'abc'), record(8, 1), begin(2, 0, 2), params(pairs(plainGet), 2), params('', 2)],
  ]),
  // a body and a file that come in several records
  Buffer.concat([
    ...[begin(1, 1, 3), params(pairs({ ...plainGet, FCGI_DATA_LENGTH: '20', CONTENT_LENGTH: '20' })), params()],
    ...[stdin('abcdefg'), stdin('hijklmn'), stdin('opqrst'), stdin()],
    ...[record(8, 1, 'abcdefg'), record(8, 1, 'hijklmn'), record(8, 1, 'opqrst'), record(8, 1)],
  ]),
  Buffer.concat([begin(1, 1), params(pairs(asking)), params(), stdin('behind '), stdin('it'), stdin()]),
  Buffer.concat([begin(), params(pairs(asking)), params(), stdin(), request(asking, { id: 2 })]),
  Buffer.concat([
    record(77, 0, 'x', { padding: 7 }),
    record(77, 9, 'x'),
    request(withSoftware('HAProxy'), { body: 'abc' }),
  ]),
  Buffer.concat([begin(1, 1), stdin('early'), params(pairs(nginx), 1, { padding: 255 }), params(), stdin()]),
  Buffer.concat([
    begin(1, 1),
    params(pair('N', 'v', true)),
    params(pairs(withSoftware('Caddy/2.6.2'))),
    params(),
    stdin('x'),
  ]),
  ...[1, 2, 3].map((n) => Buffer.concat(Array.from({ length: n * 3 }, (_, i) => begin(i + 1, 1)))),
];

function scgiOf(variables: Record<string, string>, body = ''): Buffer {
  const { CONTENT_LENGTH: _, ...rest } = variables;
  const flat = Object.entries({ CONTENT_LENGTH: String(body.length), SCGI: '1', ...rest }).flat();
  return scgi.bytes(scgi.netstring(scgi.block(...flat)) + body);
}

export const scgiServer: readonly Buffer[] = [
  scgi.bytes(scgi.GET),
  scgi.bytes(scgi.DEEP_THOUGHT + scgi.QUESTION),
  scgiOf(nginx, 'hello'),
  Buffer.concat([scgiOf(asking), scgi.bytes('behind')]),
  scgiOf(withSoftware('lighttpd/1.4.69'), 'hello, excess'),
  scgiOf({ ...plainGet, HTTP_HOST: 'a', HTTP_COOKIE: 'a', HTTP_A_B: 'x' }),
];

function uwsgiOf(variables: Record<string, string>, body = '', modifier1 = 0): Buffer {
  const flat = Object.entries({ ...variables, CONTENT_LENGTH: body === '' ? '' : String(body.length) }).flat();
  return Buffer.concat([uwsgi.packet(uwsgi.block(...flat), { modifier1 }), uwsgi.bytes(body)]);
}

export const uwsgiServer: readonly Buffer[] = [
  uwsgi.BASELINE,
  uwsgiOf(nginx, 'hello'),
  uwsgi.post('hello', 'SCRIPT_NAME', '/p', 'PATH_INFO', '/p/x', 'HTTP_A', 'b'),
  uwsgiOf({ ...plainGet, SCRIPT_NAME: '/p/', PATH_INFO: '/p/x' }, '', 30),
  Buffer.concat([uwsgiOf(asking), uwsgi.bytes('behind')]),
  Buffer.of(100, 0, 0, 0),
  Buffer.of(0, 255, 255, 0),
  uwsgiOf({ ...plainGet, UWSGI_FILE: 'x', 'wsgi.url_scheme': 'https', HTTP_PROXY: 'x' }),
];

const { attribute, bodyPacket, CPING, EMPTY, forward, str } = webServer;
const posting = (length: number): Buffer => forward({ method: 'POST', headers: ['content-length', String(length)] });
const chunked = forward({ method: 'POST', headers: ['host', 'a', 'Transfer-Encoding', 'chunked'] });
const secret = Buffer.concat([hex('0c'), str('x')]);

export const ajpServer: readonly Buffer[] = [
  forward(),
  Buffer.concat([CPING, posting(8), bodyPacket('hel'), bodyPacket('lo123'), forward(), EMPTY, CPING]),
  Buffer.concat([chunked, bodyPacket('hello'), bodyPacket(''), forward()]),
  forward({
    method: 'PROPFIND',
    ssl: 1,
    headers: ['host', 'app.test:8080', 'cookie', 'a=b, c=d', 'content-type', 'a/b', 'X-Own', 'x', 'x_y', 'z'],
    attributes: [
      ...[attribute('AJP_LOCAL_ADDR', '::1'), attribute('AJP_REMOTE_PORT', '1'), attribute('x', 'y'), secret],
      ...[
        Buffer.concat([hex('05'), str('a=b')]),
        Buffer.concat([hex('03'), str('me')]),
        Buffer.concat([hex('0b 0080')]),
      ],
    ],
  }),
  Buffer.concat([forward({ attributes: [secret] }), forward({ attributes: [secret], headers: [] })]),
  // lighttpd
  Buffer.concat([
    posting(5),
    webServer.packet(Buffer.from('hel')),
    webServer.packet(Buffer.from('lo')),
    EMPTY,
    forward(),
  ]),
  forward({ method: 28 }),
  Buffer.concat([posting(99), bodyPacket('')]),
];

const cgiReplies = [
  'Status: 200 OK\r\nContent-Type: text/plain\r\n\r\nhello',
  'Content-Type: a/b\n\nx',
  'Status: 103 Early Hints\r\nA: b\r\n\r\nStatus: 201 Created\r\nContent-Length: 5\r\nB: c\r\n\r\nhello',
  'Location: /x\r\n\r\n',
  'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nContent-Length: 0\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n',
  'Status: 304\r\nX: \t y \r\n\r\n',
].map((text) => Buffer.from(text, 'latin1'));

export const cgiReply = cgiReplies;
export const scgiClient = cgiReplies;
export const uwsgiClient = [...cgiReplies, hex('64000001')];

const [firstReply] = cgiReplies;
const ended = (id: number, status = 0): Buffer => record(3, id, Buffer.of(0, 0, 0, 0, status, 0, 0, 0));
const values = Buffer.concat([pair('FCGI_MAX_CONNS', '9'), pair('FCGI_MPXS_CONNS', '1'), pair('FCGI_MAX_REQS', '5')]);

export const fastcgiClient: readonly Buffer[] = [
  Buffer.concat([record(6, 1, firstReply), record(6, 1), ended(1)]),
  Buffer.concat([
    ...[record(6, 1, firstReply.subarray(0, 20)), record(7, 1, 'a line\n'), record(6, 2, cgiReplies[2]), record(7, 1)],
    ...[record(6, 1, firstReply.subarray(20), { padding: 3 }), record(6, 2), ended(2), record(6, 1), ended(1)],
  ]),
  Buffer.concat([
    ...[record(6, 1, firstReply), record(6, 1, ' and more'), record(7, 1, 'a line\n'), record(6, 1, ' and more')],
    ...[record(6, 1, ' and all'), record(6, 1), ended(1)],
  ]),
  Buffer.concat([record(10, 0, values), record(6, 1, cgiReplies[1]), ended(1)]),
  Buffer.concat([record(11, 0, Buffer.of(9, 0, 0, 0, 0, 0, 0, 0)), ended(1, 2), ended(2, 3)]),
  Buffer.concat([record(6, 1, cgiReplies[4]), ended(1), record(6, 1, firstReply), record(6, 1), ended(1)]),
];

export const ajpClient: readonly Buffer[] = [
  container.REPLY,
  Buffer.concat([
    ...[
      container.getBody(4),
      container.FLUSH,
      container.headers([
        [0xa001, 'text/plain'],
        ['X-A', 'b'],
      ]),
    ],
    ...[container.chunk('hello'), container.FLUSH, container.getBody(9)],
    ...[container.chunk('world', { nul: false }), container.end(1)],
  ]),
  container.CPONG,
  Buffer.concat([container.headers([], { status: 404, reason: null }), container.end(0)]),
  Buffer.concat([container.REPLY, container.REPLY, container.CPONG]),
  Buffer.concat([container.getBody(), container.getBody(), container.getBody(0), container.REPLY]),
];

export const fastcgiPairs: readonly Buffer[] = [
  pairs(plainGet),
  pairs(nginx),
  Buffer.concat([pair('A', 'b', true), pair('', 'x'), pair('__proto__', ''), pair('N'.repeat(130), 'v'.repeat(130))]),
  hex('ffffffffffffffff'),
  hex('0100'),
];
