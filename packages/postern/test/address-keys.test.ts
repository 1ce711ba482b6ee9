import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PosternError } from '@postern/core';
import { temporaryFolder } from '@postern/testkit';
import { parseAddress } from '../src/address.ts';
import { checkPeer } from '../src/address-keys.ts';

let folder: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder.remove());

/** A file in the folder of the test. */
function file(name: string, content: string | Buffer): string {
  const path = join(folder.path, name);
  writeFileSync(path, content);
  return path;
}

function failure(text: string, use: 'listen' | 'connect' = 'listen'): PosternError {
  try {
    parseAddress(text, use);
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
    ['fastcgi://127.0.0.1:1?secret-file=/etc/secret', 'ERR_ADDRESS_KEY', 'it has no meaning over fastcgi'],
    ['scgi://127.0.0.1:1?trust-remote-user', 'ERR_ADDRESS_KEY', 'it has no meaning over scgi'],
    ['uwsgi://127.0.0.1:1?attributes=A', 'ERR_ADDRESS_KEY', 'it has no meaning over uwsgi'],
    [
      'http://127.0.0.1:1?packet-size=16384',
      'ERR_ADDRESS_KEY',
      'it has no meaning over http: allowed here: allow, peer, half-close',
    ],
    ['http://127.0.0.1:1?strict', 'ERR_ADDRESS_KEY', 'it has no meaning over http'],
    ['fastcgi://127.0.0.1:1?strict', 'ERR_ADDRESS_KEY', 'it has no meaning over fastcgi'],
    ['http://127.0.0.1:1?cert=/a&key=/b', 'ERR_ADDRESS_KEY', 'it has no meaning over http'],
    ['fastcgi://127.0.0.1:1?key=/a', 'ERR_ADDRESS_KEY', 'it has no meaning over fastcgi'],
    [
      'https://127.0.0.1:1',
      'ERR_ADDRESS_KEY',
      '"cert" in address "https://127.0.0.1:1": it is missing: https needs ?cert=',
    ],
    ['https://127.0.0.1:1?cert=/a', 'ERR_ADDRESS_KEY', 'query key "key"'],
    ['https://127.0.0.1:1?cert=&key=/b', 'ERR_ADDRESS', 'cert=""'],
    ['ajp://127.0.0.1:1?packet-size=8191', 'ERR_ADDRESS', 'write a whole number of bytes from 8192 to 65536'],
    ['ajp://127.0.0.1:1?packet-size=65537', 'ERR_ADDRESS', 'packet-size="65537"'],
    ['ajp://127.0.0.1:1?packet-size=16k', 'ERR_ADDRESS', 'packet-size="16k"'],
    ['ajp://127.0.0.1:1?trust-remote-user=no', 'ERR_ADDRESS', 'write trust-remote-user without a value'],
    ['scgi://127.0.0.1:1?strict=0', 'ERR_ADDRESS', 'write strict without a value'],
    ['ajp://127.0.0.1:1?attributes=', 'ERR_ADDRESS', 'attributes=""'],
    ['ajp://127.0.0.1:1?attributes=A,,B', 'ERR_ADDRESS', 'write names with commas between them'],
    ['ajp://127.0.0.1:1?attributes=A%3DB', 'ERR_ADDRESS', 'attributes="A=B"'],
    ['ajp://127.0.0.1:1?secret-file=', 'ERR_ADDRESS', 'secret-file=""'],
    ['ajp://127.0.0.1:1?secret-file=/nowhere/s', 'ERR_SECRET', 'secret-file="/nowhere/s" in address "ajp://127.0'],
  ])('refuses %s with %s', (text, code, part) => {
    const error = failure(text);
    expect(error.code).toBe(code);
    expect(error.message).toContain(part);
    expect(error.message).toContain(text.slice(0, 10));
  });
});

it('takes strict for SCGI, with and without a value', () => {
  for (const text of ['scgi://127.0.0.1:1?strict', 'scgi://127.0.0.1:1?strict=1'])
    expect(parseAddress(text, 'listen').peer).toEqual({ strict: true });
});

