import { describe, expect, it } from '@jest/globals';
import { type Limits, limitsWith, NameTree, VariableReader, type Variables } from '@postern/core';
import fc from 'fast-check';
import { readBlock, readHead } from '../src/head.ts';
import { block, bytes } from './writer.ts';

const limits = limitsWith();
const code = (code: string, statusHint = 400) => expect.objectContaining({ code, statusHint, scope: 'request' });

function fresh(): VariableReader {
  return new VariableReader(new NameTree());
}

function read(
  text: string,
  { reader = fresh(), of = limits }: { reader?: VariableReader; of?: Limits } = {},
): Variables {
  return readBlock(bytes(text), reader, of);
}

describe('readBlock', () => {
  const name = fc.stringMatching(/^[A-Z_]{1,12}$/);
  const value = fc.stringMatching(/^[\x01-\xff]{0,20}$/).filter((text) => !/[\r\n]/.test(text));
  const pairs = fc.array(fc.tuple(name, value), { maxLength: 12 });

  it('reads what is written, whatever was read before with the same reader', () => {
    fc.assert(
      fc.property(pairs, pairs, fc.nat(12), (one, other, shared) => {
        const reader = fresh();
        for (const sent of [one, [...one.slice(0, shared), ...other], one]) {
          const { names, values } = read(block(...sent.flat()), { reader });
          expect(names.names.map((text, i) => [text, values[i]])).toEqual(sent);
        }
      }),
    );
  });

  it('reads the same behind a block that was refused', () => {
    const reader = fresh();
    for (const refused of ['A\0b', '\0x\0', block('A B', '1'), block('HTTP_A', '1\n', 'HTTP_B', '2')])
      expect(() => read(refused, { reader })).toThrow(expect.objectContaining({ scope: 'request' }));
    const { names, values } = read(block('HTTP_A', '1', 'HTTP_B', '2'), { reader });
    expect([names.names, values]).toEqual([
      ['HTTP_A', 'HTTP_B'],
      ['1', '2'],
    ]);
  });

  it('is not misled by a name that only begins like the one before', () => {
    const reader = fresh();
    for (const sent of ['AB', 'ABC', 'A', 'AB']) expect(read(block(sent, '1'), { reader }).names.names).toEqual([sent]);
  });

  it('reads a block wherever it lies in memory', () => {
    const inside = Buffer.concat([bytes('A\0'), bytes(block('B', '1')), bytes('C\0')]).subarray(2, 6);
    expect(readBlock(inside, fresh(), limits)).toMatchObject({ names: { names: ['B'] }, values: ['1'] });
  });

  it.each([
    ['a last value without NUL', 'A\0b'],
    ['a last name without NUL', 'A\0b\0C'],
    ['a name without a value', 'A\0b\0C\0'],
    ['an empty name', '\0x\0'],
    ['an empty name behind others', 'A\0b\0\0x\0'],
    ['a value that holds NUL', 'A\0b\0c\0'],
    ['65,537 empty pairs', '\0\0'.repeat(65_537)],
  ])('refuses %s', (_, text) => {
    expect(() => read(text)).toThrow(code('ERR_SCGI_HEADERS'));
  });

  it.each([
    ['A\0b', 'does not end with NUL'],
    ['A\0b\0C\0d\0E', 'does not end with NUL'],
    ['A\0b\0C\0', 'has no value'],
    ['\0x\0', 'a name is empty'],
  ])('says what is wrong with the block %j', (text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  it('refuses a block that is cut anywhere but behind a pair', () => {
    const text = block('A', '1', 'BC', '', 'D', 'ef');
    const whole = [0, 4, 8, 13];
    for (let length = 0; length <= text.length; length++) {
      const cut = (): Variables => read(text.slice(0, length));
      if (whole.includes(length)) expect(cut().values.length).toBe(whole.indexOf(length));
      else expect(cut).toThrow(code('ERR_SCGI_HEADERS'));
    }
  });

  it.each([
    ['a space in a name', block('A B', '1'), 'ERR_ENV_NAME'],
    ['"=" in a name', block('A=B', '1'), 'ERR_ENV_NAME'],
    ['a line end in a name', block('A\r\nB', '1'), 'ERR_ENV_NAME'],
    ['a byte above 0x7f in a name', block('A\xe9', '1'), 'ERR_ENV_NAME'],
    ['CR in a header', block('HTTP_A', 'x\ry'), 'ERR_ENV_VALUE'],
    ['LF in a header', block('HTTP_A', 'x\ny'), 'ERR_ENV_VALUE'],
  ])('refuses %s', (_, text, error) => {
    expect(() => read(text)).toThrow(code(error));
  });

  it('counts variables, and the bytes of names and values', () => {
    const many = (count: number) => block(...Array.from({ length: count }, (_, i) => [`N${i}`, '']).flat());
    expect(read(many(1000)).values.length).toBe(1000);
    expect(() => read(many(1001))).toThrow(code('ERR_ENV_COUNT', 431));
    const reader = fresh();
    const long = read(block('N'.repeat(256), 'v'.repeat(65_535)), { reader });
    expect(long.values[0].length).toBe(65_535);
    expect(() => read(block('N'.repeat(257), ''), { reader })).toThrow(code('ERR_ENV_ITEM', 431));
    expect(() => read(block('N', 'v'.repeat(65_536)), { reader })).toThrow(code('ERR_ENV_ITEM', 431));
    // a name that is known already is measured like any other
    const narrow = limitsWith({ maxNameBytes: 255 });
    expect(() => read(block('N'.repeat(256), ''), { reader, of: narrow })).toThrow(code('ERR_ENV_ITEM', 431));
  });
});

describe('readHead', () => {
  const head = (...flat: string[]) => readHead(bytes(block('REQUEST_METHOD', 'GET', ...flat)), limits);

  it('wants CONTENT_LENGTH, anywhere', () => {
    expect(head('SCGI', '1', 'CONTENT_LENGTH', '27').contentLength).toBe(27);
    expect(() => head('SCGI', '1')).toThrow(code('ERR_SCGI_HEADERS'));
    expect(() => head('CONTENT_LENGTH', '')).toThrow(code('ERR_SCGI_HEADERS'));
    expect(() => head('content_length', '0')).toThrow(code('ERR_SCGI_HEADERS'));
  });

  it.each(['-1', '+5', '5 ', ' 5', '0x10', '1e3', '5,5', '5;', '5.0', '1_000', '9007199254740993', '\xef\xbc\x95'])(
    'refuses CONTENT_LENGTH %j',
    (length) => {
      expect(() => head('CONTENT_LENGTH', length)).toThrow(code('ERR_ENV_LENGTH'));
    },
  );

  it('refuses two different CONTENT_LENGTH', () => {
    expect(head('CONTENT_LENGTH', '27', 'CONTENT_LENGTH', '27').contentLength).toBe(27);
    expect(() => head('CONTENT_LENGTH', '27', 'CONTENT_LENGTH', '28')).toThrow(code('ERR_ENV_REPEATED'));
  });

  it.each(['0', '2', '11', ''])('refuses SCGI=%j', (version) => {
    expect(() => head('CONTENT_LENGTH', '0', 'SCGI', version)).toThrow(code('ERR_SCGI_HEADERS'));
    const first = block('SCGI', version, 'CONTENT_LENGTH', '0', 'REQUEST_METHOD', 'GET');
    expect(() => readHead(bytes(first), limits)).toThrow(code('ERR_SCGI_HEADERS'));
  });

  it('does without the variable SCGI', () => {
    expect(head('CONTENT_LENGTH', '0').method).toBe('GET');
  });

  it('looks at the SCGI that the application would see, where it comes twice', () => {
    expect(head('CONTENT_LENGTH', '0', 'SCGI', '1', 'SCGI', '1').method).toBe('GET');
    expect(() => head('CONTENT_LENGTH', '0', 'SCGI', '1', 'SCGI', '2')).toThrow(code('ERR_SCGI_HEADERS'));
  });

  it('keeps what must not reach an application out of both views', () => {
    const made = head('CONTENT_LENGTH', '1', 'HTTP_PROXY', 'x', 'HTTP_CONTENT_LENGTH', '9', '__proto__', 'y');
    expect(made.variables()).toEqual(['REQUEST_METHOD', 'GET', 'CONTENT_LENGTH', '1']);
    expect(made.headers()).toEqual(['content-length', '1']);
    expect(() => head('CONTENT_LENGTH', '0', 'HTTP_A', 'x\r\ny')).toThrow(code('ERR_ENV_VALUE'));
  });
});

describe('readHead of a listener that names its web server', () => {
  const sent = bytes(block('REQUEST_METHOD', 'GET', 'CONTENT_LENGTH', '1', 'SERVER_ADDR', '[::1]'));
  it.each([
    [undefined, '[::1]'],
    ['none', '[::1]'],
    ['lighttpd', '::1'],
  ])('sees what peer=%s means', (peer, address) => {
    expect(readHead(sent, limits, { peer }).variables()).toContain(address);
  });
});

describe('readHead of a strict listener', () => {
  const strict = (...flat: string[]) => readHead(bytes(block(...flat)), limits, { strict: true });
  const rest = ['REQUEST_METHOD', 'GET'];

  it('takes what the specification asks for: CONTENT_LENGTH first, SCGI=1 anywhere', () => {
    expect(strict('CONTENT_LENGTH', '5', 'SCGI', '1', ...rest).contentLength).toBe(5);
    expect(strict('CONTENT_LENGTH', '0', ...rest, 'SCGI', '1').method).toBe('GET');
  });

  it.each([
    ['without SCGI', ['CONTENT_LENGTH', '0', ...rest]],
    ['with another SCGI', ['CONTENT_LENGTH', '0', 'SCGI', '2', ...rest]],
    ['with SCGI before CONTENT_LENGTH', ['SCGI', '1', 'CONTENT_LENGTH', '0', ...rest]],
    ['with CONTENT_LENGTH last', [...rest, 'SCGI', '1', 'CONTENT_LENGTH', '0']],
    ['without CONTENT_LENGTH', ['SCGI', '1', ...rest]],
    ['with an empty CONTENT_LENGTH', ['CONTENT_LENGTH', '', 'SCGI', '1', ...rest]],
  ])('refuses a request %s', (_, flat) => {
    expect(() => strict(...flat)).toThrow(code('ERR_SCGI_HEADERS'));
  });
});
