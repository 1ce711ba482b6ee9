import { expect } from '@jest/globals';
import type { Vector } from '../vector.ts';
import { asks, bodyPacket, EMPTY, forward, hex, served, str, turnedDown } from './bytes.ts';

/** A request with these header fields, flat [name, value, …]. */
function withFields(...headers: (string | null)[]): Buffer {
  return forward({ headers: ['host', 'a', ...headers] });
}

/** One field, as it stands on the wire. */
function withField(...field: Uint8Array[]): Buffer {
  return forward({ headers: [], count: 1, attributes: field });
}

function post(...headers: string[]): Buffer {
  return forward({ method: 'POST', headers: ['host', 'a', ...headers] });
}

const many = (count: number): string[] => Array.from({ length: count }, () => ['accept', 'a']).flat();
/** Names with an upper-case letter go out as text. */
const literally = 'Content-Length';

/** Header fields, and what they say of the body. */
export const headers: readonly Vector[] = [
  turnedDown(400, 'ERR_ENV_REPEATED', {
    row: 'vA26',
    title: 'Host twice',
    input: { different: withFields('host', 'b'), 'the same': withFields('host', 'a') },
  }),
  served({
    row: 'vA26',
    title: 'Cookie twice is joined',
    input: withFields('cookie', 'a=1', 'cookie', 'b=2'),
    check: ({ asked }) => expect(asked[0].variables.HTTP_COOKIE).toBe('a=1; b=2'),
  }),
  served({
    row: 'vA28',
    title: 'a header value that is null is empty',
    input: withFields('user-agent', null),
    check: ({ asked }) => expect(asked[0].variables.HTTP_USER_AGENT).toBe(''),
  }),
  turnedDown(400, 'ERR_AJP_PACKET', {
    row: 'vA29',
    title: 'a header name that is null',
    input: withField(hex('ff ff'), str('x')),
  }),
  turnedDown(400, 'ERR_AJP_PACKET', {
    row: 'vA33',
    title: 'a header code that stands for nothing',
    input: Object.fromEntries(['a0 00', 'a0 0f', 'a0 ff'].map((code) => [code, withField(hex(code), str('x'))])),
  }),
  turnedDown(400, 'ERR_AJP_PACKET', {
    row: 'vA34',
    title: 'fewer headers than their number says',
    input: forward({ count: 2 }),
  }),
  turnedDown(400, 'ERR_AJP_ATTRIBUTE', {
    row: 'vA35',
    title: 'more headers than their number says',
    input: forward({ count: 0 }),
  }),
  turnedDown(431, 'ERR_ENV_COUNT', { row: 'vA36', title: '65535 headers', input: forward({ count: 0xffff }) }),
  turnedDown(431, 'ERR_ENV_COUNT', { row: 'vA37', title: '257 headers', input: forward({ headers: many(257) }) }),
  served({ row: 'vA37', title: '256 headers are read', input: forward({ headers: many(256) }) }),
  turnedDown(400, 'ERR_ENV_NAME', {
    row: 'vA38',
    title: 'a header name that is no token',
    input: Object.fromEntries(
      ['', 'a b', 'a:b', 'a\r\nb', 'a\xe9'].map((name) => [JSON.stringify(name), withField(str(name), str('x'))]),
    ),
  }),
  turnedDown(400, 'ERR_ENV_VALUE', {
    row: 'vA39',
    title: 'CR or LF in a header value',
    input: Object.fromEntries(
      ['a\rb', 'a\nb', 'a\r\nX: y'].map((text) => [JSON.stringify(text), withFields('X', text)]),
    ),
  }),
  turnedDown(400, 'ERR_AJP_PACKET', { row: 'vA39', title: 'NUL in a header value', input: withFields('X', 'a\0b') }),
  turnedDown(400, 'ERR_AJP_BODY', {
    row: 'vA40',
    title: 'Content-Length once by its code and once by its name, and the body is never read',
    input: hex(`
      12 34 00 44 02 02 00 08 48 54 54 50 2f 31 2e 31 00 00 01 2f 00 00 09 31 32 37 2e 30 2e 30 2e 31 00 ff ff 00 01 61 00
      00 50 00 00 02 a0 08 00 01 35 00 00 0e 63 6f 6e 74 65 6e 74 2d 6c 65 6e 67 74 68 00 00 01 35 00 ff`),
    check: (seen) => expect(asks(seen)).toEqual([]),
  }),
  turnedDown(400, 'ERR_ENV_LENGTH', {
    row: 'vA41',
    title: 'a Content-Length that is no whole number',
    input: Object.fromEntries(
      ['-1', '+5', '5 ', ' 5', '0x10', '1e3', '5,5', '5;', '5.0', '1_000', '9007199254740993', '99999999999999999999']
        .concat('\xef\xbc\x95', '')
        .map((length) => [JSON.stringify(length), post('content-length', length)]),
    ),
  }),
  served({
    row: 'vA42',
    title: 'Content-Length 0: no body packet is waited for, none is asked for',
    input: { 'by its code': post('content-length', '0'), 'by its name': post(literally, '0') },
    check: (seen) => expect([asks(seen), seen.asked[0].body]).toEqual([[], '']),
  }),
  served({
    row: 'vA43',
    title: 'POST without any length has no body',
    input: post(),
    check: (seen) => expect([asks(seen), seen.asked[0].body]).toEqual([[], '']),
  }),
  served({
    row: 'vA44',
    title: 'a chunked body is asked for until its end comes',
    input: post('Transfer-Encoding', 'chunked'),
    later: [bodyPacket('hel'), bodyPacket('lo'), EMPTY],
    check: (seen) => expect([asks(seen), seen.asked[0].body]).toEqual([[8186, 8186, 8186], 'hello']),
  }),
  turnedDown(400, 'ERR_AJP_BODY', {
    row: 'vA45',
    title: 'Transfer-Encoding together with Content-Length',
    input: {
      'Content-Length first': post('content-length', '5', 'Transfer-Encoding', 'chunked'),
      'Transfer-Encoding first': post('Transfer-Encoding', 'chunked', 'content-length', '5'),
      'a length of 0': post('Transfer-Encoding', 'chunked', 'content-length', '0'),
    },
  }),
  turnedDown(501, 'ERR_AJP_BODY', {
    row: 'vA46',
    title: 'another Transfer-Encoding than chunked',
    input: {
      ...Object.fromEntries(
        ['identity', 'xchunked', 'chunked, identity', ' chunked'].map((coding) => [
          JSON.stringify(coding),
          post('Transfer-Encoding', coding),
        ]),
      ),
      'chunked twice': post('Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked'),
    },
  }),
  served({
    row: 'vA47',
    title: 'of X_Foo and X-Foo the one with the hyphen is seen',
    input: {
      'hyphen last': withFields('X_Foo', 'underscore', 'X-Foo', 'hyphen'),
      'hyphen first': withFields('X-Foo', 'hyphen', 'X_Foo', 'underscore'),
    },
    check: ({ asked }) => expect(asked[0].variables.HTTP_X_FOO).toBe('hyphen'),
  }),
  served({
    row: 'vA48',
    title: 'Content_Length and Transfer_Encoding say nothing of the body, and are not seen',
    input: withFields('Content_Length', '5', 'Transfer_Encoding', 'chunked'),
    check: ({ asked: [{ variables, body }] }) => {
      expect(body).toBe('');
      expect(Object.keys(variables).join()).not.toMatch(/CONTENT_LENGTH|TRANSFER_ENCODING/);
    },
  }),
  served({
    row: 'vA49',
    title: 'Proxy is not seen (httpoxy)',
    input: { Proxy: withFields('Proxy', 'http://evil/'), PROXY: withFields('PROXY', 'http://evil/') },
    check: ({ asked: [{ variables }] }) => expect(Object.values(variables).join()).not.toContain('evil'),
  }),
  served({
    row: 'vA50',
    title: 'a header __proto__ is no variable, and changes no object',
    input: withFields('__proto__', 'x'),
    check: ({ asked: [{ variables }] }) => expect(Object.keys(variables).join()).not.toMatch(/^_|__PROTO|,_/i),
  }),
];
