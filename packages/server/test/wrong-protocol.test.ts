import { describe, expect, it } from '@jest/globals';
import { looksLikeHttp, wrongProtocolPage } from '../src/wrong-protocol.ts';

describe('looksLikeHttp', () => {
  it.each([
    'GET / HTTP/1.1\r\n',
    'POST /a?b=%20 HTTP/1.0\n',
    'PROPFIND http://x/ HTTP/1.1\r\nHost: x\r\n',
    'CONNECT x:443 HTTP/1.1\r\n',
  ])('says yes to %j, and more to each beginning of its first line', (text) => {
    expect(looksLikeHttp(text)).toBe('yes');
    const line = text.slice(0, text.indexOf('\n'));
    for (let end = 1; end <= line.length; end++)
      expect([end, looksLikeHttp(line.slice(0, end))]).toEqual([end, 'more']);
  });

  it.each([
    '\x16\x03\x01',
    'SSH-2.0-x\r\n',
    'PRI * HTTP/2.0\r\n',
    'get / HTTP/1.1\r\n',
    'GET  HTTP/1.1\r\n',
    'GET / HTTP/1.1 \r\n',
    'GET / HTTX',
    'HELO example.test\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n',
    'A'.repeat(13),
    '24:CONTENT_LENGTH',
    '\0',
  ])('says no to %j', (text) => {
    expect(looksLikeHttp(text)).toBe('no');
  });

  it('does not wait for an endless line', () => {
    expect(looksLikeHttp(`GET /${'a'.repeat(8000)}`)).toBe('more');
    expect(looksLikeHttp(`GET /${'a'.repeat(9000)}`)).toBe('no');
  });
});

describe('wrongProtocolPage', () => {
  it.each(['fastcgi', 'scgi', 'ajp', 'uwsgi'])('is a whole HTTP reply of less than 1 KiB that names %s', (protocol) => {
    const page = wrongProtocolPage(protocol);
    const [head, body] = page.split('\r\n\r\n');
    expect(page.length).toBeLessThan(1024);
    expect(head).toMatch(/^HTTP\/1\.1 421 Misdirected Request\r\n/);
    expect(head).toContain(`Content-Length: ${body.length}`);
    expect(head).toContain('Connection: close');
    expect(body).toContain(`speaks ${protocol}`);
  });

  it('says what to change', () => {
    expect(wrongProtocolPage('fastcgi')).toContain('fastcgi_pass');
    expect(wrongProtocolPage('scgi')).toContain('scgi_pass');
    expect(wrongProtocolPage('ajp')).toContain('ajp://');
    expect(wrongProtocolPage('uwsgi')).toContain('uwsgi_pass');
  });
});
