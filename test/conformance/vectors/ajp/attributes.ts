import { expect } from '@jest/globals';
import type { Seen } from '../observe.ts';
import type { Vector } from '../vector.ts';
import { attribute, forward, hex, secret, served, str, turnedDown } from './bytes.ts';

function withAttributes(...attributes: Uint8Array[]): Buffer {
  return forward({ attributes });
}

const coded = (code: number, value: string | null): Buffer => Buffer.concat([Buffer.of(code), str(value)]);
const include = ['request_uri', 'path_info', 'servlet_path'].map((part) => `javax.servlet.include.${part}`);
const user = withAttributes(coded(3, 'root'), coded(4, 'Basic'));
/** What each request carries where a secret is set. */
const proven = secret('open sesame');

/** And what stands behind it is read. */
function hasKeySize({ asked: [{ variables }] }: Seen): void {
  expect(variables).toMatchObject({ SSL_CIPHER_USEKEYSIZE: '128', SSL_CIPHER: 'AES' });
}

/** Attributes of a request, and the secret. */
export const attributes: readonly Vector[] = [
  turnedDown(403, 'ERR_AJP_ATTRIBUTE', {
    row: 'vA51',
    title: 'attributes that made servers include a file (Ghostcat)',
    input: {
      ...Object.fromEntries(include.map((name) => [name, withAttributes(attribute(name, '/WEB-INF/web.xml'))])),
      'all of them': withAttributes(...include.map((name) => attribute(name, '/WEB-INF/web.xml'))),
    },
  }),
  turnedDown(403, 'ERR_AJP_ATTRIBUTE', {
    row: 'vA52',
    title: 'attributes named as variables are',
    input: Object.fromEntries(
      ['REMOTE_USER', 'HTTP_X', 'wsgi.input', '__proto__', 'SCRIPT_FILENAME'].map((name) => [
        name,
        withAttributes(attribute(name, '/x')),
      ]),
    ),
  }),
  served({
    row: 'vA52',
    title: 'an attribute that the address lets in is a variable',
    input: withAttributes(attribute('SCRIPT_FILENAME', '/x')),
    peer: { attributes: ['SCRIPT_FILENAME'] },
    check: ({ asked }) => expect(asked[0].variables.SCRIPT_FILENAME).toBe('/x'),
  }),
  served({
    row: 'vA53',
    title: 'attributes that web servers send are variables',
    input: withAttributes(
      attribute('AJP_REMOTE_PORT', '51000'),
      attribute('AJP_LOCAL_ADDR', '10.0.0.1'),
      attribute('AJP_SSL_PROTOCOL', 'TLSv1.3'),
      attribute('JK_LB_ACTIVATION', 'ACT'),
    ),
    check: ({ asked: [{ variables }] }) =>
      expect(variables).toMatchObject({
        REMOTE_PORT: '51000',
        SERVER_ADDR: '10.0.0.1',
        SSL_PROTOCOL: 'TLSv1.3',
        JK_LB_ACTIVATION: 'ACT',
      }),
  }),
  served({
    row: 'vA53',
    title: 'a remote port that is no number is ignored',
    input: Object.fromEntries(
      ['x', '', '-1', '123456', '80\r\n'].map((port) => [
        JSON.stringify(port),
        withAttributes(attribute('AJP_REMOTE_PORT', port)),
      ]),
    ),
    check: ({ asked }) => expect(asked[0].variables).not.toHaveProperty('REMOTE_PORT'),
  }),
  turnedDown(400, 'ERR_AJP_ATTRIBUTE', {
    row: 'vA54',
    title: 'an attribute code that is unknown, and its length with it',
    input: Object.fromEntries(['00', '0e', '31'].map((code) => [code, withAttributes(hex(code), str('x'))])),
  }),
  served({
    row: 'vA55',
    title: 'the key size is an integer',
    input: withAttributes(hex('0b 00 80'), coded(8, 'AES')),
    check: hasKeySize,
  }),
  served({
    row: 'vA56',
    title: 'the key size is a string, as lighttpd sends it',
    input: withAttributes(hex('0b 00 03 31 32 38 00'), coded(8, 'AES')),
    check: hasKeySize,
  }),
  turnedDown(400, 'ERR_AJP_PACKET', {
    row: 'vA57',
    title: 'the attributes have no end',
    input: { none: forward({ end: hex('') }), 'behind one': forward({ attributes: [coded(6, 'a')], end: hex('') }) },
  }),
  turnedDown(400, 'ERR_AJP_ATTRIBUTE', {
    row: 'vA58',
    title: 'a byte behind the end of the attributes',
    input: forward({ end: hex('ff 00') }),
  }),
  turnedDown(403, 'ERR_AJP_SECRET', {
    row: 'vA59',
    title: 'no secret, or another than the one that is set, which is not logged',
    input: {
      missing: forward(),
      wrong: secret('OPEN SESAME'),
      'its beginning': secret('open sesam'),
      longer: secret('open sesame!'),
      empty: secret(''),
      null: secret(null),
    },
    peer: { secret: 'open sesame' },
    neighbour: proven,
    check: ({ log, output }) => expect(`${log[0].message}${output}`).not.toMatch(/sesam/i),
  }),
  served({
    row: 'vA59',
    title: 'the secret that is set is no variable',
    input: proven,
    peer: { secret: 'open sesame' },
    neighbour: proven,
    check: ({ asked: [{ variables }] }) => expect(Object.values(variables).join()).not.toContain('sesame'),
  }),
  turnedDown(403, 'ERR_AJP_SECRET', {
    row: 'vA60',
    title: 'the secret twice, once wrong',
    input: {
      'then wrong': secret('open sesame', 'x'),
      'first wrong': secret('x', 'open sesame'),
      'wrong between': secret('open sesame', 'x', 'open sesame'),
    },
    peer: { secret: 'open sesame' },
    neighbour: proven,
  }),
  served({
    row: 'vA61',
    title: 'a user that the web server names is not believed',
    input: user,
    check: ({ asked: [{ variables }] }) => expect(Object.keys(variables).join()).not.toMatch(/REMOTE_USER|AUTH_TYPE/),
  }),
  served({
    row: 'vA61',
    title: 'unless the address says so',
    input: user,
    peer: { trustRemoteUser: true },
    check: ({ asked: [{ variables }] }) => expect(variables).toMatchObject({ REMOTE_USER: 'root', AUTH_TYPE: 'Basic' }),
  }),
];
