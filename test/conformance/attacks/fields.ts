/** GET / with header fields, as a web server sends them on in each protocol, made by hand. */

import { type OneOfFive, request, type Variables } from '@postern/testkit';
import { forward } from '../../../packages/ajp/test/writer.ts';
import { block, netstring } from '../../../packages/scgi/test/writer.ts';
import { bytes, packet, block as vars } from '../../../packages/uwsgi/test/writer.ts';

export type Fields = readonly (readonly [name: string, value: string])[];

const line: Fields = [
  ['REQUEST_METHOD', 'GET'],
  ['REQUEST_URI', '/'],
  ['SERVER_PROTOCOL', 'HTTP/1.1'],
];

/** The name that web servers give a field. */
function variableOf(name: string): string {
  return `HTTP_${name.toUpperCase().replaceAll('-', '_')}`;
}

export function withFields(protocol: OneOfFive, ...fields: Fields): Buffer {
  if (protocol === 'ajp') return forward({ headers: ['host', 'app.test', ...fields.flat()] });
  if (protocol === 'http') {
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`);
    return bytes(`GET / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n${lines.join('')}\r\n`);
  }
  return withVariables(protocol, ...fields.map(([name, value]) => [variableOf(name), value] as const));
}

export function withVariables(protocol: 'fastcgi' | 'scgi' | 'uwsgi', ...variables: Fields): Buffer {
  const all = [...line, ...variables];
  if (protocol === 'fastcgi') return request(all as Variables);
  if (protocol === 'uwsgi') return packet(vars(...all.flat()));
  const length = all.some(([name]) => name === 'CONTENT_LENGTH') ? [] : ['CONTENT_LENGTH', '0'];
  return bytes(netstring(block(...length, 'SCGI', '1', ...all.flat())));
}
