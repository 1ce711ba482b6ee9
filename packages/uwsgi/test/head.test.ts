import { describe, expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { converse, outputText, singleBytes } from '@postern/testkit';
import { ByteQueue } from '@postern/wire';
import { uwsgiFormat } from '../src/head.ts';
import { broken, OK, open, refused, talk } from './harness.ts';
import { BASELINE, block, bytes, get, packet, post } from './writer.ts';

const badBlock = refused('ERR_UWSGI_BLOCK', 400, 'Bad Request');
const badName = refused('ERR_ENV_NAME', 400, 'Bad Request');
const badLength = refused('ERR_ENV_LENGTH', 400, 'Bad Request');
const TIMEOUT = 'HTTP/1.1 408 Request Timeout\r\nContent-Type: text/plain\r\n\r\n408 Request Timeout\n';
const METHOD = block('REQUEST_METHOD', 'GET');

describe('a request', () => {
  it('is read the same however it comes, and answered with a status line', () => {
    const { asked, errors, output, close } = talk(BASELINE);
    expect(asked).toMatchObject([{ id: 1, role: 'responder', body: '', ended: 'end' }]);
    expect(asked[0].head).toMatchObject({ method: 'GET', target: '/', protocol: 'HTTP/1.1', contentLength: -1 });
    expect(asked[0].variables).toEqual([
      'REQUEST_METHOD',
      'GET',
      'REQUEST_URI',
      '/',
      'PATH_INFO',
      '/',
      'SERVER_PROTOCOL',
      'HTTP/1.1',
    ]);
    expect({ errors, output, close }).toEqual({ errors: [], output: OK, close: 'fin' });
  });

  it('is seen as the web server means it that the address names', () => {
    const sent = get('SERVER_NAME', 'a:81');
    expect(talk(sent).asked[0].variables).toContain('a:81');
    expect(talk(sent, { peer: { peer: 'haproxy' } }).asked[0].variables).toContain('a');
  });

  it('may have a header that comes byte by byte', () => {
    const chunks = [...singleBytes(BASELINE.subarray(0, 4)), BASELINE.subarray(4)];
    expect(converse(open(), chunks).output).toBe(OK);
  });

  it('has the body that CONTENT_LENGTH says, and nothing behind it is read', () => {
    const { asked, output, close } = talk(post('abc'));
    expect(asked).toMatchObject([{ head: { method: 'POST', contentLength: 3 }, body: 'abc', ended: 'end' }]);
    expect({ output, close }).toEqual({ output: OK, close: 'fin' });
    const surplus = Buffer.concat([post('abc'), bytes('defghij'), BASELINE]);
    expect(talk(surplus).asked).toMatchObject([{ body: 'abc', ended: 'end' }]);
  });

  it('has no body without CONTENT_LENGTH, whatever else is told', () => {
    const head = packet(block('REQUEST_METHOD', 'POST', 'HTTP_TRANSFER_ENCODING', 'chunked'));
    expect(talk(head).asked).toMatchObject([{ body: '', ended: 'end', variables: ['REQUEST_METHOD', 'POST'] }]);
  });

  it('may end with an empty value', () => {
    expect(talk(get('A', '')).asked[0].variables.slice(-2)).toEqual(['A', '']);
  });

  it('may fill all of the largest block', () => {
    const rest = 65_535 - METHOD.length - 4 - 1;
    const bytes = packet(block('REQUEST_METHOD', 'GET', 'A', 'x'.repeat(rest)));
    expect(bytes).toHaveLength(4 + 65_535);
    const { asked, output } = talk(bytes);
    expect(asked[0].variables[3]).toHaveLength(rest);
    expect(output).toBe(OK);
  });

  it('is https by HTTPS alone', () => {
    const head = (...more: string[]) => talk(get(...more)).asked[0];
    expect(head('wsgi.url_scheme', 'https')).toMatchObject({
      head: { scheme: 'http' },
      variables: ['REQUEST_METHOD', 'GET', 'REQUEST_URI', '/'],
    });
    expect(head('HTTPS', 'on').head.scheme).toBe('https');
  });

  it.each([
    'UWSGI_FILE',
    'UWSGI_SCRIPT',
    'UWSGI_MODULE',
    'UWSGI_CALLABLE',
    'UWSGI_APPID',
    'UWSGI_CHDIR',
    'UWSGI_PYHOME',
    'UWSGI_SETENV',
    'UWSGI_POSTFILE',
    'UWSGI_TOUCH_RELOAD',
    'HTTP_PROXY',
    'HTTP_CONTENT_LENGTH',
    '__proto__',
  ])('does not tell the application of %s', (name) => {
    const before = { ...process.env };
    const { asked, output } = talk(get(name, 'exec://id'));
    expect(asked[0].variables).toEqual(['REQUEST_METHOD', 'GET', 'REQUEST_URI', '/']);
    expect(asked[0].head.headers()).toEqual([]);
    expect(output).toBe(OK);
    expect({ ...process.env }).toEqual(before);
  });
});

describe('what is noticed', () => {
  const notice = (bytes: Buffer) => {
    const connection = open();
    connection.receive(bytes);
    connection.next();
    return connection.takeNotice?.();
  };

  it('is a variable that would load code in uWSGI, by its name, with each request', () => {
    const asked = get('A', '1', 'UWSGI_SCRIPT', 'x', 'UWSGI_CHDIR', '/');
    const told = { code: 'ERR_UWSGI_VARIABLE', message: expect.stringMatching(/^UWSGI_SCRIPT /) };
    expect([notice(asked), notice(asked)]).toMatchObject([told, told]);
    expect(notice(get('A', '1', 'UWSGI_CHDIR', '/'))?.message).toMatch(/^UWSGI_CHDIR /);
  });

  it('is nothing where a request is in order', () => {
    expect([notice(BASELINE), notice(BASELINE), notice(get('HTTP_UWSGI_X', '1'))]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('a packet header', () => {
  it.each([5, 0x11, 0x12, 0x16, 0x1f, 0x64, 0x6e, 0x6f, 0xad, 0xff, 30, 1, 0x37, 0x61])(
    'with modifier1 %i is refused with 501',
    (modifier1) => {
      const content = block('REQUEST_METHOD', 'GET');
      expect(talk(packet(content, { modifier1 }))).toEqual(refused('ERR_UWSGI_MODIFIER', 501, 'Not Implemented'));
    },
  );

  it.each([1, 7, 255])('with modifier2 %i is refused with 501', (modifier2) => {
    expect(talk(packet(METHOD, { modifier2 }))).toEqual(refused('ERR_UWSGI_MODIFIER', 501, 'Not Implemented'));
  });

  it('with a modifier that is refused is refused before its block comes', () => {
    const header = Buffer.of(5, 0xff, 0xff, 0);
    expect(talk(header)).toEqual(refused('ERR_UWSGI_MODIFIER', 501, 'Not Implemented'));
  });

  it.each(['GET / HTTP/1.1\r\n\r\n', 'A', 'POST', 'Z\0\0\0'])(
    'that begins like HTTP breaks the connection at the first byte: %j',
    (text) => {
      expect(talk(bytes(text))).toEqual(broken('ERR_UWSGI_MODIFIER'));
      expect(converse(open(), [bytes(text.slice(0, 1))]).errors).toEqual(['ERR_UWSGI_MODIFIER']);
    },
  );

  it('with size 0 has no method', () => {
    expect(talk(packet(Buffer.alloc(0)))).toEqual(refused('ERR_ENV_METHOD', 400, 'Bad Request'));
  });

  it('that is refused says that the request alone is, and which limit it was', () => {
    const refusal = (bytes: Buffer, limits = limitsWith()) => {
      const head = uwsgiFormat({}).head(limits, {});
      const input = new ByteQueue();
      input.push(bytes);
      expect(head.takeLength(input)).toBe(true);
      return () => head.takeBlock(input);
    };
    expect(refusal(packet(METHOD, { modifier1: 5 }))).toThrow(expect.objectContaining({ scope: 'request' }));
    expect(refusal(packet(METHOD), limitsWith({ maxEnvBytes: 10 }))).toThrow(
      expect.objectContaining({ scope: 'request', limit: 'maxEnvBytes' }),
    );
  });

  it('with a larger size than may be is refused before the block comes', () => {
    const limits = { maxEnvBytes: 100 };
    const sized = (length: number): Buffer => packet(Buffer.alloc(0), { length });
    const fill = 100 - METHOD.length - 4 - 1;
    expect(talk(packet(block('REQUEST_METHOD', 'GET', 'A', 'x'.repeat(fill))), { limits }).output).toBe(OK);
    expect(talk(sized(101), { limits })).toEqual(refused('ERR_ENV_BYTES', 431, 'Request Header Fields Too Large'));
  });
});

describe('a head that ends too soon', () => {
  it('breaks the connection where it ends with a FIN, without a byte', () => {
    const cut = Buffer.concat([Buffer.of(0, 0xff, 0, 0), BASELINE.subarray(4)]);
    expect(talk(cut, { fin: true })).toEqual(broken('ERR_UWSGI_BLOCK'));
    for (let length = 1; length < BASELINE.length; length++)
      expect(converse(open(), [BASELINE.subarray(0, length)], { fin: true })).toEqual(broken('ERR_UWSGI_BLOCK'));
  });

  it.each([
    [1, '', 'reset'],
    [3, '', 'reset'],
    [4, TIMEOUT, 'fin'],
    [99, TIMEOUT, 'fin'],
  ])('that stalls behind %i bytes when its clock runs out: 408 once the header is there', (length, output, close) => {
    const connection = open();
    connection.receive(BASELINE.subarray(0, length));
    expect(connection.next()).toBeUndefined();
    expect(connection.headPending).toBe(true);
    connection.expireHeads();
    expect([outputText(connection), connection.wantsClose]).toEqual([output, close]);
  });
});

describe('a block', () => {
  it.each<[string, Buffer]>([
    ['an empty name', bytes('\x00\x00\x01\x00x')],
    ['an empty name behind others', Buffer.concat([METHOD, bytes('\x00\x00\x01\x00x')])],
    ['a name that runs past its end', bytes('\x10\x00AB')],
    ['one stray byte at its end', Buffer.concat([METHOD, bytes('A')])],
    ['a name and no size of a value', bytes('\x01\x00A')],
    ['half a size of a value', bytes('\x01\x00A\x01')],
    ['a value that runs past its end', bytes('\x01\x00A\x09\x00x')],
    ['sizes of the largest numbers', bytes('\xff\xff\xff\xff')],
    ['sizes with the high byte first', bytes('\x00\x0eREQUEST_METHOD\x00\x03GET')],
  ])('with %s is refused', (_, content) => {
    expect(talk(packet(content))).toEqual(badBlock);
  });

  it.each(['A\0B', 'A=B', 'A\rB', 'A\nB', 'A B', 'A\x7f', 'A\xe9'])('with the name %j is refused', (name) => {
    expect(talk(get(name, 'x'))).toEqual(badName);
  });

  it.each([
    ['HTTP_A', 'x\r\ny'],
    ['HTTP_A', 'x\0y'],
    ['REMOTE_USER', 'x\0y'],
  ])('with %s=%j is refused', (name, value) => {
    expect(talk(get(name, value))).toEqual(refused('ERR_ENV_VALUE', 400, 'Bad Request'));
  });

  it.each(['-1', '+5', '5 ', ' 5', '0x10', '1e3', '5,5', '5;', '5.0', '1_000', '9007199254740993', '\xef\xbc\x95'])(
    'with CONTENT_LENGTH %j is refused',
    (length) => expect(talk(get('CONTENT_LENGTH', length))).toEqual(badLength),
  );

  it('with two lengths is refused, with one of them twice it is not', () => {
    const twice = (other: string): Buffer => get('CONTENT_LENGTH', '0', 'CONTENT_LENGTH', other);
    expect(talk(twice('1'))).toEqual(refused('ERR_ENV_REPEATED', 400, 'Bad Request'));
    expect(talk(twice('0')).output).toBe(OK);
  });

  it('with 1001 variables is refused, with 1000 it is not', () => {
    const many = (count: number): Buffer => get(...Array.from({ length: count - 2 }, (_, i) => [`N${i}`, '']).flat());
    expect(talk(many(1000)).output).toBe(OK);
    expect(talk(many(1001))).toEqual(refused('ERR_ENV_COUNT', 431, 'Request Header Fields Too Large'));
  });
});