it('takes for auto what any of its protocols takes', () => {
  const secret = file('s0', 'word\n');
  const keys = `strict&peer=nginx&half-close=serve&attributes=A&packet-size=16384&trust-remote-user&secret-file=${secret}`;
  expect(parseAddress(`auto://127.0.0.1:1?${keys}`, 'listen').peer).toEqual({
    strict: true,
    peer: 'nginx',
    halfCloseServes: true,
    attributes: ['A'],
    packetSize: 16_384,
    trustRemoteUser: true,
    secret: 'word',
  });
  expect(parseAddress(`auto://0.0.0.0:1?allow=10.0.0.0/8&secret-file=${secret}`, 'listen').target).toMatchObject({
    allow: ['10.0.0.0/8'],
  });
  expect(failure('auto://127.0.0.1:1?cert=/a&key=/b').message).toContain('it has no meaning over auto');
});

describe('the keys of AJP', () => {
  it('end where the protocol reads them', () => {
    const secret = file('s1', 'caf\u00e9 \xff\n');
    const keys = `trust-remote-user&attributes=A,b.c&packet-size=16384&secret-file=${secret}`;
    expect(parseAddress(`ajp://127.0.0.1:1?${keys}`, 'listen')).toMatchObject({
      peer: {
        trustRemoteUser: true,
        attributes: ['A', 'b.c'],
        packetSize: 16_384,
        secret: Buffer.from('caf\u00e9 \xff').toString('latin1'),
      },
      backEnd: {},
    });
    expect(parseAddress(`ajp://127.0.0.1:1?packet-size=65536&secret-file=${secret}`, 'connect')).toMatchObject({
      peer: {},
      backEnd: { packetSize: 65_536, secret: expect.any(String) },
    });
    for (const key of ['attributes=A', 'trust-remote-user', 'peer=nginx'])
      expect(failure(`ajp://127.0.0.1:1?${key}`, 'connect').message).toContain(
        'it has no meaning to connect to: allowed here: packet-size, secret-file',
      );
  });

  it.each<[string, string | Buffer, string | RegExp]>([
    ['one byte', 'x', 'x'],
    ['255 bytes and a line end', `${'x'.repeat(255)}\r\n`, 'x'.repeat(255)],
    ['two line ends, of which one is its own', 'x\n\n', 'x\n'],
    ['nothing', '', /it has 0 bytes: a secret has from 1 to 255$/],
    ['a line end', '\n', /it has 0 bytes/],
    ['256 bytes', 'x'.repeat(256), /it has 256 bytes/],
    ['NUL', 'a\0b', /it holds NUL/],
  ])('a secret-file of %s', (_, content, expected) => {
    const address = `ajp+unix:/run/a?secret-file=${file('secret', content)}`;
    if (typeof expected === 'string') expect(parseAddress(address, 'listen').peer.secret).toBe(expected);
    else {
      const { code, message } = failure(address);
      expect([code, message]).toEqual(['ERR_SECRET', expect.stringMatching(expected)]);
      expect(message).not.toContain('xxxx');
    }
  });

  it('may name a file with a plus, and one that cannot be read is told', () => {
    expect(parseAddress(`ajp+unix:/run/a?secret-file=${file('a+b', 'x')}`, 'listen').peer.secret).toBe('x');
    expect(failure(`ajp+unix:/run/a?secret-file=${folder.path}`).message).toContain('it is a folder');
    if (process.getuid?.() === 0) return;
    const closed = file('closed', 'x');
    chmodSync(closed, 0);
    expect(failure(`ajp+unix:/run/a?secret-file=${closed}`).message).toContain('no permission to read it');
  });

  it('let AJP listen off loopback when there is a secret, without allow', () => {
    const path = file('s2', 'secret');
    expect(parseAddress(`ajp://0.0.0.0:8009?secret-file=${path}`, 'listen').target).toEqual({
      transport: 'tcp',
      host: '0.0.0.0',
      port: 8009,
    });
  });
});

it('the keys of https name files, which are not read yet', () => {
  const { tls, peer } = parseAddress('https://127.0.0.1:1?cert=/a+b.crt&key=/c%20d.key&half-close=serve', 'listen');
  expect(tls).toEqual({ cert: '/a+b.crt', key: '/c d.key' });
  expect(peer).toEqual({ halfCloseServes: true });
});

describe('checkPeer', () => {
  it('refuses a web server that is not known', () => {
    checkPeer('nginx');
    checkPeer(undefined);
    expect(() => checkPeer('iis')).toThrow(/option peer: "iis"/);
  });
});
