import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '@postern/core';
import { allowList, isAllowed, isLoopback } from '../src/allow.ts';

describe('isLoopback', () => {
  it.each(['127.0.0.1', '127.255.255.254', '::1', 'localhost'])('knows %s', (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  it.each([
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '128.0.0.1',
    '127.1',
    '127.0.0.256',
    '127.0.0.1.example.test',
    '',
    '::ffff:1.2.3.4',
  ])('does not take %s for it', (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});

describe('allowList', () => {
  it.each([
    ['10.0.0.0/8', '10.255.0.1', '11.0.0.1'],
    ['192.0.2.7', '192.0.2.7', '192.0.2.8'],
    ['192.0.2.7/32', '192.0.2.7', '192.0.2.6'],
    ['2001:db8::/32', '2001:db8:ffff::1', '2001:db9::1'],
    ['::1', '::1', '::2'],
    ['fe80::/10', 'fe80::1%eth0', '2001::1'],
  ])('%s lets %s in and %s not', (entry, inside, outside) => {
    const list = allowList([entry]);
    expect(isAllowed(list, inside)).toBe(true);
    expect(isAllowed(list, outside)).toBe(false);
  });

  it('takes several networks of both families', () => {
    const list = allowList(['10.0.0.0/8', '::1']);
    expect(['10.1.1.1', '::1', '127.0.0.1', '::2'].map((address) => isAllowed(list, address))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('looks an IPv4 peer of a dual-stack socket up by its IPv4 address', () => {
    const list = allowList(['10.0.0.0/8']);
    expect(isAllowed(list, '::ffff:10.1.1.1')).toBe(true);
    expect(isAllowed(list, '::ffff:11.1.1.1')).toBe(false);
  });

  it('lets in everybody of a family with a prefix of 0', () => {
    expect(isAllowed(allowList(['0.0.0.0/0']), '203.0.113.9')).toBe(true);
    expect(isAllowed(allowList(['0.0.0.0/0']), '::1')).toBe(false);
  });

  it('lets nobody in whose address is not known, or no address', () => {
    const list = allowList(['0.0.0.0/0', '::/0']);
    expect(isAllowed(list, undefined)).toBe(false);
    expect(isAllowed(list, 'unix')).toBe(false);
  });

  it.each([
    '',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0/8',
    'all',
    '10.0.0.0/-1',
    '10.0.0.0/0x8',
    '10.0.0.0/8.5',
    '10.0.0.0/ 8',
    'fe80::1%eth0',
  ])('refuses "%s" with ERR_ADDRESS', (entry) => {
    expect(() => allowList([entry])).toThrow(
      expect.objectContaining({
        constructor: ConfigError,
        code: 'ERR_ADDRESS',
        message: expect.stringContaining(`allow=${entry}`),
      }),
    );
  });
});
