import { describe, expect, it } from '@jest/globals';
import { authority, backendOf } from '../../src/config/backend.ts';
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

it('authority puts brackets around IPv6', () => {
  expect([authority('::1', 80), authority('a.example', 81)]).toEqual(['[::1]:80', 'a.example:81']);
});
