import { describe, expect, it } from '@jest/globals';
import { type CgiReplyHead, CgiReplyReader } from '../src/cgi-reply-reader.ts';
import { RemoteProtocolError } from '../src/errors.ts';

const limits = { maxReplyHeaders: 256, maxReplyHeaderBytes: 65_535 };

/** Pushes the bytes in pieces of one size; the body is everything behind the head. */
function read(
  text: string,
  size = text.length,
  set = limits,
  statusLine?: boolean,
): (Omit<CgiReplyHead, 'rest'> & { body: string }) | undefined {
  const reader = new CgiReplyReader(set, statusLine);
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += size) {
    const head = reader.push(bytes.subarray(at, at + size));
    if (head === undefined) continue;
    const { rest, ...others } = head;
    return { ...others, body: Buffer.from(rest).toString('latin1') + bytes.toString('latin1', at + size) };
  }
  return undefined;
}

function refusal(text: string, set = limits, statusLine?: boolean): string {
  try {
    read(text, text.length, set, statusLine);
  } catch (error) {
    expect(error).toBeInstanceOf(RemoteProtocolError);
    expect(error).toMatchObject({ code: 'ERR_REPLY', statusHint: 502, scope: 'connection' });
    return (error as Error).message;
  }
  return 'not refused';
}

