import { describe, expect, it } from '@jest/globals';
import type { PosternError } from '@postern/core';
import { formatAddress, parseAddress } from '../src/address.ts';

/** The error that an address gives. */
function failure(text: string, use: 'listen' | 'connect'): PosternError {
  try {
    parseAddress(text, use);
  } catch (error) {
    return error as PosternError;
  }
  throw new Error(`${text} was taken`);
}

describe('parseAddress', () => {
  it.each([
    ['fastcgi://127.0.0.1:9000', 'fastcgi', { transport: 'tcp', host: '127.0.0.1', port: 9000 }],
    ['scgi://127.0.0.1:0', 'scgi', { transport: 'tcp', host: '127.0.0.1', port: 0 }],
    ['ajp://localhost:8009', 'ajp', { transport: 'tcp', host: 'localhost', port: 8009 }],
    ['fastcgi://[::1]:9000', 'fastcgi', { transport: 'tcp', host: '::1', port: 9000 }],
    ['fastcgi://[0:0:0:0:0:0:0:1]:9000', 'fastcgi', { transport: 'tcp', host: '::1', port: 9000 }],
    ['fastcgi://127.0.0.1:9000/', 'fastcgi', { transport: 'tcp', host: '127.0.0.1', port: 9000 }],
    ['FastCGI://LocalHost:65535', 'fastcgi', { transport: 'tcp', host: 'localhost', port: 65535 }],
    [
      'fastcgi://app-1.example.org:9000?allow=10.0.0.0/8',
      'fastcgi',
      { transport: 'tcp', host: 'app-1.example.org', port: 9000, allow: ['10.0.0.0/8'] },
    ],
    ['fastcgi+unix:/run/app.sock', 'fastcgi', { transport: 'unix', path: '/run/app.sock' }],
    ['scgi+unix:///run/app.sock', 'scgi', { transport: 'unix', path: '/run/app.sock' }],
    ['ajp+unix:/run/a%20b%23c%3fd.sock', 'ajp', { transport: 'unix', path: '/run/a b#c?d.sock' }],
    ['fastcgi+unix:/run/%C3%A4.sock', 'fastcgi', { transport: 'unix', path: '/run/ä.sock' }],
    ['fastcgi+unix:/run/ä.sock', 'fastcgi', { transport: 'unix', path: '/run/ä.sock' }],
    ['fastcgi+unix:/run/100%.sock', 'fastcgi', { transport: 'unix', path: '/run/100%.sock' }],
    ['fastcgi+unix:/run/../tmp/./app.sock', 'fastcgi', { transport: 'unix', path: '/tmp/app.sock' }],
    ['fastcgi+fd:0', 'fastcgi', { transport: 'fd', fd: 0 }],
    ['scgi+fd:3', 'scgi', { transport: 'fd', fd: 3 }],
    ['fastcgi+systemd:', 'fastcgi', { transport: 'systemd', name: '' }],
    ['ajp+systemd:app.socket', 'ajp', { transport: 'systemd', name: 'app.socket' }],
    ['http+systemd:a%23b', 'http', { transport: 'systemd', name: 'a#b' }],
    ['auto://127.0.0.1:9000', 'auto', { transport: 'tcp', host: '127.0.0.1', port: 9000 }],
    ['auto+unix:/run/app.sock', 'auto', { transport: 'unix', path: '/run/app.sock' }],
    ['auto+fd:0', 'auto', { transport: 'fd', fd: 0 }],
    ['auto+systemd:app', 'auto', { transport: 'systemd', name: 'app' }],
    ['uwsgi://127.0.0.1:3031', 'uwsgi', { transport: 'tcp', host: '127.0.0.1', port: 3031 }],
    ['http://0.0.0.0:8080', 'http', { transport: 'tcp', host: '0.0.0.0', port: 8080 }],
    ['http+unix:/run/app.sock', 'http', { transport: 'unix', path: '/run/app.sock' }],
    ['http+fd:3', 'http', { transport: 'fd', fd: 3 }],
    ['https://[::]:8443?cert=/a&key=/b', 'https', { transport: 'tcp', host: '::', port: 8443 }],
  ])('reads %s', (text, protocol, target) => {
    expect(parseAddress(text, 'listen')).toMatchObject({ protocol, target });
    expect(parseAddress(text, 'listen').target).toEqual(target);
  });

  it.each([
    ['fastcgi://[0:0::1]:09000/?half-close=serve', 'fastcgi://[::1]:9000'],
    ['SCGI://LOCALHOST:1', 'scgi://localhost:1'],
    ['ajp+unix:///run/a%20b%25%23%3F.sock?mode=600', 'ajp+unix:/run/a%20b%25%23%3F.sock'],
    ['fastcgi+fd:03', 'fastcgi+fd:3'],
    ['Auto+systemd:a%23b%2e', 'auto+systemd:a%23b.'],
    ['fastcgi+systemd:', 'fastcgi+systemd:'],
  ])('gives %s its canonical form, which is an address of the same place', (text, canonical) => {
    const address = parseAddress(text, 'listen');
    expect(address.text).toBe(canonical);
    expect(new URL(canonical).href).toBe(canonical);
    const again = parseAddress(canonical, 'listen');
    expect(again.text).toBe(canonical);
    expect(again.target).toMatchObject(
      address.target.transport === 'unix' ? { path: address.target.path } : { ...address.target },
    );
  });

  it.each([
    ['', 'ERR_ADDRESS', 'is no address: write fastcgi://127.0.0.1:9000'],
    ['9000', 'ERR_ADDRESS', 'is no address'],
    ['127.0.0.1:9000', 'ERR_ADDRESS', 'is no address'],
    ['/run/app.sock', 'ERR_ADDRESS', 'fastcgi+unix:/run/app.sock'],
    ['localhost:9000', 'ERR_ADDRESS', 'protocol "localhost"'],
    ['fcgi://127.0.0.1:9000', 'ERR_ADDRESS', 'protocol "fcgi" in address "fcgi://127.0.0.1:9000": write fastcgi'],
    ['fastcgi+tcp://127.0.0.1:9000', 'ERR_ADDRESS', 'transport "+tcp"'],
    ['fastcgi+:/run/a', 'ERR_ADDRESS', 'transport "+"'],
    ['fastcgi:127.0.0.1:9000', 'ERR_ADDRESS', 'write fastcgi://HOST:PORT'],
    ['fastcgi:/run/app.sock', 'ERR_ADDRESS', 'fastcgi+unix:/PATH'],
    ['fastcgi://127.0.0.1', 'ERR_ADDRESS', 'the missing port'],
    ['fastcgi://127.0.0.1:', 'ERR_ADDRESS', 'the missing port'],
    ['fastcgi://:9000', 'ERR_ADDRESS', 'the missing host'],
    ['fastcgi://', 'ERR_ADDRESS', 'the missing host'],
    ['fastcgi://127.0.0.1:http', 'ERR_ADDRESS', 'port "http"'],
    [
      'fastcgi://127.0.0.1:65536',
      'ERR_ADDRESS',
      'port "65536" in address "fastcgi://127.0.0.1:65536": write a whole number from 0 to 65535',
    ],
    ['fastcgi://127.0.0.1:-1', 'ERR_ADDRESS', 'port "-1"'],
    ['fastcgi://127.0.0.1:9000/app', 'ERR_ADDRESS', 'path "/app"'],
    ['fastcgi://user@127.0.0.1:9000', 'ERR_ADDRESS', 'user name'],
    ['fastcgi://::1:9000', 'ERR_ADDRESS', 'in brackets'],
    ['fastcgi://[::g]:9000', 'ERR_ADDRESS', 'host "[::g]"'],
    ['fastcgi://[fe80::1%25eth0]:9000', 'ERR_ADDRESS', 'host "[fe80::1%25eth0]"'],
    ['fastcgi://999.0.0.1:9000', 'ERR_ADDRESS', 'host "999.0.0.1"'],
    ['fastcgi://127.1:9000', 'ERR_ADDRESS', 'host "127.1"'],
    ['fastcgi://*:9000', 'ERR_ADDRESS', 'host "*"'],
    ['fastcgi://a b:9000', 'ERR_ADDRESS', 'host "a b"'],
    ['fastcgi://127.0.0.1:9000#x', 'ERR_ADDRESS', 'fragment "#x"'],
    [' fastcgi://127.0.0.1:9000', 'ERR_ADDRESS', 'outer blank'],
    ['fastcgi://127.0.0.1:9000\n', 'ERR_ADDRESS', '\\x0a'],
    [
      'fastcgi+unix:app.sock',
      'ERR_ADDRESS',
      'path "app.sock" in address "fastcgi+unix:app.sock": write the whole path from the root',
    ],
    ['fastcgi+unix:./app.sock', 'ERR_ADDRESS', 'path "./app.sock"'],
    ['fastcgi+unix:', 'ERR_ADDRESS', 'path ""'],
    ['fastcgi+unix://run/app.sock', 'ERR_ADDRESS', 'host "run"'],
    ['fastcgi+unix:/run/', 'ERR_ADDRESS', 'name the socket'],
    ['fastcgi+unix:/run/%FF.sock', 'ERR_ADDRESS', 'no UTF-8'],
    ['fastcgi+unix:/run/a%00.sock', 'ERR_ADDRESS', 'NUL'],
    [`fastcgi+unix:/${'a'.repeat(107)}`, 'ERR_SOCKET_PATH', 'path of 108 bytes'],
    [`fastcgi+unix:/${'ä'.repeat(54)}`, 'ERR_SOCKET_PATH', 'path of 109 bytes'],
    ['fastcgi+fd:', 'ERR_ADDRESS', 'descriptor ""'],
    ['fastcgi+fd:stdin', 'ERR_ADDRESS', 'descriptor "stdin"'],
    ['fastcgi+fd:-1', 'ERR_ADDRESS', 'descriptor "-1"'],
    ['fastcgi+fd://0', 'ERR_ADDRESS', 'descriptor "//0"'],
    ['http://127.0.0.1', 'ERR_ADDRESS', 'the missing port'],
    ['ajp://0.0.0.0:8009?allow=10.0.0.0/8', 'ERR_ADDRESS_OPEN', 'add ?secret-file=FILE or set AJP_SECRET'],
    ['ajp://[::]:8009', 'ERR_ADDRESS_OPEN', 'secret'],
    [
      'auto://0.0.0.0:8009?allow=10.0.0.0/8',
      'ERR_ADDRESS_OPEN',
      'AJP (of auto) off loopback without a secret, auto://0.0.0.0:8009: whoever connects',
    ],
    ['ajp://app.example.org:8009', 'ERR_ADDRESS_OPEN', 'secret'],
    ['gopher://127.0.0.1:70', 'ERR_ADDRESS', 'write fastcgi, scgi, ajp, uwsgi, http, https or auto'],
    ['fastcgi+systemd:a:b', 'ERR_ADDRESS', 'socket name "a:b"'],
    ['fastcgi+systemd:a%20b', 'ERR_ADDRESS', 'write FileDescriptorName= of its unit, such as fastcgi+systemd:app'],
    ['fastcgi+systemd:/run/a', 'ERR_ADDRESS', 'socket name "/run/a"'],
    ['fastcgi+systemd:app?mode=0660', 'ERR_ADDRESS_KEY', 'no meaning over'],
  ])('refuses %j with %s', (text, code, part) => {
    const error = failure(text, 'listen');
    expect(error.code).toBe(code);
    expect(error.message).toContain(part);
    expect(error.message).not.toMatch(/[\0-\x1f]/);
  });

  it('takes a socket path of 107 bytes', () => {
    const path = `/${'a'.repeat(106)}`;
    expect(parseAddress(`fastcgi+unix:${path}`, 'listen').target).toEqual({ transport: 'unix', path });
  });

  it.each([
    ['fastcgi://127.0.0.1:0', 'ERR_ADDRESS', 'port "0"'],
    ['fastcgi+fd:0', 'ERR_ADDRESS', 'can only be listened on'],
    ['fastcgi+systemd:app', 'ERR_ADDRESS', 'can only be listened on'],
    ['auto://127.0.0.1:9000', 'ERR_ADDRESS', 'write what is spoken there: fastcgi, scgi, ajp, uwsgi, http or https'],
    ['gopher://127.0.0.1:70', 'ERR_ADDRESS', 'write fastcgi, scgi, ajp, uwsgi, http or https'],
    ['fastcgi+unix:/run/app.sock?mode=0660', 'ERR_ADDRESS_KEY', 'to connect to: allowed here: none'],
  ])('does not connect to %s', (text, code, part) => {
    const error = failure(text, 'connect');
    expect(error.code).toBe(code);
    expect(error.message).toContain(part);
  });

  it('connects to an AJP server elsewhere, and to HTTP over TLS without files', () => {
    expect(parseAddress('ajp://app.example.org:8009', 'connect').target).toMatchObject({ host: 'app.example.org' });
    expect(parseAddress('https://app.example.org:443', 'connect')).toMatchObject({ protocol: 'https', tls: undefined });
  });

  it('takes AJP_SECRET for the secret of AJP, both ways, and of nothing else', () => {
    process.env.AJP_SECRET = 'caf\u00e9';
    try {
      const open = parseAddress('ajp://0.0.0.0:8009', 'listen');
      expect(open.peer).toEqual({ secret: 'caf\xc3\xa9' });
      expect(open.backEnd).toEqual({});
      expect(parseAddress('ajp+unix:/run/a', 'listen').peer.secret).toBe('caf\xc3\xa9');
      expect(parseAddress('ajp://app.example.org:8009', 'connect')).toMatchObject({
        peer: {},
        backEnd: { secret: 'caf\xc3\xa9' },
      });
      expect(parseAddress('auto://127.0.0.1:1', 'listen').peer).toEqual({ secret: 'caf\xc3\xa9' });
      expect(parseAddress('fastcgi://127.0.0.1:1', 'listen').peer).toEqual({});
    } finally {
      delete process.env.AJP_SECRET;
    }
  });
});

describe('formatAddress', () => {
  it.each([
    [{ transport: 'tcp', host: '127.0.0.1', port: 40001 }, 'scgi://127.0.0.1:40001'],
    [{ transport: 'tcp', host: '::1', port: 1 }, 'scgi://[::1]:1'],
    [{ transport: 'unix', path: '/a b/ä%20#?.sock' }, 'scgi+unix:/a%20b/%C3%A4%2520%23%3F.sock'],
    [{ transport: 'fd', fd: 0 }, 'scgi+fd:0'],
    [{ transport: 'systemd', name: 'app@1' }, 'scgi+systemd:app%401'],
    [{ transport: 'systemd', name: '' }, 'scgi+systemd:'],
  ] as const)('writes %j', (bound, text) => {
    expect(formatAddress('scgi', bound)).toBe(text);
    expect(parseAddress(text, 'listen').target).toEqual(bound);
  });
});
