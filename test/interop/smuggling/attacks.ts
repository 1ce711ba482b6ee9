/** What a client sends to make two servers disagree where a request ends, or what it says. */
export interface Attack {
  readonly group: string;
  /** As the table has it: short, unique. */
  readonly name: string;
  readonly bytes: string;
  /** Sent when the web server has said 100 Continue: the application may have been asked by then. */
  readonly late?: string;
  /** Of an honest request: what the application must see of its body. */
  readonly body?: string;
  /** The variables that the table shows, where the application has them. */
  readonly shows?: readonly string[];
}

/** Never to be served out of a body. */
export const HIDDEN = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
/** Behind every attack, on the same connection: the web server closes with its answer. */
export const LAST = 'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

function post(fields: readonly string[], body: string, line = 'POST /attack HTTP/1.1'): string {
  return `${line}\r\n${['Host: a', ...fields].map((field) => `${field}\r\n`).join('')}\r\n${body}`;
}

function get(fields: readonly string[], target = '/attack'): string {
  return post(fields, '', `GET ${target} HTTP/1.1`);
}

const CHUNKED = 'Transfer-Encoding: chunked';
const inChunk = `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`;
/** An empty body to who reads chunks; one with a request in it to who goes by its length. */
const either = `0\r\n\r\n${HIDDEN}`;
const length = (body: string): string => `Content-Length: ${body.length}`;

