import { describe, expect, it } from '@jest/globals';
import { begin, hex, pair, params, plainGet, request, stdin, type Variables } from '@postern/testkit';
import { answers, bytes, ENV, serves, withContent, withVariables } from './bad-input.ts';
import { ok, serve } from './serving.ts';

describe('name-value pairs', () => {
  it('vF46 a pair may straddle records at every offset', () => {
    for (let at = 1; at < ENV.length; at++) {
      const outcome = serve([bytes(begin(), params(ENV.subarray(0, at)), params(ENV.subarray(at)), params(), stdin())]);
      expect([at, outcome.errors, outcome.asked[0]?.variables]).toEqual([at, [], plainGet]);
    }
  });

  it.each([
    ['vF47 a length that is cut off', '80 00 00'],
    ['vF50 a pair that is longer than the stream', '05 01 41 42 43 44'],
    ['vF51 two lengths of 50 in ten bytes', '32 32 03 04 05 06 07 08 09 0a'],
    ['a name without the length of a value', '01'],
    ['a name length alone in four bytes', '80 00 00 01'],
    ['a value that is cut off', '01 05 41 62'],
  ])('%s is answered 400', (_, content) => answers(400, 'ERR_ENV_PAIR', withContent(hex(content))));

  it.each([
    ['vF48 lengths of 2^31 - 1', 'ff ff ff ff ff ff ff ff'],
    ['a name of 2^30 bytes', 'c0 00 00 00 00'],
    ['vF49 a name just over all that may come', '80 02 00 01 00'],
    ['vF84 a value of 65536 bytes', '06 80 01 00 00 48 54 54 50 5f 58'],
    ['a name of 257 bytes', '80 00 01 01 00'],
  ])('%s are answered 431 as soon as the lengths are there', (_, content) => {
    answers(431, 'ERR_ENV_ITEM', bytes(begin(), params(hex(content))));
    answers(431, 'ERR_ENV_ITEM', withContent(hex(content)));
    answers(431, 'ERR_ENV_ITEM', bytes(begin(), params(ENV), params(hex(content))));
  });

  it('a name of 256 and a value of 65535 bytes are within the limits', () => {
    const name = 'N'.repeat(256);
    const value = 'v'.repeat(65_535);
    const content = bytes(ENV, pair(name, value));
    const [asked] = serve([
      bytes(begin(), params(content.subarray(0, 60_000)), params(content.subarray(60_000)), params(), stdin()),
    ]).asked;
    expect(asked.variables[name]).toBe(value);
  });

  it('vF52 a short length may have the long form', () => {
    const long = bytes(...Object.entries(plainGet).map(([name, value]) => pair(name, value, true)));
    expect(serves(withContent(long)).variables).toEqual(plainGet);
  });

  it('vF53 vF54 an empty name is answered 400', () => {
    answers(400, 'ERR_ENV_NAME', withContent(bytes(ENV, hex('00 01 41'))));
    answers(400, 'ERR_ENV_NAME', withContent(bytes(ENV, hex('00 00'))));
    answers(400, 'ERR_ENV_NAME', withContent(hex('00 00')));
  });

  it('vF55 an empty value is the empty string', () => {
    expect(serves(withVariables({ HTTP_X: '' })).variables.HTTP_X).toBe('');
  });

  it('vF56 vF58 vF59 a byte that no name may have is answered 400', () => {
    answers(400, 'ERR_ENV_NAME', withVariables({ 'A\0B': 'x' }));
    answers(400, 'ERR_ENV_NAME', withVariables({ 'A=B': 'x' }));
    for (let byte = 0; byte < 256; byte++) {
      if (byte > 0x20 && byte < 0x7f && byte !== 0x3d) continue;
      const outcome = serve([withVariables({ [`A${String.fromCharCode(byte)}B`]: 'x' })]);
      expect([byte, outcome.errors]).toEqual([byte, ['ERR_ENV_NAME 400 1']]);
    }
  });

  it('vF81 1000 variables are within the limit, 1001 are answered 431', () => {
    const variables = (count: number): Buffer =>
      bytes(ENV, ...Array.from({ length: count - 7 }, (_, i) => pair(`V${i}`, 'x')));
    for (const count of [999, 1000]) expect(serve([withContent(variables(count))]).replies).toEqual([ok()]);
    answers(431, 'ERR_ENV_COUNT', withContent(variables(1001)));
  });

  it('vF82 131072 bytes are within the limit, one more is answered 431 without waiting for it', () => {
    const content = (length: number): Buffer => {
      const two = bytes(pair('A', 'x'.repeat(60_000)), pair('B', 'x'.repeat(60_000)));
      const rest = length - ENV.length - two.length - 6;
      return bytes(ENV, two, pair('C', 'x'.repeat(rest)));
    };
    const records = (all: Buffer): Buffer[] => [0, 50_000, 100_000].map((at) => params(all.subarray(at, at + 50_000)));
    for (const length of [131_071, 131_072]) {
      expect(content(length)).toHaveLength(length);
      expect(serve([bytes(begin(), ...records(content(length)), params(), stdin())]).replies).toEqual([ok()]);
    }
    const over = bytes(begin(), ...records(content(131_073)));
    expect(serve([over.subarray(0, 100_100)]).errors).toEqual(['ERR_ENV_BYTES 431 1']);
    expect(serve([over, params(), stdin()])).toMatchObject({
      asked: [],
      errors: ['ERR_ENV_BYTES 431 1'],
      close: 'fin',
    });
  });

  it('vF83 1024 records of PARAMS are within the limit, 1025 are answered 431', () => {
    const content = bytes(ENV, pair('A', 'x'.repeat(1024 - 112 - 6)));
    expect(content).toHaveLength(1024);
    const single = (all: Uint8Array): Buffer => bytes(...Array.from(all, (byte) => params(Uint8Array.of(byte))));
    expect(serve([bytes(begin(), single(content), params(), stdin())]).replies).toEqual([ok()]);
    const over = bytes(begin(), single(bytes(content, hex('01'))), params(), stdin());
    expect(serve([over])).toMatchObject({ asked: [], errors: ['ERR_ENV_BYTES 431 1'] });
  });

  it('vF88 1000 names of decimal digits are 1000 variables', () => {
    const names = Array.from({ length: 990 }, (_, i) => String((i * 2654435761) >>> 0));
    const asked = serve([withVariables(names.map((name) => [name, 'x'] as const))]).asked[0];
    expect(Object.keys(asked.variables)).toHaveLength(997);
  });
});

