import { expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { FastcgiServerConnection } from '../src/server-connection.ts';
import { open, receive } from './driving.ts';

it.each([
  [undefined, 'a:81'],
  ['none', 'a:81'],
  ['haproxy', 'a'],
])('a request is seen as the web server means it that the address names: peer=%s', (peer, name) => {
  const [event] = receive(new FastcgiServerConnection(limitsWith(), { peer }), open(1, { SERVER_NAME: 'a:81' }));
  const flat = event.type === 'request' ? event.head.variables() : [];
  expect(flat[flat.indexOf('SERVER_NAME') + 1]).toBe(name);
});
