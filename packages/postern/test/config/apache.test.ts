import { describe, expect, it } from '@jest/globals';
import { type ApacheOptions, apacheConfig } from '../../src/config/apache.ts';
import { inherited, settings, tcp, unix } from './targets.ts';

function proxyPass(protocol: string, target = tcp(9000), options?: ApacheOptions): string | undefined {
  return settings(apacheConfig(protocol, target, options)).find((line) => line.startsWith('ProxyPass'));
}

function modules(text: string): string[] {
  return [...text.matchAll(/LoadModule (\S+)_module/g)].map((match) => match[1]);
}

describe('apacheConfig', () => {
  it.each([
    ['fastcgi', '"fcgi://127.0.0.1:9000/" flushpackets=on'],
    ['scgi', '"scgi://127.0.0.1:9000/" flushpackets=on'],
    ['ajp', '"ajp://127.0.0.1:9000/" flushpackets=on nocanon ttl=60'],
    ['uwsgi', '"uwsgi://127.0.0.1:9000/" flushpackets=on'],
    ['http', '"http://127.0.0.1:9000/" flushpackets=on nocanon ttl=60 upgrade=websocket'],
  ])('passes %s on', (protocol, rest) => {
    expect(proxyPass(protocol)).toBe(`ProxyPass "/" ${rest}`);
    expect(proxyPass(protocol, unix('/run/app.sock'))).toBe(
      `ProxyPass "/" ${rest.replace(/"(\w+):.*?"/, '"unix:/run/app.sock|$1://localhost/"')}`,
    );
  });

  it('loads the modules that it needs, and no others', () => {
    expect(modules(apacheConfig('fastcgi', tcp(9000)))).toEqual(['proxy', 'proxy_fcgi']);
    expect(modules(apacheConfig('ajp', tcp(9000)))).toEqual(['proxy', 'proxy_ajp', 'headers']);
    expect(modules(apacheConfig('http', tcp(9000)))).toEqual(['proxy', 'proxy_http', 'headers']);
    expect(modules(apacheConfig('uwsgi', tcp(9000), { root: '/srv' }))).toEqual([
      ...['proxy', 'proxy_uwsgi', 'authz_core', 'rewrite', 'mime'],
    ]);
  });

  it('has nothing in it that does not belong to the protocol', () => {
    const lines = (protocol: string) => settings(apacheConfig(protocol, tcp(9000))).join('\n');
    expect(lines('fastcgi')).toMatch(/CGIPassAuth On.*ProxyFCGIBackendType GENERIC/s);
    expect(lines('fastcgi')).not.toMatch(/RequestHeader|Rewrite|DocumentRoot|Listen|ServerName|undefined/);
    expect(lines('scgi')).toContain('CGIPassAuth On');
    expect(lines('scgi')).not.toMatch(/FCGI|RequestHeader/);
    expect(lines('ajp')).toContain('RequestHeader unset Proxy early');
    expect(lines('ajp')).not.toMatch(/CGI|Location|Forwarded/);
    expect(lines('uwsgi')).not.toMatch(/CGI|Location|RequestHeader/);
    expect(lines('http')).toMatch(/ProxyPreserveHost On.*unset X-Forwarded-For early/s);
  });

  it('listens on a port of its own once', () => {
    const text = apacheConfig('scgi', tcp(9000), { serverName: 'a.example:8081' });
    expect(settings(text)).toEqual(
      expect.arrayContaining([
        ...['<IfDefine !POSTERN_LISTEN_8081>', 'Define POSTERN_LISTEN_8081', 'Listen 8081', '</IfDefine>'],
        ...['<VirtualHost *:8081>', 'ServerName a.example'],
      ]),
    );
    expect(settings(apacheConfig('scgi', tcp(9000)))).toContain('<VirtualHost *:80>');
  });

  it.each([
    ['*.example.org', 'ServerName any.example.org', 'ServerAlias *.example.org'],
    ['.example.org', 'ServerName example.org', 'ServerAlias *.example.org'],
    ['example.*', 'ServerName example.any', 'ServerAlias example.*'],
  ])('writes %s as a name and a wildcard', (serverName, name, alias) => {
    const lines = settings(apacheConfig('scgi', tcp(9000), { serverName }));
    expect(lines).toEqual(expect.arrayContaining([name, alias]));
  });

  it('leaves files to Apache', () => {
    const lines = settings(apacheConfig('fastcgi', tcp(9000), { root: '/srv/a "b" %{c} $d' }));
    expect(lines).toEqual(
      expect.arrayContaining([
        'DocumentRoot "/srv/a \\"b\\" %{c} $d"',
        '<Directory "/srv/a \\"b\\" %{c} $d">',
        'RewriteCond "%{DOCUMENT_ROOT}%{REQUEST_URI}" -f',
        'RewriteRule "^" "-" [E=no-proxy]',
      ]),
    );
  });

  it('quotes odd sockets', () => {
    expect(proxyPass('scgi', unix('/run/a "b"\\ $c %d.sock'))).toContain(
      '"unix:/run/a \\"b\\"\\\\ $c %d.sock|scgi://localhost/"',
    );
  });

  it('speaks of the secret where the app asks for one, and never prints it', () => {
    expect(apacheConfig('ajp', tcp(8009))).not.toContain('secret=');
    expect(apacheConfig('ajp', tcp(8009, '10.0.0.5'))).toContain('add secret=WORD');
    const text = apacheConfig('ajp', unix('/run/a.sock'), { peer: { secret: 'hidden' } });
    expect(text).toContain('add secret=WORD');
    expect(text).not.toContain('hidden');
  });

  it('takes the packet size of the app over', () => {
    const of = (packetSize?: number) => settings(apacheConfig('ajp', tcp(8009), { peer: { packetSize } })).join('\n');
    expect(of(16_384)).toContain('ProxyIOBufferSize 16384');
    expect(of()).not.toContain('ProxyIOBufferSize');
    expect(() => of(10_000)).toThrow('packet-size=10000: Apache takes whole kilobytes only');
  });

  it.each(['fcgi', 'apache:fcgi', 'mod_proxy_fcgi', 'fastcgi'])('takes the module %s for FastCGI', (module) => {
    expect(apacheConfig('fastcgi', tcp(9000), { module })).toBe(apacheConfig('fastcgi', tcp(9000)));
  });

  it('lets mod_fcgid start a program', () => {
    const text = apacheConfig('fastcgi', inherited, { program: '/srv/app/app.fcgi', module: 'fcgid' });
    expect(text).toBe(apacheConfig('fastcgi', inherited, { program: '/srv/app/app.fcgi' }));
    expect(modules(text)).toEqual(['authz_core', 'alias', 'fcgid']);
    expect(settings(text)).toEqual(
      expect.arrayContaining([
        ...['Alias "/" "/srv/app/app.fcgi/"', '<Directory "/srv/app">', '<Files "app.fcgi">', 'Options +ExecCGI'],
        ...['CGIPassAuth On', 'FcgidMaxRequestLen 1073741824', 'FcgidOutputBufferSize 0', 'FcgidIOTimeout 60'],
      ]),
    );
    expect(text).not.toMatch(/ProxyPass|Rewrite|undefined/);
    const withFiles = apacheConfig('fastcgi', inherited, { program: '/app.fcgi', root: '/srv' });
    expect(settings(withFiles)).toEqual(
      expect.arrayContaining(['<Directory "/">', 'RewriteRule "^(.*)$" "%{DOCUMENT_ROOT}$1" [L]']),
    );
  });

  it('lets mod_authnz_fcgi ask an authorizer', () => {
    const text = apacheConfig('fastcgi', tcp(9000, '::1'), { role: 'authorizer', root: '/srv' });
    expect(text).toBe(apacheConfig('fastcgi', tcp(9000, '::1'), { module: 'authnz_fcgi', root: '/srv' }));
    expect(modules(text)).toEqual(expect.arrayContaining(['authz_user', 'authnz_fcgi']));
    const lines = settings(text).join('\n');
    expect(lines).toMatch(
      /AuthnzFcgiDefineProvider authnz (\S+) fcgi:\/\/\[::1\]:9000\/\n(?:.*\n)*AuthnzFcgiCheckAuthnProvider \1 /,
    );
    expect(lines).toContain('DocumentRoot "/srv"');
    expect(lines).not.toMatch(/ProxyPass|Rewrite|AuthBasicProvider|undefined/);
  });

  it('says what kept connections and uploads are, without doing it', () => {
    const text = apacheConfig('fastcgi', tcp(9000));
    expect(text).toContain('enablereuse=on ttl=60');
    expect(text).toContain('#SetEnv proxy-sendcl 1');
    expect(settings(text).join('\n')).not.toMatch(/enablereuse|sendcl/);
  });

  it.each([
    [
      'fastcgi',
      unix('/run/a.sock'),
      { role: 'authorizer' as const },
      '--listen fastcgi+unix:/run/a.sock: mod_authnz_fcgi cannot connect to a unix socket: let the authorizer listen on',
    ],
    ['fastcgi', inherited, {}, 'Apache starts the app itself there: name its executable file with --program FILE'],
    ['fastcgi', inherited, { role: 'authorizer' as const }, 'Apache cannot connect to an inherited descriptor'],
    ['fastcgi', inherited, { module: 'fcgi', program: '/a' }, '--module fcgi: it is not for fastcgi+fd:0: write fcgid'],
    ['fastcgi', tcp(9000), { module: 'fcgid' }, '--module fcgid: it starts the app itself, and this one listens on'],
    ['fastcgi', tcp(9000), { program: '/srv/a' }, 'the app listens there by itself: leave --program out'],
    [
      'fastcgi',
      inherited,
      { program: '/srv/a b' },
      '--program "/srv/a b": Apache has no way to write *, ?, [, ], a blank',
    ],
    [
      'fastcgi',
      tcp(9000),
      { module: 'fcgi', role: 'authorizer' as const },
      '--module fcgi: it is not for --role authorizer: write authnz_fcgi',
    ],
    [
      'fastcgi',
      tcp(9000),
      { module: 'authnz_fcgi', role: 'responder' as const },
      '--module authnz_fcgi: it asks an authorizer, and --role says responder: leave one of them out',
    ],
    [
      'ajp',
      tcp(9000),
      { module: 'authnz_fcgi' },
      '--module authnz_fcgi: it speaks fastcgi, and the app listens on ajp',
    ],
    [
      'scgi',
      tcp(9000),
      { module: 'fcgi' },
      '--module fcgi: it speaks fastcgi, and the app listens on scgi://127.0.0.1',
    ],
    ['ajp', tcp(9000), { module: 'apache:uwsgi' }, '--module apache:uwsgi: it speaks uwsgi'],
    ['ajp', tcp(9000), { module: 'jk' }, '--module jk: there is no such module: write one of fcgi, scgi, ajp, uwsgi'],
    ['ajp', tcp(9000), { module: 'toString' }, '--module toString: there is no such module'],
    ['ajp', tcp(9000), { module: 'a\n"' }, '--module "a\\x0a\\x22": there is no such module'],
    ['scgi', unix('/run/a#b.sock'), {}, '--listen "/run/a#b.sock": Apache has no way to write #, ? or |'],
    ['scgi', unix('/run/a|b.sock'), {}, 'no way to write #, ? or |'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as Apache writes a variable
    ['scgi', unix('/run/${a}.sock'), {}, 'no way to write ${'],
    ['scgi', tcp(9000), { root: '/srv/[a]' }, '--root "/srv/[a]": Apache has no way to write *, ?, [ or ]'],
  ])('refuses %s %j with %j', (protocol, target, options, message) => {
    expect(() => apacheConfig(protocol, target, options)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining(message) }),
    );
  });
});
