import { describe, expect, it } from '@jest/globals';
import { nginxConfig } from '../../src/config/nginx.ts';
import { settings, tcp, unix } from './targets.ts';

describe('nginxConfig', () => {
  it('has nothing in it that does not belong to FastCGI', () => {
    const text = nginxConfig('fastcgi', unix('/run/app.sock'));
    expect(text).toContain('server unix:/run/app.sock;');
    expect(text).toContain('keepalive 16;');
    expect(text).toContain('fastcgi_keep_conn on;');
    expect(text).not.toMatch(/scgi_|uwsgi|proxy_|include|try_files|root |undefined/);
  });

  it('has nothing in it that does not belong to SCGI', () => {
    const text = nginxConfig('scgi', tcp(9000), { root: '/srv/www' });
    expect(text).toContain('scgi_param SCGI');
    expect(text).toContain('try_files $uri @app;');
    expect(text).toContain('root /srv/www;');
    expect(text).not.toMatch(/fastcgi|uwsgi|proxy_|keepalive |keep_conn|param CONTENT_LENGTH/);
  });

  it('lists all variables for uwsgi, because the file of the distribution loses the port of Host', () => {
    const text = nginxConfig('uwsgi', tcp(9000));
    const names = [...text.matchAll(/^ *uwsgi_param (\S+)/gm)].map((match) => match[1]);
    expect(names).toEqual([
      ...['REQUEST_METHOD', 'REQUEST_URI', 'SCRIPT_NAME', 'PATH_INFO', 'QUERY_STRING', 'SERVER_PROTOCOL'],
      ...['CONTENT_TYPE', 'CONTENT_LENGTH', 'REQUEST_SCHEME', 'HTTPS', 'SERVER_NAME', 'SERVER_ADDR', 'SERVER_PORT'],
      ...['REMOTE_ADDR', 'REMOTE_PORT', 'GATEWAY_INTERFACE', 'SERVER_SOFTWARE', 'HTTP_HOST', 'HTTP_PROXY'],
    ]);
    expect(text).toContain('uwsgi_pass postern_uwsgi_127_0_0_1_9000;');
    expect(text).not.toMatch(/fastcgi|scgi_|include|SCGI|keepalive /);
  });

  it('passes HTTP on with its host, and with what nginx knows of the client', () => {
    const lines = settings(nginxConfig('http', tcp(8080)));
    expect(lines).toEqual(
      expect.arrayContaining([
        'proxy_pass http://postern_http_127_0_0_1_8080;',
        'keepalive 16;',
        'proxy_http_version 1.1;',
        'proxy_set_header Connection        $postern_connection;',
        'proxy_set_header Upgrade           $postern_upgrade;',
        'proxy_set_header Host              $postern_proxy_host;',
        'proxy_set_header X-Forwarded-For   $remote_addr;',
        'proxy_set_header Proxy             "";',
      ]),
    );
    expect(lines.join('\n')).not.toMatch(/_param|cgi/);
  });

  it('listens on the port of the server name', () => {
    expect(settings(nginxConfig('scgi', tcp(9000), { serverName: 'a.example:8081' }))).toEqual(
      expect.arrayContaining(['listen 8081;', 'server_name a.example;']),
    );
    expect(settings(nginxConfig('scgi', tcp(9000)))).toEqual(expect.arrayContaining(['listen 80;', 'server_name _;']));
  });

  it('names the upstream by site and app, so that an app may be behind two sites', () => {
    const of = (serverName: string) => nginxConfig('scgi', tcp(9000), { serverName });
    expect(of('a.example')).toContain('upstream postern_scgi_127_0_0_1_9000_a_example {');
    expect(of('a.example:81')).toContain('upstream postern_scgi_127_0_0_1_9000_a_example_81 {');
  });

  it('quotes odd paths', () => {
    const text = nginxConfig('fastcgi', unix('/run/a "b";.sock'), { root: '/srv/50% #1' });
    expect(text).toContain('server "unix:/run/a \\"b\\";.sock";');
    expect(text).toContain('root "/srv/50% #1";');
  });

  it.each([
    ['ajp', tcp(8009), {}, 'nginx does not speak AJP, Apache and lighttpd do'],
    ['fastcgi', unix('/run/$app.sock'), {}, '--listen "/run/$app.sock": nginx has no way to write $'],
    ['fastcgi', tcp(9000), { root: '/srv/$a' }, '--root "/srv/$a"'],
    ['fastcgi', tcp(9000), { serverName: 'a b' }, '--server-name "a b"'],
  ])('refuses %s %j with %j', (protocol, target, options, message) => {
    expect(() => nginxConfig(protocol, target, options)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining(message) }),
    );
  });
});
