import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '@postern/core';
import { listenError, readListenArguments } from '../src/listen-arguments.ts';

const tcp = (host: string, port: number, backlog?: number): object => ({ transport: 'tcp', host, port, backlog });
const callback = (): void => {};

describe('readListenArguments', () => {
  it.each<[string, unknown[], object]>([
    ['()', [], tcp('127.0.0.1', 0)],
    ['(callback)', [callback], tcp('127.0.0.1', 0)],
    ['(port)', [9000], tcp('127.0.0.1', 9000)],
    ['(port as text)', ['9000'], tcp('127.0.0.1', 9000)],
    ['(port, callback)', [9000, callback], tcp('127.0.0.1', 9000)],
    ['(port, host)', [9000, '::1'], tcp('::1', 9000)],
    ['(port, host, callback)', [9000, '::1', callback], tcp('::1', 9000)],
    ['(port, host, backlog, callback)', [9000, '::1', 64, callback], tcp('::1', 9000, 64)],
    ['(port, backlog, callback)', [9000, 64, callback], tcp('127.0.0.1', 9000, 64)],
    ['(port, undefined, callback)', [9000, undefined, callback], tcp('127.0.0.1', 9000)],
    ['(null)', [null], tcp('127.0.0.1', 0)],
    ['({port})', [{ port: 9000 }], tcp('127.0.0.1', 9000)],
    ['({port, host, backlog})', [{ port: '0', host: 'localhost', backlog: 5 }], tcp('localhost', 0, 5)],
    ['({port, path}): the port wins', [{ port: 1, path: '/a' }], tcp('127.0.0.1', 1)],
    ['({path})', [{ path: '/run/a' }, callback], { transport: 'unix', path: '/run/a', mode: 0o660 }],
    ['({path, host})', [{ path: '/run/a', host: 'localhost' }], { transport: 'unix', path: '/run/a', mode: 0o660 }],
    [
      '({path, writableAll})',
      [{ path: '/a', readableAll: true, writableAll: true }],
      { transport: 'unix', path: '/a', mode: 0o666 },
    ],
    ['({fd})', [{ fd: 3 }], { transport: 'fd', fd: 3 }],
    ['(path)', ['/run/a'], { transport: 'unix', path: '/run/a', mode: 0o660 }],
    ['(relative path, callback)', ['a.sock', callback], { transport: 'unix', path: resolve('a.sock'), mode: 0o660 }],
    ['(path, backlog)', ['/run/a', 7], { transport: 'unix', path: '/run/a', mode: 0o660, backlog: 7 }],
    ['(address)', ['scgi+unix:/run/a?mode=0600', callback], { transport: 'unix', path: '/run/a', mode: 0o600 }],
  ])('reads %s', (_, values, target) => {
    const call = readListenArguments(values);
    expect(call.target).toEqual(target);
    expect(call.callback).toBe(values.includes(callback) ? callback : undefined);
  });

  it.each([
    ['auto://127.0.0.1:0', 'auto', { transport: 'tcp', host: '127.0.0.1', port: 0 }],
    ['auto+fd:0', 'auto', { transport: 'fd', fd: 0 }],
    ['fastcgi+systemd:app', 'fastcgi', { transport: 'systemd', name: 'app' }],
  ])('takes %s for an address', (address, protocol, target) => {
    expect(readListenArguments([address])).toMatchObject({ protocol, target });
  });

  it('takes protocol and peer from an address', () => {
    expect(readListenArguments(['ajp://127.0.0.1:0?peer=lighttpd'])).toMatchObject({
      protocol: 'ajp',
      peer: { peer: 'lighttpd' },
    });
  });

  it.each([[-1], [65_536], [1.5], ['70000'], [Number.NaN], [true]])('refuses port %j', (port) => {
    expect(() => readListenArguments([port])).toThrow(
      expect.objectContaining({ name: 'RangeError', code: 'ERR_SOCKET_BAD_PORT' }),
    );
    expect(() => readListenArguments([{ port }])).toThrow(RangeError);
  });

  it('refuses an object that names no place, and a malformed address', () => {
    expect(() => readListenArguments([{}])).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }));
    expect(() => readListenArguments(['fastcgi://127.0.0.1'])).toThrow(
      expect.objectContaining({ code: 'ERR_ADDRESS' }),
    );
  });
});

describe('listenError', () => {
  it.each([
    ['ERR_ADDRESS_IN_USE', 'EADDRINUSE'],
    ['ERR_ADDRESS_DENIED', 'EACCES'],
    ['ERR_ADDRESS_UNAVAILABLE', 'EADDRNOTAVAIL'],
  ] as const)('gives %s the code %s of the system', (ours, code) => {
    const cause = new ConfigError(ours, 'here: why');
    expect(listenError(cause, { transport: 'tcp', host: '127.0.0.1', port: 80 })).toMatchObject({
      code,
      cause,
      message: `listen ${code}: here: why`,
      syscall: 'listen',
      address: '127.0.0.1',
      port: 80,
    });
    expect(listenError(cause, { transport: 'unix', path: '/run/a' })).toMatchObject({ address: '/run/a' });
  });

  it('leaves other failures as they are', () => {
    const cause = new ConfigError('ERR_SOCKET_PATH', 'x');
    expect(listenError(cause, { transport: 'unix', path: '/run/a' })).toBe(cause);
  });
});