describe('a reply head in CGI form', () => {
  it('gives status, reason, headers without Status, and what of the body came with it', () => {
    expect(read('Status: 200 Fine\r\nContent-Type: text/plain\r\n\r\nhi')).toEqual({
      status: 200,
      reason: 'Fine',
      headers: ['Content-Type', 'text/plain'],
      body: 'hi',
    });
  });

  it.each([1, 2, 3, 7])('is the same in pieces of %i bytes', (size) => {
    const text = 'Status: 404 Not Found\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX: \t y z \t\r\n\r\n\r\nbody';
    expect(read(text, size)).toEqual(read(text));
    expect(read(text)).toMatchObject({
      headers: ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X', 'y z'],
      body: '\r\nbody',
    });
  });

  it.each(['\n\n', '\r\n\r\n', '\r\n\n', '\n\r\n'])('may end with %j', (end) => {
    expect(read(`A: b${end}\nc`)).toEqual({ status: 200, reason: 'OK', headers: ['A', 'b'], body: '\nc' });
  });

  it('without Status is a 302 where it has a Location, else a 200', () => {
    expect(read('Location: http://x.test/\n\n')).toMatchObject({ status: 302, reason: 'Found' });
    expect(read('location: /x\n\n')).toMatchObject({ status: 302, headers: ['location', '/x'] });
    expect(read('Content-Type: text/plain\n\n')).toMatchObject({ status: 200 });
    expect(read('Location: ../x?y\n\n')).toMatchObject({ status: 302 });
    expect(read('Location:  \nX: y\n\n')).toMatchObject({ status: 200, headers: ['Location', '', 'X', 'y'] });
    expect(read('Location: /x\nstatus: 201\n\n')).toMatchObject({ status: 201, reason: 'Created' });
  });

  it('needs no reason, and has the registered one then', () => {
    expect(read('Status: 404\n\n')).toMatchObject({ status: 404, reason: 'Not Found' });
    expect(read('Status:\t404 \n\n')).toMatchObject({ status: 404, reason: 'Not Found' });
    expect(read('Status: 799\n\n')).toMatchObject({ status: 799, reason: '799' });
    expect(read('Status: 404 Nicht da\xdf\n\n')).toMatchObject({ reason: 'Nicht da\xdf' });
  });

  it("gives the fields of the back-end's connection as they came", () => {
    const text = 'Connection: close, X\nKeep-Alive: timeout=5\nX: y\n\n';
    expect(read(text)?.headers).toEqual(['Connection', 'close, X', 'Keep-Alive', 'timeout=5', 'X', 'y']);
  });

  it('keeps __proto__ as a header like any other', () => {
    expect(read('__proto__: x\n\n')?.headers).toEqual(['__proto__', 'x']);
  });

  it('needs no head to be complete for an answer that more is needed', () => {
    expect(read('Status: 200 OK\r\nA: b\r\n')).toBeUndefined();
    expect(read('Status: 200 OK\r\nA: b\r\n\r')).toBeUndefined();
  });

  it.each(['abc', '99', '1000', '20', '200OK', '-200', '', '200 OK\nStatus: 500', '200\nStatus: 200'])(
    'with Status %j is refused',
    (status) => {
      expect(refusal(`Status: ${status}\n\n`)).toMatch(/^Status "/);
    },
  );

  it.each([
    ['no colon', 'garbage\r\n\r\n'],
    ['an HTTP status line', 'HTTP/1.1 200 OK\r\n\r\n'],
    ['an empty name', ': x\n\n'],
    ['a space before the colon', 'A : x\n\n'],
    ['a space in the name', 'A B: x\n\n'],
    ['NUL in the name', 'A\0B: x\n\n'],
    ['a folded line', 'A: x\r\n y: z\r\n\r\n'],
    ['a line folded with a tab', 'A: x\n\ty: z\n\n'],
    ['a folded line without a colon', 'A: x\r\n y\r\n\r\n'],
    ['a line folded behind Status', 'Status: 200 OK\r\n A: b\r\n\r\n'],
    ['a negative Content-Length', 'Content-Length: -1\n\n'],
    ['a list of equal lengths', 'Content-Length: 5, 5\n\n'],
    ['a Content-Length with a sign', 'Content-Length: +5\n\n'],
    ['a Content-Length of 16 digits', 'Content-Length: 1000000000000000\n\n'],
    ['a transfer coding alone', 'Transfer-Encoding: chunked\n\n'],
    ['an empty transfer coding', 'transfer-encoding:\n\n'],
    ['a bare CR in a value', 'A: x\ry\n\n'],
    ['a bare CR in Status', 'Status: 200 OK\rSet-Cookie: a=b\n\n'],
    ['NUL in a value', 'A: x\0y\n\n'],
    ['no field at all', '\r\n'],
    ['no field at all, LF', '\nhello'],
    ['a Content-Length that is no number', 'Content-Length: 1x\n\n'],
    ['an empty Content-Length', 'Content-Length:\n\n'],
    ['two lengths', 'Content-Length: 1\ncontent-length: 2\n\n'],
    ['a transfer coding', 'Content-Length: 1\nTransfer-Encoding: chunked\n\n'],
  ])('with %s is refused', (_, text) => {
    expect(refusal(text)).not.toBe('not refused');
  });

  it('keeps one of two equal lengths', () => {
    expect(read('Content-Length: 5\nContent-Length: 5\n\nhello')?.headers).toEqual(['Content-Length', '5']);
  });

  it('may have as many bytes and fields as the limits say, and no more', () => {
    const bytes = { maxReplyHeaders: 3, maxReplyHeaderBytes: 20 };
    expect(read(`A: ${'x'.repeat(13)}\r\n\r\nbody`, 1, bytes)?.body).toBe('body');
    expect(refusal(`A: ${'x'.repeat(14)}\r\n\r\nbody`, bytes)).toMatch(/more than 20 bytes/);
    expect(refusal('x'.repeat(21), bytes)).toMatch(/more than 20 bytes/);
    expect(read('a:1\nb:2\nc:3\n\n', 1, bytes)?.headers).toHaveLength(6);
    expect(refusal('a:1\nb:2\nc:3\nd:4\n\n', bytes)).toMatch(/more than 3 header fields/);
  });

  it('is refused at the byte that passes the limit, without waiting for its end', () => {
    const reader = new CgiReplyReader(limits);
    const line = Buffer.from('A: b\r\n');
    let sent = 0;
    expect(() => {
      for (; sent < 1_048_576; sent += line.length) reader.push(line);
    }).toThrow(/more than 65535 bytes/);
    expect(sent + line.length).toBeGreaterThan(65_535);
    expect(sent).toBeLessThanOrEqual(65_535);
  });

  it('may come after at most eight interim heads, which are passed over', () => {
    const interim = 'Status: 103 Early Hints\r\nLink: </a.css>\r\n\r\n';
    const final = 'Status: 201 Created\r\n\r\nx';
    for (const size of [1, 1000]) {
      expect(read(interim.repeat(8) + final, size)).toEqual({ status: 201, reason: 'Created', headers: [], body: 'x' });
    }
    expect(refusal(interim.repeat(9) + final)).toMatch(/status 103/);
    expect(refusal(`Status: 101 Switching Protocols\r\n\r\n${final}`)).toMatch(/status 101/);
  });
});

describe('a reply head that may begin with a status line', () => {
  const UWSGI = 'HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\n\r\n';
  const readHttp = (text: string, size?: number, set?: typeof limits) => read(text, size, set, true);
  const refusalHttp = (text: string, set?: typeof limits): string => refusal(text, set, true);

  it('takes status and reason of it, and no field', () => {
    expect(readHttp(UWSGI)).toEqual({
      status: 404,
      reason: 'Not Found',
      headers: ['Content-Type', 'text/html', 'X', 'y'],
      body: 'HTTP/1.1 200 OK\r\n\r\n',
    });
    expect(readHttp('HTTP/1.0 204 No Content\n\nx')).toEqual({
      status: 204,
      reason: 'No Content',
      headers: [],
      body: 'x',
    });
  });

  it('is the same wherever it is cut', () => {
    const interim = 'HTTP/1.1 100 Continue\r\n\r\n';
    for (const text of [UWSGI, interim + UWSGI, 'Status: 404 Not Found\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\n']) {
      const whole = readHttp(text);
      for (let size = 1; size < text.length; size++) expect(readHttp(text, size)).toEqual(whole);
    }
  });

  it('may have no reason, and any bytes in one', () => {
    expect(readHttp('HTTP/1.1 404\r\n\r\n')?.reason).toBe('Not Found');
    expect(readHttp('HTTP/1.1 404 \r\n\r\n')?.reason).toBe('Not Found');
    expect(readHttp('HTTP/1.1 299 \xe9\ttwo: words\r\n\r\n')).toMatchObject({
      status: 299,
      reason: '\xe9\ttwo: words',
    });
  });

  it('is not a redirect by its Location alone', () => {
    expect(readHttp('HTTP/1.1 201 Created\r\nLocation: /x\r\n\r\n')?.status).toBe(201);
    expect(readHttp('HTTP/1.1 200 OK\r\nLocation: /x\r\n\r\n')?.status).toBe(200);
  });

  it('may begin with Status, or with neither, as before', () => {
    expect(readHttp('Status: 404 Gone\r\nA: b\r\n\r\n')).toMatchObject({ status: 404, reason: 'Gone' });
    expect(readHttp('Location: /x\n\n')).toMatchObject({ status: 302 });
    expect(readHttp('A: b\n\n')).toMatchObject({ status: 200, headers: ['A', 'b'] });
  });

  it.each([
    ['two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a leading zero', 'HTTP/1.1 099 OK\r\n\r\n'],
    ['no status', 'HTTP/1.1\r\n\r\n'],
    ['a status that is no number', 'HTTP/1.1 abc\r\n\r\n'],
    ['no space behind the status', 'HTTP/1.1 200OK\r\n\r\n'],
    ['two spaces before the status', 'HTTP/1.1  200 OK\r\n\r\n'],
    ['a space before it', ' HTTP/1.1 200 OK\r\n\r\n'],
    ['HTTP/2', 'HTTP/2 200 OK\r\n\r\n'],
    ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n'],
    ['lower case', 'http/1.1 200 OK\r\n\r\n'],
    ['CR in the reason', 'HTTP/1.1 200 OK\rSet-Cookie: a=b\r\n\r\n'],
    ['NUL in the reason', 'HTTP/1.1 200 O\0K\r\n\r\n'],
    ['Status besides', 'HTTP/1.1 200 OK\r\nStatus: 404 Not Found\r\n\r\n'],
    ['the same Status besides', 'HTTP/1.1 200 OK\r\nStatus: 200 OK\r\n\r\n'],
    ['a second status line', 'HTTP/1.1 200 OK\r\nHTTP/1.1 404 Not Found\r\n\r\n'],
    ['a status line behind a field', 'A: b\r\nHTTP/1.1 200 OK\r\n\r\n'],
    ['an empty line before it', '\r\nHTTP/1.1 200 OK\r\n\r\n'],
    ['a transfer coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ])('with %s is refused', (_, text) => {
    expect(refusalHttp(text)).not.toBe('not refused');
  });

  it('may come after interim heads of either form', () => {
    const early = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n';
    const final = { status: 404, reason: 'Not Found' };
    for (const size of [1, 1000]) {
      expect(readHttp(early.repeat(8) + UWSGI, size)).toMatchObject(final);
      expect(readHttp(`Status: 103\n\n${early}${UWSGI}`, size)).toMatchObject(final);
      expect(readHttp(`${early}Status: 404 Not Found\n\n`, size)).toMatchObject(final);
    }
    expect(refusalHttp(early.repeat(9) + UWSGI)).toMatch(/status 103/);
    expect(refusalHttp(`HTTP/1.1 101 Switching Protocols\r\n\r\n${UWSGI}`)).toMatch(/status 101/);
  });

  it('counts its bytes for the limit, and not for the number of fields', () => {
    const few = { maxReplyHeaders: 1, maxReplyHeaderBytes: 27 };
    expect(readHttp('HTTP/1.1 200 OK\r\nA: bcd\r\n\r\nbody', 1, few)).toMatchObject({
      headers: ['A', 'bcd'],
      body: 'body',
    });
    expect(refusalHttp('HTTP/1.1 200 OK\r\nA: bcde\r\n\r\n', few)).toMatch(/more than 27 bytes/);
    expect(refusalHttp('HTTP/1.1 200 OK\nA:b\nC:d\n\n', few)).toMatch(/more than 1 header fields/);
  });
});

describe('the limit of a head', () => {
  const narrow = { maxReplyHeaders: 256, maxReplyHeaderBytes: 6 };

  it('does not count the body that comes with it', () => {
    expect(read('A: b\n\nand a body', undefined, narrow)).toMatchObject({ headers: ['A', 'b'], body: 'and a body' });
  });

  it('is waited for up to its last byte, and refused at the next', () => {
    const reader = new CgiReplyReader(narrow);
    expect(reader.push(Buffer.from('A: bcd'))).toBeUndefined();
    expect(() => reader.push(Buffer.from('\n'))).toThrow(RemoteProtocolError);
  });
});
