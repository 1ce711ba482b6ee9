import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@postern/testkit';
import { parseAddress } from '../../src/address.ts';
import { systemdUnits } from '../../src/config/systemd.ts';

let folder: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder.remove());

function units(listen: string, program?: string): string {
  return systemdUnits(listen, parseAddress(listen, 'listen'), { program });
}

/** The value of a setting, or of each of that name. */
function values(text: string, name: string): string[] {
  return [...text.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map((match) => match[1]);
}

/** The last words of the command. */
function command(text: string): string {
  return values(text, 'ExecStart')[0].replace(/^.*?postern\.js"? /, '');
}

describe('systemdUnits', () => {
  it('gives the socket its file, and the app its name', () => {
    const text = units('fastcgi+unix:/run/shop.sock?mode=0600&owner=www&group=www-data&backlog=64', '/srv/shop.mjs');
    expect(text).toContain('\n# /etc/systemd/system/shop.socket\n[Unit]\n');
    expect(text).toContain('\n# /etc/systemd/system/shop.service\n[Unit]\n');
    expect(text).toContain('systemctl enable --now shop.socket\n');
    const settings = ['ListenStream', 'SocketMode', 'SocketUser', 'SocketGroup', 'Backlog', 'FileDescriptorName'];
    expect(settings.map((name) => values(text, name))).toEqual([
      ['/run/shop.sock'],
      ['0600'],
      ['www'],
      ['www-data'],
      ['64'],
      ['shop'],
    ]);
    expect(values(text, 'Requires')).toEqual(['shop.socket']);
    expect(command(text)).toBe('serve /srv/shop.mjs --listen fastcgi+systemd:shop');
    expect(values(text, 'ExecStart')[0].startsWith(`${process.execPath} `)).toBe(true);
    expect(text).toMatch(/[^\n]\n$/);
    expect(text).not.toMatch(/undefined|\[object|\n\n\n|[ \t]\n/);
  });

  it('lets the process and its group alone connect where nothing is said of that', () => {
    const text = units('fastcgi+unix:/run/app.sock');
    expect(values(text, 'SocketMode')).toEqual(['0660']);
    expect(values(text, 'SocketGroup')).toEqual([]);
    expect(text).toContain('\n#SocketGroup=www-data\n');
  });

  it.each([
    ['scgi://127.0.0.1:9000', '127.0.0.1:9000', 'scgi+systemd:app'],
    ['http://localhost:9000', '127.0.0.1:9000', 'http+systemd:app'],
    ['auto://[::1]:9000', '[::1]:9000', 'auto+systemd:app'],
    ['auto+unix:/run/a%20b/%25.sock', '/run/a b/%%.sock', 'auto+systemd:app'],
    ['uwsgi+unix:/run/x.socket?peer=nginx', '/run/x.socket', 'uwsgi+systemd:x?peer=nginx'],
    ['scgi+unix:/run/-x.sock?strict&half-close=serve', '/run/-x.sock', 'scgi+systemd:app?strict&half-close=serve'],
    [
      'ajp+unix:/run/a?attributes=A,B%25&packet-size=16384',
      '/run/a',
      'ajp+systemd:a?attributes=A,B%%25&packet-size=16384',
    ],
  ])('leaves to the app what is not the socket: %s', (listen, stream, address) => {
    const text = units(listen);
    expect(values(text, 'ListenStream')).toEqual([stream]);
    expect(command(text)).toBe(`serve /srv/app/app.mjs --listen ${address}`);
    expect(text).toContain('/srv/app/app.mjs is the module of your app');
  });

  it('lets systemd ask who may connect', () => {
    const text = units('fastcgi://0.0.0.0:9000?allow=192.0.2.0/24,2001:db8::1&peer=nginx');
    expect(values(text, 'IPAddressDeny')).toEqual(['any']);
    expect(values(text, 'IPAddressAllow')).toEqual(['192.0.2.0/24 2001:db8::1']);
    expect(command(text)).toContain('--listen fastcgi+systemd:app?peer=nginx');
    expect(values(units('fastcgi://127.0.0.1:9000'), 'IPAddressDeny')).toEqual([]);
  });

  it('hands over secrets that the user of the app cannot read', () => {
    const secret = join(folder.path, '100%.secret');
    writeFileSync(secret, 'word\n');
    const text = units(`ajp://0.0.0.0:8009?secret-file=${encodeURIComponent(secret)}`);
    expect(values(text, 'LoadCredential')).toEqual([`secret-file:${secret.replace('%', '%%')}`]);
    expect(command(text)).toContain('--listen ajp+systemd:app?secret-file=%d/secret-file');
    const tls = units('https://127.0.0.1:8443?cert=/etc/a.crt&key=/etc/a.key');
    expect(values(tls, 'LoadCredential')).toEqual(['cert:/etc/a.crt', 'key:/etc/a.key']);
    expect(command(tls)).toContain('--listen https+systemd:app?cert=%d/cert&key=%d/key');
  });

  it('does not take a secret from the environment of a shell', () => {
    process.env.AJP_SECRET = 'word';
    try {
      expect(() => units('ajp://0.0.0.0:8009')).toThrow(
        expect.objectContaining({
          code: 'ERR_OPTION',
          message: expect.stringContaining('name a file, ?secret-file=FILE'),
        }),
      );
    } finally {
      delete process.env.AJP_SECRET;
    }
  });

  it('writes odd paths as systemd reads them', () => {
    expect(command(units('http://127.0.0.1:1', '/srv/100% of $HOME; "x"\\y.mjs'))).toBe(
      'serve "/srv/100%% of $$HOME; \\"x\\"\\\\y.mjs" --listen http+systemd:app',
    );
  });

  it('lets an app in a home be read, and no other', () => {
    expect(values(units('http://127.0.0.1:1', '/home/ada/app.mjs'), 'ProtectHome')).toEqual(['read-only']);
    expect(values(units('http://127.0.0.1:1', '/srv/app.mjs'), 'ProtectHome')).toEqual([
      process.execPath.startsWith('/root/') || process.execPath.startsWith('/home/') ? 'read-only' : 'yes',
    ]);
  });

  it.each([
    ['fastcgi+systemd:app', 'systemd opens the socket: give the address that the web server connects to'],
    ['fastcgi+fd:0', 'systemd opens the socket'],
    ['fastcgi://127.0.0.1:0', 'port 0 is any free port'],
    ['http://app.example.org:80', 'systemd listens on addresses, not on names'],
    ['fastcgi+unix:/run/a%0Ab', 'no way to write a control character'],
    ['fastcgi+unix:/run/a%20', 'or a blank or \\ at the end'],
  ])('refuses %s', (listen, message) =>
    expect(() => units(listen)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining(message) }),
    ),
  );

  it('refuses a program that cannot be written', () =>
    expect(() => units('http://127.0.0.1:1', '/srv/a\n')).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining('--program "/srv/a\\x0a"') }),
    ));
});
