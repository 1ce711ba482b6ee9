import { describe, expect, it } from '@jest/globals';
import { checkVariable } from '../src/cgi-values.ts';

describe('a variable that a client sends', () => {
  it.each([
    ['PATH_INFO', '/a\nb'],
    ['SSL_CLIENT_CERT', '-----BEGIN CERTIFICATE-----\r\n'],
    ['HTTP_X', 'a\tb \xff'],
    ['CONTENT_TYPE', ''],
  ])('%s may be %j', (name, value) => {
    expect(() => checkVariable(name, value)).not.toThrow();
  });

  it.each([
    ['HTTP_X', 'a\nb'],
    ['HTTP_X', 'a\r'],
    ['HTTP_X', '\0'],
    ['HTTP_X', '\u010a'],
    ['CONTENT_TYPE', 'text/plain\r\nX: y'],
    ['PATH_INFO', 'a\0b'],
    ['PATH_INFO', '\u0141'],
    ['A=B', ''],
    ['A B', ''],
    ['A\n', ''],
    ['', ''],
  ])('%j may not be %j', (name, value) => {
    expect(() => checkVariable(name, value)).toThrow(expect.objectContaining({ code: 'ERR_ENV_VALUE' }));
  });
});
