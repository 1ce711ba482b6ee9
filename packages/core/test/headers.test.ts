import { describe, expect, it, jest } from '@jest/globals';
import { LocalProtocolError } from '../src/errors.ts';
import { checkHeaders, checkStatus, isBodyless, isFieldValue, isToken } from '../src/headers.ts';

const limits = { maxReplyHeaders: 256, maxReplyHeaderBytes: 65_535 };

function check(...headers: string[]) {
  return checkHeaders(headers, limits);
}

function refusal(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (!(error instanceof LocalProtocolError)) throw error;
    return error.code;
  }
  return undefined;
}

describe('checkHeaders', () => {
  it('uses the array as it is when nothing has to be left out', () => {
    const headers = ['Content-Type', 'text/plain', 'X-A', '', 'Set-Cookie', 'a', 'Set-Cookie', 'b', 'Set-Cookie', 'c'];
    expect(checkHeaders(headers, limits)).toEqual({ headers, contentLength: -1, bytes: 78 });
    expect(checkHeaders(headers, limits).headers).toBe(headers);
  });

  it.each(['', ' ', 'a b', 'a:', 'a\r', 'a\n', 'a\0', 'ä', 'a\x7f', 'a(b)', 'a\u010d', '"a"'])(
    'refuses the name %j',
    (name) => expect(refusal(() => check('X-A', '1', name, 'x'))).toBe('ERR_HEADER_NAME'),
  );

  it('refuses CR, LF, NUL, every other control except HTAB, and DEL in a value', () => {
    for (let code = 0; code < 0x20; code++) {
      const control = String.fromCharCode(code);
      for (const value of [control, `a${control}b`]) {
        expect([code, refusal(() => check('X-A', value))]).toEqual([code, code === 9 ? undefined : 'ERR_HEADER_VALUE']);
      }
    }
    expect(refusal(() => check('X-A', '\x7f'))).toBe('ERR_HEADER_VALUE');
  });

  it('refuses what is no byte, and cuts no character down to one', () => {
    for (const value of ['\u010d\u010a', '\u0100', '€', '\ud83d\ude00']) {
      expect(refusal(() => check('X-A', value))).toBe('ERR_HEADER_VALUE');
    }
    expect(check('X-A', '\x80\xff').headers).toEqual(['X-A', '\x80\xff']);
  });

  it.each([[undefined], [null], [5], [{}], [['a']]])('refuses %j for a value', (value) => {
    expect(refusal(() => check('X-A', value as unknown as string))).toBe('ERR_HEADER_VALUE');
  });

  it('refuses a name without a value', () => expect(refusal(() => check('X-A'))).toBe('ERR_HEADER_VALUE'));

  it.each([[undefined], [5], [Symbol('x')]])('refuses %p for a name', (name) => {
    expect(refusal(() => check(name as unknown as string, 'x'))).toBe('ERR_HEADER_NAME');
  });

  it.each([
    'Transfer-Encoding',
    'Connection',
    'Keep-Alive',
    'Upgrade',
    'TE',
    'Trailer',
    'Proxy-Connection',
    'Proxy-Authenticate',
    'Proxy-Authorization',
    'Status',
    'STATUS',
  ])('leaves out %s, which the web server owns', (name) => {
    expect(check('X-A', '1', name, 'x', 'X-B', '2').headers).toEqual(['X-A', '1', 'X-B', '2']);
    expect(check(name, 'x').headers).toEqual([]);
    expect(refusal(() => check(name, 'x\r\ny'))).toBe('ERR_HEADER_VALUE');
  });

  it('changes no array that it was given', () => {
    const headers = ['Connection', 'close', 'X-A', '1'];
    checkHeaders(headers, limits);
    expect(headers).toEqual(['Connection', 'close', 'X-A', '1']);
  });

  it.each([
    ['0', 0],
    ['5', 5],
    ['007', 7],
    ['999999999999999', 999_999_999_999_999],
  ])('reads the Content-Length %s', (text, length) => expect(check('content-LENGTH', text).contentLength).toBe(length));

  it.each(['', '-1', '+5', '5,5', '5 ', '5.0', '0x5', 'abc', '1000000000000000'])(
    'refuses the Content-Length %j',
    (text) => {
      expect(refusal(() => check('Content-Length', text))).toBe('ERR_CONTENT_LENGTH');
    },
  );

  it('takes Content-Length twice only with the same value, and sends it once', () => {
    expect(check('Content-Length', '5', 'X-A', '1', 'content-length', '5')).toEqual({
      headers: ['Content-Length', '5', 'X-A', '1'],
      contentLength: 5,
      bytes: 46,
    });
    expect(refusal(() => check('Content-Length', '5', 'Content-Length', '6'))).toBe('ERR_CONTENT_LENGTH');
  });

  it('takes as many fields as the limit, and not one more', () => {
    const fields = (count: number) => Array.from({ length: count }, () => ['X', '1']).flat();
    for (const count of [255, 256]) expect(checkHeaders(fields(count), limits).headers).toHaveLength(count * 2);
    expect(refusal(() => checkHeaders(fields(257), limits))).toBe('ERR_HEADER_BLOCK');
  });

  it('takes as many bytes as the limit, with the four between and behind name and value, and not one more', () => {
    const value = (length: number) => 'x'.repeat(length - 'X-A'.length - 4);
    for (const length of [65_534, 65_535]) expect(refusal(() => check('X-A', value(length)))).toBeUndefined();
    expect(refusal(() => check('X-A', value(65_536)))).toBe('ERR_HEADER_BLOCK');
  });

  it('sends a field that is named __proto__ like any other', () => {
    expect(check('__proto__', 'x').headers).toEqual(['__proto__', 'x']);
  });

  it('says in an error which field it was, without line ends', () => {
    expect(() => check('a\r\nb', 'x')).toThrow('header name "a\\x0d\\x0ab"');
    expect(() => check('X-A', 'x\ny')).toThrow(/"X-A"/);
  });
});

