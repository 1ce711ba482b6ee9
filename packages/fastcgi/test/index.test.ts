import { describe, expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { begin, record } from '@postern/testkit';
import { fastcgi } from '../src/index.ts';

describe('sniffing', () => {
  it('says yes to BEGIN_REQUEST and GET_VALUES, at their second byte', () => {
    for (const bytes of [begin(), record(9, 0)]) {
      expect(fastcgi.sniff(bytes)).toBe('yes');
      expect(fastcgi.sniff(bytes.subarray(0, 2))).toBe('yes');
      expect(fastcgi.sniff(bytes.subarray(0, 1))).toBe('more');
      expect(fastcgi.sniff(Buffer.alloc(16).subarray(0, 0))).toBe('more');
    }
    expect(fastcgi.sniff(new Uint8Array())).toBe('more');
  });

  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
    ['TLS', Buffer.of(0x16, 3, 1)],
    ['SCGI', Buffer.from('70:CONTENT_LENGTH')],
    ['AJP', Buffer.of(0x12, 0x34, 0, 1, 10)],
    ['uwsgi', Buffer.of(0, 0x60, 0, 0)],
    ['the PROXY protocol', Buffer.from('PROXY TCP4')],
    ['a record that no connection begins with', record(5, 1)],
    ['zeros', Buffer.alloc(16)],
    ['another version', record(1, 1, '', { version: 2 })],
  ])('says no to %s', (_, bytes) => expect(fastcgi.sniff(bytes)).toBe('no'));
});

describe('the protocol', () => {
  it('makes both sides of a connection', () => {
    expect(fastcgi).toMatchObject({ name: 'fastcgi', carriesLog: true, carriesUpgrade: true });
    expect(fastcgi.server(limitsWith()).idle).toBe(true);
    expect(fastcgi.client(limitsWith()).wantsRead).toBe(true);
  });
});
