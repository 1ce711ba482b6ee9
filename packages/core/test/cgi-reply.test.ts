import { describe, expect, it } from '@jest/globals';
import { cgiReplyHead, replyHeadText } from '../src/cgi-reply.ts';

describe('cgiReplyHead', () => {
  it('begins with Status and ends with an empty line', () => {
    expect(cgiReplyHead(302, 'Found', ['Location', '/x', 'Set-Cookie', 'a', 'Set-Cookie', 'b'])).toBe(
      'Status: 302 Found\r\nLocation: /x\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n',
    );
    expect(cgiReplyHead(204, 'No Content', [])).toBe('Status: 204 No Content\r\n\r\n');
  });

  it.each([
    [200, 'OK'],
    [200, 'Fine'],
    [201, 'OK'],
    [200, ''],
  ])('says %i %s', (status, reason) => {
    expect(cgiReplyHead(status, reason, [])).toBe(`Status: ${status} ${reason}\r\n\r\n`);
  });
});

describe('replyHeadText', () => {
  it('begins with the line it is given', () => {
    expect(replyHeadText('HTTP/1.1 200 OK\r\n', ['A', 'b'])).toBe('HTTP/1.1 200 OK\r\nA: b\r\n\r\n');
  });
});
