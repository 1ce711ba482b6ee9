import { describe, expect, it } from '@jest/globals';
import { readValues } from '../src/cgi-values.ts';

const refused = (variables: string[], code = 'ERR_ENV_VALUE') =>
  expect(() => readValues(variables)).toThrow(expect.objectContaining({ name: 'LocalProtocolError', code }));

describe('readValues', () => {
  it('makes headers of HTTP_* and CONTENT_TYPE, in their order', () => {
    const variables = [
      'HTTP_X_FOO',
      '1',
      'CONTENT_TYPE',
      'a/b',
      'HTTP_HOST',
      'h',
      'HTTP_X_FOO',
      '',
      'SERVER_NAME',
      's',
    ];
    const values = readValues(variables);
    expect(values.fields).toEqual(['x-foo', '1', 'content-type', 'a/b', 'host', 'h', 'x-foo', '']);
    expect(values.get('SERVER_NAME')).toBe('s');
    expect(values.get('HTTP_HOST')).toBeUndefined();
  });

  it('takes the last of another name that comes twice, and an empty value for none', () => {
    const values = readValues(['SERVER_NAME', 'a', 'SERVER_NAME', 'b', 'REMOTE_USER', '']);
    expect([values.get('SERVER_NAME'), values.get('REMOTE_USER'), values.get('toString')]).toEqual([
      'b',
      undefined,
      undefined,
    ]);
  });

  it('leaves out what would say a second time how long the body is, and Proxy', () => {
    const variables = ['HTTP_CONTENT_LENGTH', '9', 'HTTP_CONTENT_TYPE', 'x', 'HTTP_PROXY', 'http://evil'];
    expect(readValues([...variables, 'CONTENT_LENGTH', '5', 'CONTENT_TYPE', ''])).toMatchObject({
      fields: [],
      contentLength: 5,
      chunked: false,
    });
  });

  it.each<[string[], number, boolean]>([
    [[], -1, false],
    [['CONTENT_LENGTH', ''], -1, false],
    [['CONTENT_LENGTH', '0'], 0, false],
    [['CONTENT_LENGTH', '0', 'HTTP_TRANSFER_ENCODING', 'chunked'], 0, false],
    [['CONTENT_LENGTH', '7', 'CONTENT_LENGTH', '7'], 7, false],
    [['HTTP_TRANSFER_ENCODING', 'Chunked'], -1, true],
    [['CONTENT_LENGTH', '', 'HTTP_TRANSFER_ENCODING', 'chunked'], -1, true],
    // nginx sends both
    [['HTTP_TRANSFER_ENCODING', 'chunked', 'CONTENT_LENGTH', '7'], 7, false],
    [['HTTP_TRANSFER_ENCODING', ''], -1, false],
  ])('reads how long the body is from %j', (variables, contentLength, chunked) => {
    expect(readValues(variables)).toMatchObject({ contentLength, chunked });
  });

  it.each(['-1', '5 ', '0x5', '1e3', '9007199254740993', 'x'])('refuses the length %j', (length) =>
    refused(['CONTENT_LENGTH', length], 'ERR_ENV_LENGTH'),
  );

  it('refuses two lengths, and a coding that AJP has not', () => {
    refused(['CONTENT_LENGTH', '5', 'CONTENT_LENGTH', '6'], 'ERR_ENV_LENGTH');
    refused(['CONTENT_LENGTH', '0', 'CONTENT_LENGTH', '6'], 'ERR_ENV_LENGTH');
    refused(['HTTP_TRANSFER_ENCODING', 'gzip, chunked']);
  });

  it.each<[string, string]>([
    ['', 'x'],
    ['A B', 'x'],
    ['A=B', 'x'],
    ['\xe9', 'x'],
    ['HTTP_', 'x'],
    ['HTTP_A:B', 'x'],
    ['HTTP_A\r\nB', 'x'],
    [`HTTP_${'X'.repeat(4097)}`, ''],
    ['HTTP_A', 'a\rb'],
    ['HTTP_A', 'a\nb'],
    ['REMOTE_USER', 'a\nb'],
    ['OTHER', 'a\0b'],
    ['HTTP_A', '\u0100'],
    ['SSL_CLIENT_CERT', 'a\0'],
  ])('refuses the variable %j: %j', (name, value) => refused([name, value]));

  it('lets a certificate have lines', () => {
    expect(readValues(['SSL_CLIENT_CERT', 'a\nb\n']).get('SSL_CLIENT_CERT')).toBe('a\nb\n');
  });
});
