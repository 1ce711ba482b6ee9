import { describe, expect, it } from '@jest/globals';
import { CgiHead } from '../src/cgi-head.ts';
import type { RequestHead } from '../src/head.ts';
import { HttpHead } from '../src/http-head.ts';
import { carriesInterim } from '../src/interim.ts';

function headOf(software?: string, protocol = 'HTTP/1.1'): RequestHead {
  const named = software === undefined ? [] : ['SERVER_SOFTWARE', software];
  return CgiHead.of(['REQUEST_METHOD', 'GET', 'SERVER_PROTOCOL', protocol, ...named]);
}

describe('an interim reply through a gateway protocol', () => {
  it.each(['nginx/1.22.1', 'Apache/2.4.71 (Debian)', 'Caddy/v2.6.2', 'HAProxy 2.6.12', 'lighttpdx', ''])(
    'is never for %j',
    (software) => {
      expect(carriesInterim(103, headOf(software), undefined)).toBe(false);
    },
  );

  it('is for lighttpd, which SERVER_SOFTWARE or the address names', () => {
    expect(carriesInterim(103, headOf('lighttpd/1.4.69'), undefined)).toBe(true);
    expect(carriesInterim(103, headOf(), 'lighttpd')).toBe(true);
    expect(carriesInterim(103, headOf(), undefined)).toBe(false);
  });

  it.each(['nginx', 'none'])('is not sent where the address says %s, whatever SERVER_SOFTWARE says', (peer) => {
    expect(carriesInterim(103, headOf('lighttpd/1.4.69'), peer)).toBe(false);
  });

  it.each([
    [100, false],
    [101, false],
    [102, true],
    [103, true],
    [104, false],
    [200, false],
  ])('of status %i: %s', (status, so) => {
    expect(carriesInterim(status, headOf(), 'lighttpd')).toBe(so);
  });

  it('is not sent to a client of HTTP/1.0', () => {
    expect(carriesInterim(103, headOf('lighttpd/1.4.69', 'HTTP/1.0'), undefined)).toBe(false);
    expect(carriesInterim(103, headOf('lighttpd/1.4.69', 'HTTP/2.0'), undefined)).toBe(true);
  });

  it('is not sent where the head cannot say what is in front', () => {
    const line = { method: 'GET', target: '/', protocol: 'HTTP/1.1', scheme: 'http' as const, contentLength: -1 };
    expect(carriesInterim(103, new HttpHead(line, [], []), undefined)).toBe(false);
  });
});
