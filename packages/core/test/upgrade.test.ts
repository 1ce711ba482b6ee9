import { describe, expect, it } from '@jest/globals';
import { CgiHead } from '../src/cgi-head.ts';
import { LocalProtocolError } from '../src/errors.ts';
import { HttpHead } from '../src/http-head.ts';
import { limitsWith } from '../src/limits.ts';
import { upgradeAsked, upgradeHeaders } from '../src/upgrade.ts';

const wish = {
  REQUEST_METHOD: 'GET',
  SERVER_PROTOCOL: 'HTTP/1.1',
  HTTP_UPGRADE: 'websocket',
  HTTP_CONNECTION: 'Upgrade',
};

function cgi(variables: Record<string, string | undefined> = {}): CgiHead {
  const all = Object.entries({ ...wish, ...variables }).filter(([, value]) => value !== undefined);
  return CgiHead.of(all.flat() as string[]);
}

function ajp(headers: string[], method = 'GET'): HttpHead {
  return new HttpHead({ method, target: '/', protocol: 'HTTP/1.1', scheme: 'http', contentLength: -1 }, headers, []);
}

describe('upgradeAsked', () => {
  it.each([
    ['as a browser asks', {}],
    ['among other words', { HTTP_CONNECTION: 'keep-alive ,\tUPGRADE , x' }],
    ['for one of several protocols', { HTTP_UPGRADE: 'websocket, h2c' }],
    ['for a protocol with a version', { HTTP_UPGRADE: 'TLS/1.0' }],
    ['with an empty length', { CONTENT_LENGTH: '' }],
    ['with the length 0', { CONTENT_LENGTH: '0' }],
  ])('is so %s', (_, variables) => {
    expect(upgradeAsked(cgi(variables))).toBe(true);
  });

  it.each([
    ['Upgrade is missing', { HTTP_UPGRADE: undefined }],
    ['Upgrade is empty', { HTTP_UPGRADE: '' }],
    ['Upgrade names no protocol', { HTTP_UPGRADE: 'web socket' }],
    ['Connection is missing', { HTTP_CONNECTION: undefined }],
    ['Connection names another word', { HTTP_CONNECTION: 'upgrade-insecure, xupgrade' }],
    ['the method is another', { REQUEST_METHOD: 'POST' }],
    ['HTTP is 1.0', { SERVER_PROTOCOL: 'HTTP/1.0' }],
    ['HTTP is 2.0', { SERVER_PROTOCOL: 'HTTP/2.0' }],
    ['a body comes', { CONTENT_LENGTH: '1' }],
    ['a body comes in chunks', { HTTP_TRANSFER_ENCODING: 'chunked' }],
  ])('is not so where %s', (_, variables) => {
    expect(upgradeAsked(cgi(variables))).toBe(false);
  });

  it('looks at header fields where the wire has them, and misses no Connection', () => {
    expect(upgradeAsked(ajp(['upgrade', 'websocket']))).toBe(true);
    expect(upgradeAsked(ajp(['connection', 'upgrade', 'upgrade', 'websocket']))).toBe(true);
    expect(upgradeAsked(ajp(['upgrade', 'websocket', 'connection', 'close']))).toBe(false);
    expect(upgradeAsked(ajp(['accept', '*/*']))).toBe(false);
    expect(upgradeAsked(ajp(['upgrade', 'websocket'], 'PUT'))).toBe(false);
  });
});

describe('upgradeHeaders', () => {
  const limits = limitsWith();

  it('name the first protocol that was asked for, unless the application names one', () => {
    expect(upgradeHeaders(cgi({ HTTP_UPGRADE: 'a/1, b' }), ['X', '1'], limits)).toEqual([
      ...['Upgrade', 'a/1', 'Connection', 'Upgrade', 'X', '1'],
    ]);
    expect(upgradeHeaders(cgi({ HTTP_UPGRADE: 'a, b' }), ['upgrade', 'b'], limits).slice(0, 2)).toEqual([
      'Upgrade',
      'b',
    ]);
  });

  it('leave out what frames a body or the connection', () => {
    const given = ['Connection', 'close', 'Content-Length', '5', 'Transfer-Encoding', 'chunked', 'A', 'b'];
    expect(upgradeHeaders(cgi(), given, limits)).toEqual(['Upgrade', 'websocket', 'Connection', 'Upgrade', 'A', 'b']);
  });

  it.each([
    [['A', 'b\r\nC: d'], 'ERR_HEADER_VALUE'],
    [['A b', 'c'], 'ERR_HEADER_NAME'],
    [['Upgrade', 'a\r\nB: c'], 'ERR_UPGRADE'],
    [['Upgrade', ''], 'ERR_UPGRADE'],
  ])('refuse %j', (headers, code) => {
    expect(() => upgradeHeaders(cgi(), headers, limits)).toThrow(expect.objectContaining({ code }));
  });

  it('are of a request that asks alone', () => {
    expect(() => upgradeHeaders(cgi({ HTTP_UPGRADE: undefined }), [], limits)).toThrow(LocalProtocolError);
  });
});
