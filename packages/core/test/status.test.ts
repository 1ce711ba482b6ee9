import { STATUS_CODES } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { cgiReplyHead } from '../src/cgi-reply.ts';
import { reasonOf } from '../src/status.ts';

describe('reasonOf', () => {
  it('knows a phrase for every status that Node knows', () => {
    const unknown = Object.keys(STATUS_CODES).filter((status) => reasonOf(Number(status)) === status);
    expect(unknown).toEqual(['509', '510']);
  });

  it('gives the number as text where no phrase is registered, never nothing', () => {
    expect(reasonOf(299)).toBe('299');
    expect(reasonOf(999)).toBe('999');
  });
});

describe('cgiReplyHead', () => {
  it('begins with Status and ends with an empty line', () => {
    expect(cgiReplyHead(302, 'Found', ['Location', '/x', 'Set-Cookie', 'a', 'Set-Cookie', 'b'])).toBe(
      'Status: 302 Found\r\nLocation: /x\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n',
    );
    expect(cgiReplyHead(204, 'No Content', [])).toBe('Status: 204 No Content\r\n\r\n');
  });
});
