import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '@postern/core';
import { SystemdSockets } from '../src/systemd-sockets.ts';

const PID = 4321;

function passed(variables: NodeJS.ProcessEnv): SystemdSockets {
  return new SystemdSockets({ LISTEN_PID: String(PID), ...variables }, PID);
}

/** Why a socket is not given. */
function refusal(variables: NodeJS.ProcessEnv, name: string): string {
  try {
    passed(variables).take(name);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).code).toBe('ERR_SYSTEMD');
    expect((error as ConfigError).message).not.toMatch(/[\0-\x1f]/);
    return (error as ConfigError).message;
  }
  throw new Error('it was given');
}

describe('the sockets of systemd', () => {
  it('have the descriptors from 3 on, by their names', () => {
    const sockets = passed({ LISTEN_FDS: '3', LISTEN_FDNAMES: 'web:app.socket:admin' });
    expect(sockets.take('app.socket').fd).toBe(4);
    expect(sockets.take('web').fd).toBe(3);
    expect(sockets.take('admin').fd).toBe(5);
  });

  it('need no name when there is only one', () => {
    expect(passed({ LISTEN_FDS: '1', LISTEN_FDNAMES: 'app' }).take('').fd).toBe(3);
    expect(passed({ LISTEN_FDS: '1' }).take('').fd).toBe(3);
  });

  it('are told of in the environment no more once one was taken', () => {
    const environment: NodeJS.ProcessEnv = {
      LISTEN_FDS: '2',
      LISTEN_PID: String(PID),
      LISTEN_FDNAMES: 'a:b',
      LISTEN_PIDFDID: '1',
      OTHER: 'x',
    };
    const sockets = new SystemdSockets(environment, PID);
    expect(Object.keys(environment)).toHaveLength(5);
    sockets.take('a');
    expect(environment).toEqual({ OTHER: 'x' });
    expect(sockets.take('b').fd).toBe(4);
  });

  it('that are for another process stay in the environment', () => {
    const environment: NodeJS.ProcessEnv = { LISTEN_FDS: '1', LISTEN_PID: '1' };
    expect(() => new SystemdSockets(environment, PID).take('')).toThrow(ConfigError);
    expect(environment).toEqual({ LISTEN_FDS: '1', LISTEN_PID: '1' });
  });

  it('are given once each', () => {
    const sockets = passed({ LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b' });
    sockets.take('a');
    expect(() => sockets.take('a')).toThrow(
      expect.objectContaining({
        code: 'ERR_SYSTEMD',
        message: 'systemd socket "a" (descriptor 3): it is listened on already, or was: write a socket once',
      }),
    );
    sockets.take('b');
  });

  it.each<[string, NodeJS.ProcessEnv, string, string]>([
    [
      'by hand',
      { LISTEN_PID: undefined },
      'app',
      'LISTEN_FDS is not set: systemd passed no sockets, or this was started by hand',
    ],
    [
      'no process id',
      { LISTEN_FDS: '1', LISTEN_PID: undefined },
      '',
      'LISTEN_PID is not set, and this is process 4321',
    ],
    [
      'another process',
      { LISTEN_FDS: '1', LISTEN_PID: '99' },
      '',
      'LISTEN_PID is "99", and this is process 4321: systemd passed its sockets to another process: let ExecStart= start node itself',
    ],
    ['no number', { LISTEN_FDS: 'two' }, '', 'LISTEN_FDS="two": it is no number of sockets'],
    ['none', { LISTEN_FDS: '0' }, '', 'LISTEN_FDS="0"'],
    ['too many', { LISTEN_FDS: '99999' }, '', 'LISTEN_FDS="99999"'],
    ['fewer names', { LISTEN_FDS: '2', LISTEN_FDNAMES: 'a' }, 'a', 'LISTEN_FDNAMES="a": LISTEN_FDS is 2'],
    [
      'more names',
      { LISTEN_FDS: '1', LISTEN_FDNAMES: 'a:b' },
      'b',
      'LISTEN_FDNAMES="a:b": LISTEN_FDS is 1: let systemd set both',
    ],
    [
      'another name',
      { LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b' },
      'c',
      'systemd socket "c": systemd passed a, b: write one of these, or FileDescriptorName=c in the .socket unit',
    ],
    ['a name where none was passed', { LISTEN_FDS: '1' }, 'a', 'systemd socket "a": systemd passed one without a name'],
    [
      'no name where there are several',
      { LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b' },
      '',
      'systemd passed 2 sockets (a, b): name one of them: +systemd:NAME',
    ],
    [
      'one name for several',
      { LISTEN_FDS: '3', LISTEN_FDNAMES: 'a:b:a' },
      'a',
      'systemd socket "a": 2 sockets have this name (descriptors 3, 5): give each a .socket unit of its own',
    ],
    ['names that are not printable', { LISTEN_FDS: '1', LISTEN_FDNAMES: 'a\n' }, 'b', 'systemd passed a\\x0a'],
  ])('are refused with the reason: %s', (_, variables, name, message) =>
    expect(refusal(variables, name)).toContain(message),
  );
});