/** Shown as it is written, its odd bytes as escapes. */
export function visible(text: string): string {
  return text.replace(/[\0-\x1f\x7f-\xff]/g, (c) => {
    const named = { '\r': '\\r', '\n': '\\n', '\t': '\\t' }[c];
    return named ?? `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

function group(name: string, attacks: readonly Omit<Attack, 'group'>[]): Attack[] {
  return attacks.map((attack) => ({ group: name, ...attack }));
}

/** Each beside a Content-Length that takes in the hidden request. */
const codings = [
  ...['Transfer-Encoding: xchunked', 'Transfer-Encoding : chunked', 'Transfer-Encoding:\tchunked'],
  ...['Transfer-Encoding: CHUNKED', 'Transfer-Encoding: "chunked"', 'Transfer-Encoding: chunked;x=y'],
  ...['Transfer-Encoding: chunked, identity', 'Transfer-Encoding: identity, chunked', 'Transfer-Encoding: identity'],
  ...['Transfer-Encoding: chunked\r\nTransfer-Encoding: x', 'Transfer-Encoding: x\r\nTransfer-Encoding: chunked'],
  ...['Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', 'X: y\nTransfer-Encoding: chunked'],
  ...['X: y\r\n Transfer-Encoding: chunked', 'Transfer-Encoding:\r\n chunked', 'Transfer-Encoding:\x0bchunked'],
  ...[
    'Transfer-Encoding: chunked\0',
    'Transfer-Encoding: chunked\xa0',
    'Transfer-Encoding:',
    'transfer_encoding: chunked',
  ],
  ...['\x00Transfer-Encoding: chunked', 'Transfer\x2dEncoding: \x00chunked'],
];

/** The hidden request has 35 bytes. */
const lengths = [
  ...['+35', '0x23', '-35', '-1', '3.5e1', '35.0', '35;', '3 5', '35,', '035', '35\0', '', 'x', '\uff13\uff15'],
  ...['18446744073709551651', '99999999999999999999999', '9223372036854775807'],
];

const chunkSizes = [
  ...['0x5', ' 5', '5 ', '+5', '-5', '5;', '5;ext=1', '5;ext="\\r\\n0"', '5 ;ext', '005', '5\t', '5x', '', '5.0'],
  ...['10000000000000005', 'fffffffffffffffb', '5;a\nb', `5;${'e'.repeat(20_000)}`],
];

/** UTF-8, a character for each byte. */
function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

export const attacks: readonly Attack[] = [
  ...group('Two lengths', [
    { name: 'CL.TE', bytes: post([length(either), CHUNKED], either) },
    { name: 'TE.CL', bytes: post([CHUNKED, 'Content-Length: 4'], inChunk) },
    { name: 'CL 0 and chunks', bytes: post(['Content-Length: 0', CHUNKED], inChunk) },
    { name: 'chunks in HTTP/1.0', bytes: post([CHUNKED], inChunk, 'POST /attack HTTP/1.0') },
    { name: 'CL.TE in HTTP/1.0', bytes: post([length(either), CHUNKED], either, 'POST /attack HTTP/1.0') },
    { name: 'GET with a length', bytes: post([length(HIDDEN)], HIDDEN, 'GET /attack HTTP/1.1') },
    { name: 'GET with chunks', bytes: post([CHUNKED], inChunk, 'GET /attack HTTP/1.1') },
    { name: 'GET with CL.TE', bytes: post([length(either), CHUNKED], either, 'GET /attack HTTP/1.1') },
    { name: 'POST without a length', bytes: post([], HIDDEN) },
  ]),
  ...group(
    'A Transfer-Encoding that one of them does not know, beside a Content-Length',
    codings.map((coding) => ({
      name: visible(coding),
      bytes: post([length(either), coding], either),
    })),
  ),
  ...group(
    'The same without a Content-Length',
    codings.slice(0, 11).map((coding) => ({
      name: `${visible(coding)} alone`,
      bytes: post([coding], inChunk),
    })),
  ),
  ...group('Content-Length twice', [
    { name: 'twice the same', bytes: post([length(HIDDEN), length(HIDDEN)], HIDDEN) },
    { name: '0, then the length', bytes: post(['Content-Length: 0', length(HIDDEN)], HIDDEN) },
    { name: 'the length, then 0', bytes: post([length(HIDDEN), 'Content-Length: 0'], HIDDEN) },
    { name: 'a list of the same', bytes: post([`Content-Length: ${HIDDEN.length}, ${HIDDEN.length}`], HIDDEN) },
    { name: 'a list of two', bytes: post([`Content-Length: 0, ${HIDDEN.length}`], HIDDEN) },
    { name: 'a folded list', bytes: post([`Content-Length: 0\r\n ${HIDDEN.length}`], HIDDEN) },
    { name: 'in two cases', bytes: post([length(HIDDEN), 'content-length: 0'], HIDDEN) },
  ]),
  ...group(
    'A Content-Length that is no number',
    lengths.map((value) => ({
      name: `Content-Length: ${visible(bytesOf(value))}`,
      bytes: post([`Content-Length: ${bytesOf(value)}`], HIDDEN),
    })),
  ),
  ...group('White space around a Content-Length', [
    ...[`  ${HIDDEN.length}`, `${HIDDEN.length} `, `\t${HIDDEN.length}\t`].map((value) => ({
      name: `Content-Length:${visible(value)}`,
      bytes: post([`Content-Length:${value}`], HIDDEN),
    })),
    { name: 'Content-Length : (space)', bytes: post([`Content-Length : ${HIDDEN.length}`], HIDDEN) },
  ]),
  ...group('Chunks', [
    ...chunkSizes.map((size) => ({
      name: `size ${size.length > 100 ? '5;eee… (20,000)' : visible(size) || '(none)'}`,
      bytes: post([CHUNKED], `${size}\r\nhello\r\n0\r\n\r\n`),
    })),
    { name: 'LF behind the size', bytes: post([CHUNKED], '5\nhello\r\n0\r\n\r\n') },
    { name: 'LF behind the data', bytes: post([CHUNKED], '5\r\nhello\n0\r\n\r\n') },
    { name: 'CR behind the size', bytes: post([CHUNKED], '5\rhello\r\n0\r\n\r\n') },
    { name: 'data longer than the size', bytes: post([CHUNKED], '3\r\nhello\r\n0\r\n\r\n') },
    { name: 'no end of the data', bytes: post([CHUNKED], '5\r\nhello0\r\n\r\n') },
    {
      name: 'trailers that frame',
      bytes: post([CHUNKED], '5\r\nhello\r\n0\r\nContent-Length: 0\r\nX-Late: b\r\n\r\n'),
    },
    { name: 'a trailer that is none', bytes: post([CHUNKED], `0\r\n${HIDDEN}`) },
    { name: 'a request in a chunk', bytes: post([CHUNKED], inChunk), body: HIDDEN },
  ]),
  ...group('Names', [
    { name: 'X_Foo', bytes: get(['X_Foo: underscore']), shows: ['HTTP_X_FOO'] },
    { name: 'X-Foo, then X_Foo', bytes: get(['X-Foo: dash', 'X_Foo: underscore']), shows: ['HTTP_X_FOO'] },
    { name: 'X_Foo, then X-Foo', bytes: get(['X_Foo: underscore', 'X-Foo: dash']), shows: ['HTTP_X_FOO'] },
    { name: 'X.Foo beside X-Foo', bytes: get(['X-Foo: dash', 'X.Foo: dot']), shows: ['HTTP_X_FOO', 'HTTP_X.FOO'] },
    { name: 'Content_Length: 0', bytes: post(['Content_Length: 0', length(HIDDEN)], HIDDEN) },
    { name: 'Content_Length alone', bytes: post([`Content_Length: ${HIDDEN.length}`], HIDDEN) },
    { name: 'Content_Type', bytes: get(['Content_Type: a/b']), shows: ['CONTENT_TYPE', 'HTTP_CONTENT_TYPE'] },
    { name: 'Transfer_Encoding', bytes: post(['Transfer_Encoding: chunked', length(either)], either) },
    { name: 'Proxy', bytes: get(['Proxy: http://evil.test/']), shows: ['HTTP_PROXY'] },
    { name: 'a space in the name', bytes: get(['X Foo: b']) },
    { name: 'no name', bytes: get([': b']) },
    { name: 'no colon', bytes: get(['X-Foo']) },
    { name: 'a high byte in the name', bytes: get(['X-F\xf6o: b']) },
    { name: 'Connection: Content-Length', bytes: post(['Connection: Content-Length', length(HIDDEN)], HIDDEN) },
    { name: 'Connection: Transfer-Encoding', bytes: post(['Connection: Transfer-Encoding', CHUNKED], inChunk) },
    { name: 'Connection: X-Foo', bytes: get(['Connection: X-Foo', 'X-Foo: b']), shows: ['HTTP_X_FOO'] },
  ]),
  ...group('Values', [
    { name: 'CR', bytes: get(['X-Foo: a\rX-Bar: b']), shows: ['HTTP_X_FOO', 'HTTP_X_BAR'] },
    { name: 'LF', bytes: get(['X-Foo: a\nX-Bar: b']), shows: ['HTTP_X_FOO', 'HTTP_X_BAR'] },
    { name: 'NUL', bytes: get(['X-Foo: a\0b']), shows: ['HTTP_X_FOO'] },
    { name: 'a control', bytes: get(['X-Foo: a\x01b']), shows: ['HTTP_X_FOO'] },
    { name: 'high bytes', bytes: get(['X-Foo: \xe4\xff']), shows: ['HTTP_X_FOO'] },
    { name: 'a folded line', bytes: get(['X-Foo: a\r\n b']), shows: ['HTTP_X_FOO'] },
    { name: 'a folded field behind the line', bytes: `GET /attack HTTP/1.1\r\n X-Foo: a\r\nHost: a\r\n\r\n` },
    { name: 'CR at the end of the head', bytes: `GET /attack HTTP/1.1\r\nHost: a\r\n\r${HIDDEN}` },
    { name: 'LF for all line ends', bytes: 'GET /attack HTTP/1.1\nHost: a\n\n' },
  ]),
  ...group('Targets', [
    { name: 'absolute-form', bytes: get([], 'http://b/attack'), shows: ['HTTP_HOST'] },
    { name: 'absolute-form with a user', bytes: get([], 'http://b@c/attack'), shows: ['HTTP_HOST'] },
    { name: 'absolute-form, https', bytes: get([], 'https://b/attack'), shows: ['REQUEST_SCHEME', 'HTTP_HOST'] },
    { name: 'absolute-form, ftp', bytes: get([], 'ftp://b/attack') },
    { name: 'absolute-form without a path', bytes: get([], 'http://b') },
    { name: 'authority-form', bytes: get([], 'b:80') },
    { name: 'CONNECT', bytes: 'CONNECT b:80 HTTP/1.1\r\nHost: b:80\r\n\r\n' },
    { name: 'GET *', bytes: get([], '*') },
    { name: 'OPTIONS *', bytes: post([], '', 'OPTIONS * HTTP/1.1') },
    { name: 'two slashes', bytes: get([], '//b/attack') },
    { name: 'a space', bytes: get([], '/attack b') },
    { name: 'two spaces before', bytes: get([], ' /attack') },
    { name: 'a request in it', bytes: get([], '/attack HTTP/1.1\r\nHost: b\r\n\r\nGET /smuggled') },
    { name: 'an escaped line end', bytes: get([], '/attack%0d%0aX-Foo:%20b'), shows: ['PATH_INFO', 'HTTP_X_FOO'] },
    { name: 'an escaped NUL', bytes: get([], '/attack%00') },
    { name: 'a NUL', bytes: get([], '/attack\0') },
    { name: 'a fragment', bytes: get([], '/attack#b') },
    { name: 'a high byte', bytes: get([], '/attack\xe4') },
    { name: 'escaped dots', bytes: get([], '/attack/%2e%2e/b'), shows: ['PATH_INFO'] },
    { name: 'no Host', bytes: 'GET /attack HTTP/1.1\r\n\r\n' },
    { name: 'two Hosts', bytes: get(['Host: b']) },
    { name: 'a Host with a path', bytes: 'GET /attack HTTP/1.1\r\nHost: a/b\r\n\r\n' },
    { name: 'a Host with a user', bytes: 'GET /attack HTTP/1.1\r\nHost: a@b\r\n\r\n' },
    { name: 'HTTP/0.9', bytes: 'GET /attack\r\n' },
    { name: 'HTTP/2.0', bytes: post([], '', 'GET /attack HTTP/2.0') },
    { name: 'HTTP/1.1x', bytes: post([], '', 'GET /attack HTTP/1.1x') },
    { name: 'a method in lower case', bytes: post([], '', 'get /attack HTTP/1.1') },
    { name: 'TRACE', bytes: post([], '', 'TRACE /attack HTTP/1.1') },
    { name: 'a method of the client', bytes: post([], '', 'SMUGGLE /attack HTTP/1.1') },
  ]),
  ...group('One behind the other', [
    { name: 'a request as a body', bytes: post([length(HIDDEN)], HIDDEN), body: HIDDEN },
    { name: 'a POST in a POST', bytes: post([length(post([length(HIDDEN)], HIDDEN))], post([length(HIDDEN)], HIDDEN)) },
    { name: 'two honest ones', bytes: get([]) + get([], '/second') },
    { name: 'an empty line between', bytes: `${get([])}\r\n${get([], '/second')}` },
    { name: 'a body too long by one byte', bytes: `${post([length('hello')], 'hello')}X` },
    { name: 'Expect: 100-continue', bytes: post(['Expect: 100-continue', length(HIDDEN)], HIDDEN) },
    {
      name: 'Expect: 100-continue, GET',
      bytes: post(['Expect: 100-continue', length(HIDDEN)], HIDDEN, 'GET /attack HTTP/1.1'),
    },
    {
      name: 'a body behind 100 Continue',
      bytes: post(['Expect: 100-continue', length(HIDDEN)], ''),
      late: HIDDEN,
      body: HIDDEN,
    },
    {
      name: 'chunks behind 100 Continue',
      bytes: post(['Expect: 100-continue', CHUNKED], ''),
      late: inChunk,
      body: HIDDEN,
    },
    {
      name: 'broken chunks behind 100 Continue',
      bytes: post(['Expect: 100-continue', CHUNKED], ''),
      late: `5\r\nhello\r\nx\r\n${HIDDEN}`,
    },
    { name: 'Expect: of nothing', bytes: post(['Expect: y', length(HIDDEN)], HIDDEN) },
  ]),
  ...group('Upgrades', [
    {
      name: 'h2c',
      bytes: get(['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA']),
      shows: ['HTTP_UPGRADE', 'HTTP_CONNECTION', 'HTTP_HTTP2_SETTINGS'],
    },
    {
      name: 'h2c with a body',
      bytes: post(['Connection: Upgrade', 'Upgrade: h2c', length(HIDDEN)], HIDDEN),
      shows: ['HTTP_UPGRADE'],
    },
    {
      name: 'websocket with a request behind it',
      bytes: get(['Connection: Upgrade', 'Upgrade: websocket']) + HIDDEN,
      shows: ['HTTP_UPGRADE'],
    },
    {
      name: 'websocket in POST',
      bytes: post(['Connection: Upgrade', 'Upgrade: websocket', length(HIDDEN)], HIDDEN),
      shows: ['HTTP_UPGRADE'],
    },
    { name: 'TLS/1.0', bytes: get(['Connection: Upgrade', 'Upgrade: TLS/1.0']), shows: ['HTTP_UPGRADE'] },
    { name: 'the preface of HTTP/2', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
  ]),
];
