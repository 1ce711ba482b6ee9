import { expect, it } from '@jest/globals';
import { checkOptionNames } from '../src/options.ts';

it('an option that is not known is refused, with what was meant', () => {
  checkOptionNames({ listen: 1 }, ['listen', 'mount'], 'serve');
  expect(() => checkOptionNames({ lisen: 1 }, ['listen', 'mount'], 'serve')).toThrow(
    expect.objectContaining({
      code: 'ERR_OPTION',
      message: 'option "lisen" of serve: there is no such option: did you mean listen?',
    }),
  );
  expect(() => checkOptionNames({ workers: 4 }, ['listen', 'mount'], 'serve')).toThrow(/choose among listen, mount/);
});
