import { afterEach, describe, expect, it } from '@jest/globals';
import { parseAddress } from '../src/address.ts';
import { webServerAddresses } from '../src/web-server-addresses.ts';

afterEach(() => {
  delete process.env.FCGI_WEB_SERVER_ADDRS;
});

describe('FCGI_WEB_SERVER_ADDRS in the environment', () => {
  it('lets nobody else in', () => {
    process.env.FCGI_WEB_SERVER_ADDRS = '192.0.2.1, 2001:db8::1';
    expect(webServerAddresses()).toEqual(['192.0.2.1', '2001:db8::1']);
    expect(parseAddress('fastcgi+fd:0', 'listen').target).toEqual({
      transport: 'fd',
      fd: 0,
      allow: ['192.0.2.1', '2001:db8::1'],
    });
  });

  it('says nothing of other protocols and sockets', () => {
    process.env.FCGI_WEB_SERVER_ADDRS = '192.0.2.1';
    for (const text of ['scgi+fd:0', 'fastcgi://127.0.0.1:0', 'fastcgi+unix:/run/app.sock', 'fastcgi+systemd:'])
      expect(parseAddress(text, 'listen').target).not.toHaveProperty('allow');
  });

  it('is nothing where it is empty or not set', () => {
    expect(webServerAddresses()).toBeUndefined();
    process.env.FCGI_WEB_SERVER_ADDRS = '';
    expect(webServerAddresses()).toBeUndefined();
  });

  it.each(['example.test', '192.0.2.0/24', '192.0.2.1,', 'fe80::1%eth0'])('%s is refused', (text) => {
    process.env.FCGI_WEB_SERVER_ADDRS = text;
    expect(() => parseAddress('fastcgi+fd:0', 'listen')).toThrow(
      expect.objectContaining({
        code: 'ERR_ADDRESS',
        message: expect.stringMatching(/^FCGI_WEB_SERVER_ADDRS .* is no IP/),
      }),
    );
  });
});