describe('variables', () => {
  it.each(['HTTP_X', 'PATH_INFO', 'REMOTE_USER'])('vF57 NUL in %s is answered 400', (name) => {
    answers(400, 'ERR_ENV_VALUE', withVariables({ [name]: 'a\0' }));
  });

  it('vF60 CR and LF in a header are answered 400', () => {
    answers(400, 'ERR_ENV_VALUE', withVariables({ HTTP_X: 'a\r\nSet:b' }));
  });

  it('vF61 LF in PATH_INFO is data', () => {
    expect(serves(withVariables({ PATH_INFO: '/a\nb' })).variables.PATH_INFO).toBe('/a\nb');
  });

  it('vF62 high bytes are latin-1, one to one', () => {
    const high = Array.from({ length: 128 }, (_, i) => String.fromCharCode(128 + i)).join('');
    expect(serves(withVariables({ HTTP_X: high })).variables.HTTP_X).toBe(high);
  });

  it.each([
    ['vF63', { HTTP_PROXY: 'http://evil:1/' }],
    ['vF66', { HTTP_CONTENT_LENGTH: '5' }],
    ['vF79', { 'wsgi.input': 'x', 'wsgi.url_scheme': 'x', 'psgi.input': 'x', 'sgi.body': 'x', 'jsgi.errors': 'x' }],
    ['vF80', { UWSGI_FILE: 'exec://id' }],
  ])('%s %j never reaches the application', (_, more) => {
    const before = { ...process.env };
    expect(serves(withVariables(more as Variables)).variables).toEqual(plainGet);
    expect(process.env).toEqual(before);
  });

  it('vF80 names that mean something to loaders and interpreters are data', () => {
    const more = {
      PHP_VALUE: 'x',
      PHP_ADMIN_VALUE: 'x',
      LD_PRELOAD: '/evil.so',
      NODE_OPTIONS: '--evil',
      PATH: '/evil',
    };
    const before = { ...process.env };
    expect(serves(withVariables(more)).variables).toEqual({ ...plainGet, ...more });
    expect(process.env).toEqual(before);
  });

  it('vF78 prototype names are plain data, and __proto__ is dropped', () => {
    const before = Object.getOwnPropertyNames(Object.prototype).join();
    const names = ['constructor', 'prototype', 'hasOwnProperty', 'toString'];
    const more = [['__proto__', 'x'], ...names.map((name) => [name, 'x'])] as [string, string][];
    const { variables } = serves(withVariables(more));
    expect(Object.entries(variables).filter(([, value]) => value === 'x')).toEqual(names.map((name) => [name, 'x']));
    expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(before);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it('vF64 vF65 CONTENT_LENGTH may come twice with one value, not with two', () => {
    const twice = (second: string): Buffer =>
      withVariables(
        [
          ['CONTENT_LENGTH', '3'],
          ['CONTENT_LENGTH', second],
        ],
        'abc',
      );
    expect(serves(twice('3')).body).toBe('abc');
    answers(400, 'ERR_ENV_REPEATED', twice('4'));
  });

  it.each([
    '-1',
    '+5',
    '5 ',
    ' 5',
    '0x10',
    '1e3',
    '5,5',
    '5;',
    '5.0',
    '1_000',
    '9007199254740993',
    '99999999999999999999',
    '\xef\xbc\x95',
  ])('vF69 CONTENT_LENGTH %j is answered 400', (length) => {
    answers(400, 'ERR_ENV_LENGTH', withVariables({ CONTENT_LENGTH: length }));
  });

  it('vF72 without REQUEST_METHOD, or with an empty one, the answer is 400', () => {
    const { REQUEST_METHOD: _, ...without } = plainGet;
    answers(400, 'ERR_ENV_METHOD', request(without));
    answers(400, 'ERR_ENV_METHOD', request({ ...without, REQUEST_METHOD: '' }));
    answers(400, 'ERR_ENV_METHOD', request({}));
  });

  it.each(['GE T', 'GET\r\n', '(', 'A'.repeat(33)])('vF73 REQUEST_METHOD %j is answered 400', (method) => {
    answers(400, 'ERR_ENV_METHOD', request({ ...plainGet, REQUEST_METHOD: method }));
  });

  it('vF73 NUL in REQUEST_METHOD is answered 400', () => {
    answers(400, 'ERR_ENV_VALUE', request({ ...plainGet, REQUEST_METHOD: 'G\0T' }));
  });

  it('vF74 two different methods are answered 400', () => {
    answers(400, 'ERR_ENV_REPEATED', withVariables([['REQUEST_METHOD', 'POST']]));
  });

  it('vF75 repeated headers are joined', () => {
    const repeated: [string, string][] = [
      ['HTTP_X_FOO', 'a'],
      ['HTTP_COOKIE', 'a=1'],
      ['HTTP_X_FOO', 'b'],
      ['HTTP_COOKIE', 'b=2'],
    ];
    expect(serves(withVariables(repeated)).variables).toMatchObject({ HTTP_X_FOO: 'a, b', HTTP_COOKIE: 'a=1; b=2' });
  });

  it.each(['HTTP_AUTHORIZATION', 'HTTP_EXPECT', 'HTTP_RANGE'])(
    'vF76 two different values of %s are answered 400, equal ones are one',
    (name) => {
      answers(
        400,
        'ERR_ENV_REPEATED',
        withVariables([
          [name, 'a'],
          [name, 'b'],
        ]),
      );
      expect(
        serves(
          withVariables([
            [name, 'a'],
            [name, 'a'],
          ]),
        ).variables[name],
      ).toBe('a');
    },
  );

  it.each(['SCRIPT_FILENAME', 'REMOTE_ADDR', 'HTTPS', 'PATH_INFO', 'HTTP_HOST'])(
    'vF76 vF77 the last value of %s wins',
    (name) => {
      expect(
        serves(
          withVariables([
            [name, 'a'],
            [name, 'b'],
          ]),
        ).variables[name],
      ).toBe('b');
    },
  );

  it.each(['HTTP/1.1\r\nX: y', 'FTP/9'])('vF89 SERVER_PROTOCOL %j is answered 400', (protocol) => {
    answers(400, 'ERR_ENV_PROTOCOL', request({ ...plainGet, SERVER_PROTOCOL: protocol }));
  });
});
