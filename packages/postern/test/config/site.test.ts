import { describe, expect, it } from '@jest/globals';
import { formatName, readSite } from '../../src/config/site.ts';

describe('readSite', () => {
  it.each([
    ['www.example.org', { before: '', name: 'www.example.org', after: '' }, undefined],
    ['WWW.Example.org:8080', { before: '', name: 'www.example.org', after: '' }, 8080],
    ['*.example.org:1', { before: '*.', name: 'example.org', after: '' }, 1],
    ['.example.org:65535', { before: '.', name: 'example.org', after: '' }, 65_535],
    ['example.*', { before: '', name: 'example', after: '.*' }, undefined],
    ['127.0.0.1:80', { before: '', name: '127.0.0.1', after: '' }, 80],
  ])('reads %s', (serverName, name, port) => {
    expect(readSite({ serverName })).toEqual({ name, port, root: undefined });
    expect(formatName(readSite({ serverName }).name!)).toBe(serverName.toLowerCase().replace(/:.*/, ''));
  });

  it('needs no name, and makes the folder absolute', () => {
    expect(readSite({ root: '/srv/../srv/www/' })).toEqual({ name: undefined, port: undefined, root: '/srv/www' });
    expect(readSite({ root: 'public' }).root).toBe(`${process.cwd()}/public`);
  });

  it.each([
    ['', 'write a host name'],
    [':8080', 'write a host name'],
    ['a; return 200', '--server-name "a; return 200": write a host name'],
    ['a\nb', '--server-name "a\\x0ab": write a host name'],
    ['bücher.example', 'in ASCII'],
    ['~^.*$', 'write a host name'],
    ['a..b', 'write a host name'],
    ['*.example.*', 'write a host name'],
    ['[::1]:80', 'write a host name'],
    ['a'.repeat(254), 'write a host name'],
    ['a:', 'its port "" must be'],
    ['a:0', 'its port "0" must be a whole number from 1 to 65535'],
    ['a:65536', 'its port "65536"'],
    ['a:80:81', 'its port "80:81"'],
    ['a:8 0', 'its port "8 0"'],
    ['a:443', 'port 443 is for TLS'],
  ])('refuses %j', (serverName, message) => {
    expect(() => readSite({ serverName })).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining(message) }),
    );
  });
});
