import { describe, expect, it } from '@jest/globals';
import { type CommandNames, refuseFlagsToCome, single, usageError } from '../src/usage.ts';

const names: CommandNames = {
  command: 'serve',
  example: 'postern serve x',
  operand: 'a module',
  flags: ['listen', 'help'],
};

describe('usageError', () => {
  it.each([
    [
      'Unknown argument: lisen',
      ['x', '--lisen', 'a'],
      '--lisen of postern serve: there is no such flag: did you mean --listen?',
    ],
    [
      'Unknown arguments: colour, lisen',
      ['x', '--colour=1', '--lisen', 'a'],
      '--colour of postern serve: there is no such flag: postern serve --help lists them',
    ],
    ['Unknown argument: X', ['x', '-X', 'GET'], '-X of postern serve: there is no such flag'],
    ['Unknown argument: extra', ['x', 'extra'], 'postern serve takes no argument "extra"'],
    ['Not enough arguments following: listen', ['x', '--listen'], '--listen of postern serve needs a value'],
    ['Not enough non-option arguments: got 0, need at least 1', [], 'postern serve needs a module: postern serve x'],
    ['Something else\nwith a second line', [], 'postern serve: Something else: postern serve x'],
  ])('says of %j in one line what is wrong', (message, argv, expected) => {
    const error = usageError(message, argv, names);
    expect(error.code).toBe('ERR_USAGE');
    expect(error.message).toContain(expected);
    expect(error.message).not.toContain('\n');
  });
});

describe('single', () => {
  it('takes one value', () => {
    expect(single('a', 'mount')).toBe('a');
    expect(single(undefined, 'mount')).toBeUndefined();
    expect(() => single(['a', 'b'], 'mount')).toThrow('--mount was given 2 times: give it once');
    expect(() => single('', 'mount')).toThrow('--mount is empty: give it a value');
  });
});

describe('refuseFlagsToCome', () => {
  it('refuses by name', () => {
    refuseFlagsToCome({ listen: 'a' }, ['workers'], 'serve');
    expect(() => refuseFlagsToCome({ workers: '4' }, ['workers'], 'serve')).toThrow(
      expect.objectContaining({
        code: 'ERR_NOT_BUILT',
        message: expect.stringContaining('--workers of postern serve'),
      }),
    );
  });
});
