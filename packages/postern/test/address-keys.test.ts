import { describe, expect, it } from '@jest/globals';
import type { PosternError } from '@postern/core';
import { parseAddress } from '../src/address.ts';
import { checkPeer } from '../src/address-keys.ts';

function failure(text: string): PosternError {
  try {
    parseAddress(text, 'listen');
  } catch (error) {
    return error as PosternError;
  }
  throw new Error(`${text} was taken`);
}

describe('the query of an address', () => {
  it('sets mode, owner, group and backlog of a unix socket', () => {
    const { target } = parseAddress('fastcgi+unix:/run/a?mode=0660&owner=app&group=www-data&backlog=128', 'listen');
    expect(target).toEqual({
      transport: 'unix',
      path: '/run/a',
      mode: 0o660,
      owner: 'app',
      group: 'www-data',
      backlog: 128,
    });
  });

  it('takes a mode without its leading zero, and owners by number', () => {
    const { target } = parseAddress('fastcgi+unix:/run/a?mode=600&owner=1000&group=33', 'listen');
    expect(target).toMatchObject({ mode: 0o600, owner: '1000', group: '33' });
  });

  it('names the networks that may connect', () => {
    const { target } = parseAddress('fastcgi://0.0.0.0:9000?allow=10.0.0.0/8,2001:db8::/32,192.0.2.1', 'listen');
    expect(target).toMatchObject({ allow: ['10.0.0.0/8', '2001:db8::/32', '192.0.2.1'] });
  });

  it('tells of the peer', () => {
    const { peer } = parseAddress('ajp+unix:/run/a?peer=lighttpd&half-close=serve', 'listen');
    expect(peer).toEqual({ peer: 'lighttpd', halfCloseServes: true });
    expect(parseAddress('ajp+unix:/run/a', 'listen').peer).toEqual({});
  });

  it.each([
    [
      'fastcgi://127.0.0.1:1?color=red',
      'ERR_ADDRESS_KEY',
      'there is no such key: allowed here: allow, peer, half-close',
    ],
    ['fastcgi://127.0.0.1:1?mode=0660', 'ERR_ADDRESS_KEY', 'it has no meaning over tcp: allowed here: allow'],
    ['fastcgi+unix:/a?allow=10.0.0.0/8', 'ERR_ADDRESS_KEY', 'it has no meaning over unix: allowed here: mode, owner'],
    ['fastcgi+fd:0?backlog=5', 'ERR_ADDRESS_KEY', 'over fd: allowed here: peer, half-close'],
    ['fastcgi+unix:/a?Mode=0660', 'ERR_ADDRESS_KEY', 'query key "Mode"'],
    ['fastcgi+unix:/a?mode=0660&mode=0600', 'ERR_ADDRESS_KEY', 'it comes twice'],
    ['fastcgi+unix:/a?toString=1', 'ERR_ADDRESS_KEY', 'query key "toString"'],
    ['fastcgi+unix:/a?mode=0o660', 'ERR_ADDRESS', 'mode="0o660"'],
    ['fastcgi+unix:/a?mode=4755', 'ERR_ADDRESS', 'mode="4755"'],
    ['fastcgi+unix:/a?mode=689', 'ERR_ADDRESS', 'mode="689"'],
    ['fastcgi+unix:/a?mode=', 'ERR_ADDRESS', 'mode=""'],
    ['fastcgi+unix:/a?owner=', 'ERR_ADDRESS', 'owner=""'],
    ['fastcgi+unix:/a?group=a:b', 'ERR_ADDRESS', 'group="a:b"'],
    ['fastcgi+unix:/a?backlog=0', 'ERR_ADDRESS', 'backlog="0"'],
    ['fastcgi+unix:/a?backlog=65536', 'ERR_ADDRESS', 'backlog="65536"'],
    ['fastcgi://127.0.0.1:1?allow=', 'ERR_ADDRESS', 'allow=""'],
    ['fastcgi://127.0.0.1:1?allow=10.0.0.0/33', 'ERR_ADDRESS', 'write a network such as 192.0.2.0/24'],
    ['fastcgi://127.0.0.1:1?allow=example.org', 'ERR_ADDRESS', 'allow="example.org"'],
    ['fastcgi://127.0.0.1:1?allow=10.0.0.0/8,', 'ERR_ADDRESS', 'allow="10.0.0.0/8,"'],
    ['fastcgi://127.0.0.1:1?peer=iis', 'ERR_ADDRESS', 'write one of nginx, apache, lighttpd, caddy, haproxy, none'],
    ['fastcgi://127.0.0.1:1?half-close=abort', 'ERR_ADDRESS', 'write half-close=serve'],
    ['ajp://127.0.0.1:1?secret-file=/etc/secret', 'ERR_NOT_BUILT', 'query key "secret-file"'],
    ['ajp://127.0.0.1:1?trust-remote-user', 'ERR_NOT_BUILT', 'query key "trust-remote-user"'],
    ['ajp://127.0.0.1:1?attributes=A', 'ERR_NOT_BUILT', 'query key "attributes"'],
    ['ajp://127.0.0.1:1?packet-size=16384', 'ERR_NOT_BUILT', 'query key "packet-size"'],
    ['fastcgi://127.0.0.1:1?strict', 'ERR_NOT_BUILT', 'query key "strict"'],
    ['fastcgi://127.0.0.1:1?cert=/a', 'ERR_NOT_BUILT', 'query key "cert"'],
    ['fastcgi://127.0.0.1:1?key=/a', 'ERR_NOT_BUILT', 'query key "key"'],
  ])('refuses %s with %s', (text, code, part) => {
    const error = failure(text);
    expect(error.code).toBe(code);
    expect(error.message).toContain(part);
    expect(error.message).toContain(text.slice(0, 10));
  });
});

describe('checkPeer', () => {
  it('refuses a web server that is not known', () => {
    checkPeer('nginx');
    checkPeer(undefined);
    expect(() => checkPeer('iis')).toThrow(/option peer: "iis"/);
  });
});
