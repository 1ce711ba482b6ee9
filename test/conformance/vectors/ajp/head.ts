import { expect } from '@jest/globals';
import type { Vector } from '../vector.ts';
import { type Forward, forward, hex, served, str, turnedDown, withUri } from './bytes.ts';

const stored = (method: string | null): Buffer => Buffer.concat([hex('0d'), str(method)]);

function requests(of: Record<string, Forward>): Record<string, Uint8Array> {
  return Object.fromEntries(Object.entries(of).map(([name, request]) => [name, forward(request)]));
}

/** Method, protocol, URI, and what the web server tells of the connection. */
export const head: readonly Vector[] = [
  turnedDown(400, 'ERR_AJP_PACKET', {
    row: 'vA15',
    title: 'a method code that stands for nothing',
    input: requests({ 0: { method: 0 }, 28: { method: 28 }, 254: { method: 254 } }),
  }),
  served({
    row: 'vA16',
    title: 'a method without a code is in an attribute',
    input: forward({ method: 0xff, attributes: [stored('PATCH')] }),
    check: ({ asked }) => expect([asked[0].method, asked[0].variables.REQUEST_METHOD]).toEqual(['PATCH', 'PATCH']),
  }),
  turnedDown(400, 'ERR_AJP_PACKET', {
    row: 'vA17',
    title: 'and that attribute is missing',
    input: forward({ method: 0xff }),
  }),
  turnedDown(400, 'ERR_AJP_PACKET', {
    row: 'vA18',
    title: 'the attribute names another method than the code',
    input: forward({ attributes: [stored('POST')] }),
  }),
  turnedDown(400, 'ERR_ENV_METHOD', {
    row: 'vA19',
    title: 'a method that is no token',
    input: Object.fromEntries(
      ['GE T', 'get\r\n', ''].map((method) => [
        JSON.stringify(method),
        forward({ method: 0xff, attributes: [stored(method)] }),
      ]),
    ),
  }),
  turnedDown(400, 'ERR_AJP_PACKET', {
    row: 'vA19',
    title: 'a method that is null',
    input: forward({ method: 0xff, attributes: [stored(null)] }),
  }),
  turnedDown(400, 'ERR_AJP_PACKET', {
    row: 'vA20',
    title: 'a string runs past its packet',
    input: withUri(hex('7f ff 2f 00')),
  }),
  turnedDown(400, 'ERR_AJP_PACKET', {
    row: 'vA21',
    title: 'a string without its NUL',
    input: withUri(hex('00 01 2f 41')),
  }),
  turnedDown(400, 'ERR_AJP_PACKET', {
    row: 'vA22',
    title: 'NUL within a string',
    input: withUri(hex('00 03 2f 00 61 00')),
  }),
  turnedDown(400, 'ERR_AJP_PACKET', { row: 'vA23', title: 'the URI is null', input: withUri(hex('ff ff')) }),
  turnedDown(400, 'ERR_AJP_PACKET', { row: 'vA24', title: 'the protocol is null', input: forward({ protocol: null }) }),
  served({
    row: 'vA25',
    title: 'the server name is null: it is that of Host, else localhost',
    input: requests({ Host: { server: null, headers: ['host', 'b:81'] }, 'no Host': { server: null, headers: [] } }),
    check: ({ asked }, name) => expect(asked[0].variables.SERVER_NAME).toBe(name === 'Host' ? 'b' : 'localhost'),
  }),
  served({
    row: 'vA27',
    title: 'the remote host is null',
    input: forward({ host: null }),
    check: ({ asked: [{ variables }] }) => expect(variables).not.toHaveProperty('REMOTE_HOST'),
  }),
  turnedDown(400, 'ERR_ENV_TARGET', {
    row: 'vA30',
    title: 'a URI that does not begin with a slash',
    input: requests(Object.fromEntries(['http://evil/', 'foo', '', '*'].map((uri) => [JSON.stringify(uri), { uri }]))),
  }),
  served({
    row: 'vA30',
    title: 'OPTIONS may ask for *',
    input: forward({ method: 'OPTIONS', uri: '*' }),
    check: ({ asked }) => expect(asked[0].target).toBe('*'),
  }),
  turnedDown(400, 'ERR_ENV_TARGET', {
    row: 'vA31',
    title: 'CR, LF or a space in the URI',
    input: requests({ CRLF: { uri: '/\r\n' }, CR: { uri: '/\r' }, LF: { uri: '/\n' }, space: { uri: '/a b' } }),
  }),
  served({
    row: 'vA32',
    title: 'any is_ssl but 0 is https',
    input: requests({ 1: { ssl: 1 }, 2: { ssl: 2 }, 255: { ssl: 255 } }),
    check: ({ asked: [{ variables }] }) => expect(variables).toMatchObject({ HTTPS: 'on', REQUEST_SCHEME: 'https' }),
  }),
];
