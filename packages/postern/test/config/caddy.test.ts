import { describe, expect, it } from '@jest/globals';
import { caddyConfig } from '../../src/config/caddy.ts';
import { settings, tcp, unix } from './targets.ts';

/** The address of the site. */
function site(serverName?: string): string {
  return settings(caddyConfig('fastcgi', tcp(9000), { serverName }))[0];
}

describe('caddyConfig', () => {
  it('has nothing in it that does not belong to FastCGI', () => {
    const lines = settings(caddyConfig('fastcgi', unix('/run/app.sock'))).join('\n');
    expect(lines).toMatch(/reverse_proxy unix\/\/run\/app\.sock \{\nflush_interval 1ms\ntransport fastcgi \{/);
    // the whole path is to be PATH_INFO, and a reply may take its time
    expect(lines).not.toMatch(/split|php|read_timeout|header_up|transport http|handle|file|root/);
  });

  it('passes HTTP on, without what a client must not say', () => {
    const lines = settings(caddyConfig('http', tcp(8080, '::1')));
    expect(lines).toEqual(
      expect.arrayContaining([
        ...['reverse_proxy [::1]:8080 {', 'flush_interval 1ms', 'header_up -Forwarded', 'header_up -Proxy'],
        ...['transport http {', 'keepalive 60s', 'compression off'],
      ]),
    );
    expect(lines.join('\n')).not.toMatch(/fastcgi|basicauth|capture/);
  });

  it.each([
    [undefined, ':80 {'],
    ['www.example.org', 'www.example.org {'],
    ['www.example.org:8080', 'http://www.example.org:8080 {'],
    ['*.example.org', 'http://*.example.org {'],
    ['.example.org:81', 'http://example.org:81, http://*.example.org:81 {'],
    ['example.*', 'http://example.* {'],
  ])('is there for %s, with a certificate for a plain name alone', (serverName, line) => {
    expect(site(serverName)).toBe(line);
  });

  it('serves files first, which are no folders', () => {
    const lines = settings(caddyConfig('fastcgi', tcp(9000), { root: '/srv/a "b"' }));
    expect(lines.slice(1, 12)).toEqual([
      'root * "/srv/a \\"b\\""',
      ...['@file {', 'file', 'not path */', '}'],
      ...['handle @file {', 'file_server', '}'],
      ...['handle {', 'reverse_proxy 127.0.0.1:9000 {', 'flush_interval 1ms'],
    ]);
  });

  it('is indented with tabs, or Caddy warns', () => {
    expect(caddyConfig('fastcgi', tcp(9000), { root: '/srv' })).not.toMatch(/^ /m);
  });

  it('quotes an odd socket', () => {
    const lines = settings(caddyConfig('fastcgi', unix('/run/a "b";c.sock')));
    expect(lines).toContain('reverse_proxy "unix//run/a \\"b\\";c.sock" {');
  });

  it.each([
    ['scgi', tcp(9000), {}, 'Caddy does not speak scgi: use fastcgi or http'],
    ['uwsgi', tcp(9000), {}, 'Caddy does not speak uwsgi: use fastcgi or http'],
    ['ajp', tcp(8009), {}, 'Caddy does not speak AJP, Apache and lighttpd do: take one of them, or fastcgi or http'],
    ['fastcgi', tcp(0), {}, 'port 0 is any free port, which Caddy cannot know'],
    ['fastcgi', unix('/run/{env.HOME}.sock'), {}, 'Caddy has no way to write \\, { or a control character'],
    ['fastcgi', unix('/run/a\\.sock'), {}, 'Caddy has no way to write \\, {'],
    ['fastcgi', unix('/run/a:///b.sock'), {}, 'Caddy has no way to write ://'],
    ['fastcgi', tcp(9000), { root: '/srv/{a}' }, '--root "/srv/{a}": Caddy has no way to write'],
  ])('refuses %s %j with %j', (protocol, target, options, message) => {
    expect(() => caddyConfig(protocol, target, options)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining(message) }),
    );
  });
});
