import { ConfigError, printable } from '@postern/core';
import { nearest } from './suggest.ts';

/**
 * An option that is not known is a mistake, not a wish that is passed over.
 * @throws ConfigError ERR_OPTION
 */
export function checkOptionNames(options: object, known: readonly string[], where: string): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const meant = nearest(name, known);
    throw new ConfigError(
      'ERR_OPTION',
      `option "${printable(name)}" of ${where}: there is no such option: ${meant === undefined ? `choose among ${known.join(', ')}` : `did you mean ${meant}?`}`,
    );
  }
}
