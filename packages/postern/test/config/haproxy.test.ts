import { describe, expect, it } from '@jest/globals';
import { haproxyConfig } from '../../src/config/haproxy.ts';
import { settings, tcp, unix } from './targets.ts';

describe('haproxyConfig', () => {
  it('has an application, a frontend and a backend for FastCGI', () => {
    const lines = settings(haproxyConfig('fastcgi', unix('/run/app.sock'), { serverName: 'www.example.org:8080' }));
    const name = 'postern_fastcgi_unix_run_app_sock_www_example_org_8080';
    expect(lines).toEqual(
      expect.arrayContaining([
        ...['global', 'tune.bufsize 65536', `fcgi-app ${name}`, `frontend ${name}`, `backend ${name}`],
        ...['bind :8080', `use_backend ${name} if { req.hdr(host),host_only -i -m str www.example.org }`],
        ...[`use-fcgi-app ${name}`, 'server app unix@/run/app.sock proto fcgi'],
      ]),
    );
    expect(lines.join('\n')).not.toMatch(/userlist|http_auth|mpxs|X-Forwarded|undefined/);
  });

  it.each(['fastcgi', 'http'])('keeps nothing of a reply back over %s', (protocol) => {
    expect(settings(haproxyConfig(protocol, tcp(9000)))).toContain('option http-no-delay');
  });

  it('gives the app the whole path, Authorization, and no user that nobody checked', () => {
    expect(settings(haproxyConfig('fastcgi', tcp(9000)))).toEqual(
      expect.arrayContaining([
        ...['path-info ^()(/.*)$', 'pass-header Authorization'],
        ...['set-param REMOTE_USER %[var(txn.postern_user)]', 'set-param AUTH_TYPE %[var(txn.postern_auth)]'],
        ...['set-param SERVER_NAME %[req.hdr(host),host_only]', 'set-param REQUEST_SCHEME %[ssl_fc,iif(https,http)]'],
      ]),
    );
  });

  it('passes HTTP on, without what a client must not say', () => {
    const lines = settings(haproxyConfig('http', tcp(8080, '::1')));
    expect(lines).toEqual(
      expect.arrayContaining([
        'http-request set-header X-Forwarded-For %[src]',
        'http-request del-header Forwarded',
        'http-request del-header Proxy',
        'server app [::1]:8080',
      ]),
    );
    expect(lines.join('\n')).not.toMatch(/fcgi|global|set-param/);
  });

  it.each([
    [undefined, 'default_backend postern_http_127_0_0_1_9000'],
    ['*.example.org', 'use_backend NAME if { req.hdr(host),host_only -i -m end .example.org }'],
    [
      '.example.org',
      'use_backend NAME if { req.hdr(host),host_only -i -m str example.org } || { req.hdr(host),host_only -i -m end .example.org }',
    ],
    ['example.*', 'use_backend NAME if { req.hdr(host),host_only -i -m beg example. }'],
  ])('is there for %s', (serverName, line) => {
    const lines = settings(haproxyConfig('http', tcp(9000), { serverName }));
    expect(lines.map((one) => one.replace(/use_backend \S+/, 'use_backend NAME'))).toContain(line);
  });

  it('quotes an odd socket', () => {
    const lines = settings(haproxyConfig('fastcgi', unix('/run/a "b"\\;c.sock')));
    expect(lines).toContain('server app "unix@/run/a \\"b\\"\\\\;c.sock" proto fcgi');
  });

  it.each([
    ['scgi', tcp(9000), {}, 'HAProxy does not speak scgi: use fastcgi or http'],
    ['ajp', tcp(8009), {}, 'HAProxy does not speak AJP, Apache and lighttpd do'],
    ['fastcgi', tcp(9000), { root: '/srv/www' }, '--root "/srv/www": HAProxy serves no files: leave it out'],
    ['fastcgi', unix('/run/$a.sock'), {}, 'HAProxy has no way to write $ or a control character'],
  ])('refuses %s %j with %j', (protocol, target, options, message) => {
    expect(() => haproxyConfig(protocol, target, options)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining(message) }),
    );
  });
});
