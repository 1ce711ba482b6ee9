import { describe, expect, it } from '@jest/globals';
import { upgradeLack } from '../src/upgrade-support.ts';

const carrying = (name: string): { name: string; carriesUpgrade: boolean } => ({ name, carriesUpgrade: true });

describe('upgradeLack', () => {
  it.each([
    ['fastcgi', 'nginx/1.22.1', 'scgi_pass'],
    ['fastcgi', 'Apache/2.4.71 (Debian)', 'upgrade=websocket'],
    ['scgi', 'Apache/2.4.71 (Debian)', 'ProxyPass'],
    ['uwsgi', 'Apache/2.4.71 (Debian)', 'ProxyPass'],
    ['cgi', 'Apache/2.4.71 (Debian)', 'ProxyPass'],
    ['fastcgi', 'lighttpd/1.4.69', '"upgrade" => "enable"'],
    ['scgi', 'lighttpd/1.4.73', '1.4.74'],
    ['fastcgi', 'Caddy/2.6.2', 'transport fastcgi'],
    ['fastcgi', 'HAProxy 2.6.12', 'proto fcgi'],
  ])('names over %s behind %s what is missing: %s', (protocol, software, what) => {
    expect(upgradeLack(carrying(protocol), undefined, software)).toContain(what);
  });

  it.each([
    ['scgi', 'nginx/1.22.1'],
    ['uwsgi', 'nginx/1.22.1'],
    ['fastcgi', 'lighttpd/1.4.74'],
    ['scgi', 'lighttpd/1.4.100'],
    ['fastcgi', 'lighttpd/1.5.0'],
    ['cgi', 'lighttpd/1.4.69'],
    ['fastcgi', 'lighttpd'],
    ['fastcgi', 'somebody/1'],
    ['fastcgi', undefined],
  ])('is none over %s behind %s', (protocol, software) => {
    expect(upgradeLack(carrying(protocol), undefined, software)).toBeUndefined();
  });

  it('goes by the name in the address before SERVER_SOFTWARE, which still tells the version', () => {
    expect(upgradeLack(carrying('fastcgi'), 'nginx', undefined)).toContain('nginx');
    expect(upgradeLack(carrying('fastcgi'), 'none', 'nginx/1.22.1')).toBeUndefined();
    expect(upgradeLack(carrying('fastcgi'), 'lighttpd', 'lighttpd/1.4.69')).toContain('1.4.74');
    expect(upgradeLack(carrying('fastcgi'), 'lighttpd', undefined)).toBeUndefined();
  });

  it('is one of the protocol where that has no upgrade', () => {
    expect(upgradeLack({ name: 'ajp' }, undefined, undefined)).toMatch(/^ajp cannot carry/);
  });
});
