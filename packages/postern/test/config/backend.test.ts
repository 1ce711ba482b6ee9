import { describe, expect, it } from '@jest/globals';
import { authority, backendOf, programOf, refuseProgram } from '../../src/config/backend.ts';
import { inherited, tcp, unix } from './targets.ts';

const spoken = ['fastcgi', 'scgi', 'http'] as const;

describe('backendOf', () => {
  it('says where a web server connects', () => {
    expect(backendOf('nginx', spoken, 'scgi', tcp(9000))).toEqual({
      protocol: 'scgi',
      address: 'scgi://127.0.0.1:9000',
      to: { host: '127.0.0.1', port: 9000 },
    });
    expect(backendOf('nginx', spoken, 'fastcgi', unix('/run/a b.sock'))).toEqual({
      protocol: 'fastcgi',
      address: 'fastcgi+unix:/run/a%20b.sock',
      to: { socket: '/run/a b.sock' },
    });
  });

  it('connects to loopback where the app listens everywhere', () => {
    expect(backendOf('nginx', spoken, 'scgi', tcp(9000, '0.0.0.0')).to).toEqual({ host: '127.0.0.1', port: 9000 });
    expect(backendOf('nginx', spoken, 'scgi', tcp(9000, '::')).to).toEqual({ host: '::1', port: 9000 });
  });

  it.each([
    ['ajp', tcp(8009), 'ERR_OPTION', 'nginx does not speak AJP, Apache and lighttpd do: take one of them, or fastcgi'],
    ['uwsgi', tcp(9000), 'ERR_OPTION', 'nginx does not speak uwsgi: use fastcgi, scgi or http'],
    ['auto', tcp(9000), 'ERR_OPTION', 'nginx does not speak auto: use fastcgi, scgi or http'],
    ['https', tcp(9000), 'ERR_NOT_BUILT', 'listen with http, on loopback or a unix socket'],
    ['scgi', inherited, 'ERR_OPTION', '--listen scgi+fd:0: nginx cannot connect to an inherited descriptor'],
    ['scgi', tcp(0), 'ERR_OPTION', '--listen scgi://127.0.0.1:0: port 0 is any free port, which nginx cannot know'],
  ])('refuses %s on %j', (protocol, target, code, message) => {
    expect(() => backendOf('nginx', spoken, protocol, target)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});

describe('programOf', () => {
  it('is absolute', () => {
    expect(programOf('lighttpd', 'fastcgi', { transport: 'fd', fd: 0 }, '/srv/../srv/app.fcgi')).toBe('/srv/app.fcgi');
  });

  it.each([
    ['fastcgi', 0, undefined, 'lighttpd starts the app itself there: name its executable file with --program FILE'],
    ['fastcgi', 3, '/srv/a', '--listen fastcgi+fd:3: lighttpd gives a program that it starts fastcgi+fd:0'],
    ['scgi', 0, '/srv/a', '--listen scgi+fd:0: lighttpd gives a program that it starts fastcgi+fd:0'],
  ])('refuses %s on fd %i with %s', (protocol, fd, program, message) => {
    expect(() => programOf('lighttpd', protocol, { transport: 'fd', fd }, program)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining(message) }),
    );
  });

  it('a program is refused where the app listens by itself', () => {
    refuseProgram('Apache', 'fastcgi://127.0.0.1:9000', undefined);
    expect(() => refuseProgram('Apache', 'fastcgi://127.0.0.1:9000', '/srv/a')).toThrow(
      '--listen fastcgi://127.0.0.1:9000: the app listens there by itself: leave --program out',
    );
  });
});

it('authority puts brackets around IPv6', () => {
  expect([authority('::1', 80), authority('a.example', 81)]).toEqual(['[::1]:80', 'a.example:81']);
});
