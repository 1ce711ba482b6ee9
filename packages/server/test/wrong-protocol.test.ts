import { describe, expect, it } from '@jest/globals';
import { wrongProtocolMessage, wrongProtocolPage } from '../src/wrong-protocol.ts';

describe('wrongProtocolPage', () => {
  it.each([
    ['fastcgi', 'fastcgi_pass'],
    ['scgi', 'scgi_pass'],
    ['uwsgi', 'uwsgi_pass'],
    ['ajp', 'ajp://'],
  ])('is a whole HTTP reply of less than 1 KiB that names %s, and says %s', (protocol, line) => {
    const page = wrongProtocolPage(protocol);
    const [head, body] = page.split('\r\n\r\n');
    expect(page.length).toBeLessThan(1024);
    expect(head).toMatch(/^HTTP\/1\.1 421 Misdirected Request\r\n/);
    expect(head).toContain(`Content-Length: ${body.length}`);
    expect(head).toContain('Connection: close');
    expect(body).toContain(`speaks ${protocol}`);
    expect(body).toContain(line);
    expect(body).toMatch(/\.\n$/);
  });
});

describe('wrongProtocolMessage', () => {
  it.each([
    [
      'http',
      'fastcgi',
      'HTTP on a port that speaks fastcgi: in nginx use fastcgi_pass, in Apache a ProxyPass to fcgi://',
    ],
    [
      'fastcgi',
      'scgi',
      'FastCGI on a port that speaks scgi: in nginx use scgi_pass, in Apache a ProxyPass to scgi://, or let the app listen on fastcgi://',
    ],
    [
      'uwsgi',
      'http',
      'uwsgi on a port that speaks http: in nginx use proxy_pass, in Apache a ProxyPass to http://, or let the app listen on uwsgi://',
    ],
    ['TLS', 'ajp', 'TLS on a port that speaks ajp: let the peer connect without TLS'],
    [
      'TLS',
      'http',
      'TLS on a port that speaks http: let the peer connect without TLS, or let the app listen on https://',
    ],
    [
      'PROXY protocol',
      'http',
      'PROXY protocol on a port that speaks http: turn it off towards this port (HAProxy: send-proxy, nginx: proxy_protocol)',
    ],
    ['SSH', 'uwsgi', 'SSH on a port that speaks uwsgi: what connects is no web server'],
    ['HTTP/2', 'http', 'HTTP/2 on a port that speaks http: let the peer speak HTTP/1.1'],
    [
      'HTTP/2',
      'uwsgi',
      'HTTP/2 on a port that speaks uwsgi: in nginx use uwsgi_pass, in Apache a ProxyPass to uwsgi://',
    ],
    [
      'HTTP/2',
      'auto',
      'HTTP/2 on a port that tells FastCGI, SCGI, AJP, uwsgi and HTTP apart: let the peer speak HTTP/1.1',
    ],
  ])('of %s where %s is served says what to change', (found, served, message) =>
    expect(wrongProtocolMessage(found, served)).toBe(message),
  );
});
