import { describe, expect, it } from '@jest/globals';
import type { Exchange, Notice } from '@postern/core';
import type { ExchangeHost } from '../src/exchange-host.ts';
import { noticeLongHead } from '../src/long-head.ts';

function told(protocol: string, software?: string, peer?: string): string[] {
  const notices: Notice[] = [];
  const host = { protocol: { name: protocol }, peer, notice: (notice: Notice) => notices.push(notice) };
  const exchange = { environ: { SERVER_SOFTWARE: software } };
  noticeLongHead(exchange as unknown as Exchange, host as unknown as ExchangeHost, 5000);
  return notices.map(({ code, message }) => `${code}: ${message}`);
}

describe('a reply with a long head', () => {
  it.each([
    ['fastcgi', 'nginx/1.22.1', undefined],
    ['scgi', undefined, undefined],
    ['uwsgi', undefined, undefined],
    ['fastcgi', 'Apache/2.4.62', 'nginx'],
  ])('over %s is noticed where SERVER_SOFTWARE is %s and the address names %s', (protocol, software, peer) => {
    expect(told(protocol, software, peer)).toEqual([
      `ERR_HEADER_PAGE: a reply has 5000 bytes of headers, and nginx reads 4096 by default: set ${protocol}_buffer_size 32k in its configuration`,
    ]);
  });

  it.each([
    ['fastcgi', 'lighttpd/1.4.69', undefined],
    ['scgi', 'nginx/1.22.1', 'apache'],
    ['ajp', 'nginx/1.22.1', undefined],
    ['cgi', undefined, undefined],
  ])('over %s is not where SERVER_SOFTWARE is %s and the address names %s', (protocol, software, peer) => {
    expect(told(protocol, software, peer)).toEqual([]);
  });
});
