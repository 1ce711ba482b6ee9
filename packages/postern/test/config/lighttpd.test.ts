import { describe, expect, it } from '@jest/globals';
import { lighttpdConfig } from '../../src/config/lighttpd.ts';
import { inherited, settings, tcp, unix } from './targets.ts';

const host = ['"host" => "127.0.0.1",', '"port" => 9000,'];

describe('lighttpdConfig', () => {
  it.each([
    ['fastcgi', ['fastcgi.server = ( "/" => ((', ...host, '"check-local" => "disable",']],
    ['scgi', ['scgi.server = ( "/" => ((', ...host, '"fix-root-scriptname" => "enable"']],
    ['uwsgi', ['scgi.protocol = "uwsgi"', 'scgi.server = ( "/" => ((', ...host]],
    ['ajp', ['ajp13.server = ( "" => ((', ...host, '"check-local" => "disable"']],
    ['http', ['proxy.server = ( "" => ((', ...host]],
  ])('passes %s on', (protocol, expected) => {
    expect(settings(lighttpdConfig(protocol, tcp(9000)))).toEqual(expect.arrayContaining(expected));
    expect(settings(lighttpdConfig(protocol, unix('/run/a.sock')))).toContain('"socket" => "/run/a.sock",');
  });

  it('has nothing in it that does not belong to the protocol', () => {
    const lines = (protocol: string) => settings(lighttpdConfig(protocol, tcp(9000))).join('\n');
    expect(lines('fastcgi')).toContain('server.modules += ( "mod_fastcgi" )');
    expect(lines('fastcgi')).not.toMatch(
      /scgi\.|ajp|proxy|setenv|rewrite|document-root|SERVER\[|HTTP\["host"|undefined/,
    );
    expect(lines('scgi')).not.toMatch(/scgi\.protocol|fastcgi|setenv/);
    expect(lines('ajp')).toMatch(/"mod_ajp13", "mod_setenv".*"Proxy" => "".*server\.stream-request-body = 0/s);
    expect(lines('ajp')).not.toContain('fix-root-scriptname');
    expect(lines('http')).toContain('"X-Forwarded-For" => ""');
  });

  it('says how the app must listen for AJP', () => {
    expect(lighttpdConfig('ajp', tcp(8009))).toContain('listens on ajp://127.0.0.1:8009?peer=lighttpd\n');
    expect(lighttpdConfig('scgi', tcp(8009))).not.toContain('peer=');
    expect(lighttpdConfig('ajp', tcp(8009))).not.toContain('AJP13_SECRET');
    expect(lighttpdConfig('ajp', tcp(8009, '10.0.0.5'))).toContain('#setenv.set-environment = ( "AJP13_SECRET"');
    const text = lighttpdConfig('ajp', unix('/a'), { peer: { secret: 'hidden' } });
    expect(text).toContain('"AJP13_SECRET" => "WORD"');
    expect(text).not.toContain('hidden');
  });

  it.each([
    [undefined, ['$HTTP["url"] =~ "^/" {']],
    ['www.example.org', ['$HTTP["host"] == "www.example.org" {']],
    ['www.example.org:8080', ['$SERVER["socket"] == ":8080" {', '$HTTP["host"] == "www.example.org" {']],
    ['*.example.org', ['$HTTP["host"] =~ "^[^:]*\\.example\\.org(:[0-9]+)?$" {']],
    ['.example.org', ['$HTTP["host"] =~ "^([^:]*\\.)?example\\.org(:[0-9]+)?$" {']],
    ['example.*', ['$HTTP["host"] =~ "^example\\.[^:]*(:[0-9]+)?$" {']],
  ])('is there for %s', (serverName, conditions) => {
    const lines = settings(lighttpdConfig('scgi', tcp(9000), { serverName }));
    expect(lines.filter((line) => line.startsWith('$'))).toEqual(conditions);
  });

  it('leaves files to lighttpd, and leads the rest to the app by a header', () => {
    const lines = settings(lighttpdConfig('scgi', tcp(9000), { root: '/srv/a "b" $c %d' }));
    expect(lines).toContain('server.modules += ( "mod_scgi", "mod_rewrite", "mod_setenv" )');
    expect(lines).toContain('server.document-root = "/srv/a \\"b\\" $c %d"');
    expect(lines).toContain('setenv.set-request-header = ( "X-Postern-File" => "none" )');
    const block = lines.indexOf('$REQUEST_HEADER["X-Postern-File"] == "none" {');
    expect(lines.slice(block + 1, block + 3)).toEqual(['server.stream-response-body = 1', 'scgi.server = ( "/" => ((']);
  });

  it('starts a program', () => {
    const lines = settings(lighttpdConfig('fastcgi', inherited, { program: '/srv/my app.d/../app.fcgi' }));
    const at = lines.indexOf('fastcgi.server = ( "/" => ((');
    expect(lines.slice(at + 1, at + 6)).toEqual([
      '"bin-path" => "/srv/app.fcgi",',
      '"socket" => "/run/lighttpd/postern-app-fcgi.socket",',
      '"max-procs" => 1,',
      '"check-local" => "disable",',
      '"fix-root-scriptname" => "enable"',
    ]);
  });

  it('asks an authorizer, and serves files to whom it lets through', () => {
    const lines = settings(lighttpdConfig('fastcgi', unix('/a.sock'), { role: 'authorizer', root: '/srv' }));
    expect(lines).toEqual(
      expect.arrayContaining(['server.document-root = "/srv"', '"socket" => "/a.sock",', '"mode" => "authorizer",']),
    );
    expect(lines.join('\n')).not.toMatch(/rewrite|setenv|X-Postern-File/);
    const started = lighttpdConfig('fastcgi', inherited, { role: 'authorizer', program: '/srv/a.fcgi' });
    expect(started).toMatch(/"bin-path" => "\/srv\/a.fcgi",\n(?:.*\n)*.*"mode" => "authorizer"/);
  });

  it.each([
    [
      'fastcgi',
      inherited,
      { program: '/srv/a b.fcgi' },
      '--program "/srv/a b.fcgi": lighttpd has no way to write a blank',
    ],
    ['fastcgi', inherited, {}, 'name its executable file with --program FILE'],
    ['scgi', unix('/run/a\\b.sock'), {}, 'lighttpd has no way to write \\'],
    ['scgi', tcp(9000), { root: '/srv/a\\' }, 'lighttpd has no way to write \\'],
    ['gopher', tcp(9000), {}, 'lighttpd does not speak gopher: use fastcgi, scgi, ajp, uwsgi or http'],
  ])('refuses %s %j with %j', (protocol, target, options, message) => {
    expect(() => lighttpdConfig(protocol, target, options)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining(message) }),
    );
  });
});
