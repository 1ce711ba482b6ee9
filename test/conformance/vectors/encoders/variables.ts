import type { ClientConnection } from '@postern/core';
import { outputText } from '@postern/testkit';
import type { Framed } from '../answers.ts';

/** All that a client has written so far, bytes as latin-1. */
export function textOf(client: ClientConnection): string {
  return outputText(client);
}

type Refused = [name: string, variables: string[], code: string];

/** Variables that a client must not send: what is wrong, they, and the code of the error. */
export function refusedVariables(protocol: Framed): Refused[] {
  const value = 'ERR_ENV_VALUE';
  const long = { fastcgi: 'ERR_ENV_ITEM', ajp: 'ERR_ENV_BYTES', uwsgi: 'ERR_ENV_BYTES', scgi: undefined }[protocol];
  return [
    ['NUL in a name', ['HTTP_A\0B', 'x'], value],
    ['a line end in a name', ['HTTP_A\r\nB', 'x'], value],
    ['= in a name', ['HTTP_A=B', 'x'], value],
    ['a blank in a name', ['HTTP_A B', 'x'], value],
    ['an empty name', ['', 'x'], value],
    ['a name that is no bytes', ['HTTP_\u0141', 'x'], value],
    ['NUL in a value', ['HTTP_A', 'a\0b'], value],
    ['NUL in a value that is no header', ['PATH_INFO', '/a\0b'], value],
    ['CRLF in a header', ['HTTP_A', 'a\r\nX-Evil: b'], value],
    ['LF in a header', ['CONTENT_TYPE', 'a\nb'], value],
    ['a value that is no bytes', ['HTTP_A', 'a\u010d\u010ab'], value],
    ...(long === undefined ? [] : [['more than 65,535 bytes', ['HTTP_A', 'x'.repeat(65_536)], long] satisfies Refused]),
  ];
}

type Taken = [name: string, variable: string, value: string];

/** Variables that are odd, and can be sent. */
export function takenVariables(protocol: Framed): Taken[] {
  const all: Taken[] = [
    ['bytes above 0x7f', 'HTTP_A', 'a\x80\xff'],
    ['= in a value', 'HTTP_A', 'a=b'],
    ['an empty value', 'HTTP_A', ''],
    ['lines of a certificate', 'SSL_CLIENT_CERT', '-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n'],
  ];
  if (protocol !== 'ajp') all.push(['a line end in a path', 'PATH_INFO', '/a\nb']);
  // a netstring has room for it; the server's limit holds there
  if (protocol === 'scgi') all.push(['65,535 bytes', 'HTTP_A', 'x'.repeat(65_535)]);
  return all;
}