describe('what checkHeaders leaves out', () => {
  it('does not come back when more is left out', () => {
    expect(check('Connection', 'x', 'A', '1', 'TE', 'x', 'B', '2', 'Upgrade', 'x').headers).toEqual([
      'A',
      '1',
      'B',
      '2',
    ]);
  });

  it('takes a Content-Length of 0 for one', () => {
    expect(check('Content-Length', '0', 'content-length', '0')).toMatchObject({
      headers: ['Content-Length', '0'],
      contentLength: 0,
    });
    expect(refusal(() => check('Content-Length', '0', 'Content-Length', '5'))).toBe('ERR_CONTENT_LENGTH');
  });

  it('says which limit was hit', () => {
    const two = { maxReplyHeaders: 1, maxReplyHeaderBytes: 10 };
    expect(() => checkHeaders(['A', 'b', 'A', 'b'], two)).toThrow(
      expect.objectContaining({ limit: 'maxReplyHeaders' }),
    );
    expect(() => checkHeaders(['A', 'x'.repeat(10)], two)).toThrow(
      expect.objectContaining({ limit: 'maxReplyHeaderBytes' }),
    );
  });
});

describe('names that were looked at', () => {
  it('are remembered, 1024 of them', async () => {
    await jest.isolateModulesAsync(async () => {
      const fresh = await import('../src/headers.ts');
      const exec = jest.spyOn(RegExp.prototype, 'exec');
      const looks = (name: string): number => {
        exec.mockClear();
        fresh.checkHeaders([name, 'x'], limits);
        return exec.mock.calls.filter(([text]) => text === name).length;
      };
      try {
        for (let i = 0; i < 1024; i++) expect(looks(`X-${i}`)).toBe(1);
        for (const i of [0, 1023]) expect(looks(`X-${i}`)).toBe(0);
        for (let i = 0; i < 2; i++) expect(looks('X-1024')).toBe(1);
      } finally {
        exec.mockRestore();
      }
    });
  });
});

describe('checkStatus', () => {
  it.each([200, 204, 418, 599, 999])('takes %d', (status) =>
    expect(refusal(() => checkStatus(status, 'OK'))).toBeUndefined(),
  );

  it.each([[99], [100], [101], [103], [199], [1000], [0], [-200], [200.5], [Number.NaN], ['200'], [undefined], [200n]])(
    'refuses %p',
    (status) => expect(refusal(() => checkStatus(status as number, 'OK'))).toBe('ERR_STATUS'),
  );

  it.each(['OK\r\nX: y', 'a\nb', 'a\0b', 'a\x7f', '\u010d\u010a'])('refuses the reason %j', (reason) => {
    expect(refusal(() => checkStatus(200, reason))).toBe('ERR_HEADER_VALUE');
  });

  it.each([[undefined], [5], [{}]])('refuses %p for a reason', (reason) => {
    expect(refusal(() => checkStatus(200, reason as unknown as string))).toBe('ERR_HEADER_VALUE');
  });

  it('takes an empty reason and one of bytes', () => {
    for (const reason of ['', 'Gr\xfc\xdfe']) expect(refusal(() => checkStatus(200, reason))).toBeUndefined();
  });
});

describe('isToken and isFieldValue', () => {
  it('follow RFC 9110', () => {
    expect(isToken("!#$%&'*+-.^_`|~09azAZ")).toBe(true);
    for (const name of ['', 'a b', 'a:b', 'ä']) expect(isToken(name)).toBe(false);
    expect(isFieldValue('a\tb \xff')).toBe(true);
    for (const value of ['a\nb', '\0', 'Ā']) expect(isFieldValue(value)).toBe(false);
  });
});

describe('isBodyless', () => {
  it.each([
    ['HEAD', 200, true],
    ['GET', 204, true],
    ['GET', 205, true],
    ['GET', 304, true],
    ['GET', 200, false],
    ['POST', 404, false],
  ])('of %s and %d is %s', (method, status, bodyless) => expect(isBodyless(method, status)).toBe(bodyless));
});
