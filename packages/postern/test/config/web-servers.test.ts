import { describe, expect, it } from '@jest/globals';
import { apacheConfig } from '../../src/config/apache.ts';
import { webServerConfig, webServerNames } from '../../src/config/web-servers.ts';
import { tcp } from './targets.ts';

const address = { protocol: 'fastcgi', target: tcp(9000), peer: {}, text: 'fastcgi://127.0.0.1:9000' };

describe('webServerConfig', () => {
  it.each(webServerNames)('of %s is one complete text', (server) => {
    const text = webServerConfig(server, address, {});
    expect(text).toMatch(
      /^# (?:nginx|Apache|lighttpd|Caddy|HAProxy) in front of an app that listens on fastcgi:\/\/127\.0\.0\.1:9000\n/,
    );
    expect(text).toMatch(/[^\n]\n$/);
    expect(text).not.toMatch(/undefined|\[object|\n\n\n|[ \t]\n/);
  });

  it('takes the module for Apache alone', () => {
    expect(webServerConfig('apache', address, { module: 'fcgi' })).toBe(apacheConfig('fastcgi', tcp(9000)));
    expect(() => webServerConfig('nginx', address, { module: 'fcgi' })).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining('leave it out for nginx') }),
    );
  });

  it.each(['nginx', 'caddy', 'haproxy'] as const)('%s starts no apps and asks no authorizers', (server) => {
    expect(() => webServerConfig(server, address, { program: '/srv/app.fcgi' })).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining(`${server} starts no apps`) }),
    );
    expect(() => webServerConfig(server, address, { role: 'authorizer' })).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining('asks no FastCGI authorizers') }),
    );
    expect(webServerConfig(server, address, { role: 'responder' })).toBe(webServerConfig(server, address, {}));
  });

  it.each(['apache', 'lighttpd'] as const)('%s has authorizers over FastCGI alone', (server) => {
    const scgi = { ...address, protocol: 'scgi', text: 'scgi://127.0.0.1:9000' };
    expect(() => webServerConfig(server, scgi, { role: 'authorizer' })).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining('only FastCGI has authorizers') }),
    );
  });

  it.each(webServerNames)('of %s asks an address with auto over FastCGI', (server) => {
    const auto = { ...address, protocol: 'auto', text: 'auto://127.0.0.1:9000' };
    expect(webServerConfig(server, auto, {})).toBe(
      webServerConfig(server, address, {}).replace('fastcgi://127.0.0.1:9000', 'auto://127.0.0.1:9000, over fastcgi'),
    );
  });

  it('of apache asks an address with auto as the module does', () => {
    const auto = { ...address, protocol: 'auto', text: 'auto://127.0.0.1:9000' };
    for (const module of ['ajp', 'mod_proxy_uwsgi', 'apache:scgi', 'http']) {
      const protocol = module.replace(/^.*[_:]/, '');
      expect(webServerConfig('apache', auto, { module })).toContain(`on auto://127.0.0.1:9000, over ${protocol}\n`);
      expect(webServerConfig('apache', auto, { module })).toContain(`${protocol}://127.0.0.1:9000`);
    }
    expect(() => webServerConfig('apache', auto, { module: 'php' })).toThrow(
      expect.objectContaining({ message: expect.stringContaining('there is no such module') }),
    );
  });

  it('refuses an app that expects another web server', () => {
    webServerConfig('lighttpd', { ...address, peer: { peer: 'lighttpd' } }, {});
    webServerConfig('lighttpd', { ...address, peer: { peer: 'none' } }, {});
    expect(() => webServerConfig('lighttpd', { ...address, peer: { peer: 'nginx' } }, {})).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining('the app expects nginx there') }),
    );
  });
});
