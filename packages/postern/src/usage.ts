import { ConfigError, printable } from '@postern/core';
import { nearest } from './suggest.ts';

/** What is known of a command when its line cannot be understood. */
export interface CommandNames {
  readonly command: string;
  /** How it is called. */
  readonly example: string;
  /** The positional argument that it needs. */
  readonly operand: string;
  /** The flags that this version has. */
  readonly flags: readonly string[];
}

/** What yargs says of a wrong command line, as one line with a code, and with what was probably meant. */
export function usageError(message: string, argv: readonly string[], names: CommandNames): ConfigError {
  return new ConfigError('ERR_USAGE', explain(message.split('\n', 1)[0], argv, names));
}

function explain(message: string, argv: readonly string[], names: CommandNames): string {
  const { command, example, operand, flags } = names;
  const valueless = /^Not enough arguments following: (\S+)/.exec(message)?.[1];
  if (valueless !== undefined) return `--${printable(valueless)} of postern ${command} needs a value: ${example}`;
  if (message.startsWith('Not enough non-option arguments')) return `postern ${command} needs ${operand}: ${example}`;
  const unknown = /^Unknown arguments?: (.*)$/.exec(message)?.[1].split(', ')[0];
  if (unknown === undefined) return `postern ${command}: ${printable(message)}: ${example}`;
  const flag = argv
    .map((word) => /^--?([^=]+)/.exec(word)?.[1])
    .find((name) => name === unknown || name?.[0] === unknown);
  if (flag === undefined) return `postern ${command} takes no argument "${printable(unknown)}": ${example}`;
  const meant = nearest(flag, flags);
  const hint = meant === undefined ? `postern ${command} --help lists them` : `did you mean --${meant}?`;
  return `${flag.length === 1 ? '-' : '--'}${printable(flag)} of postern ${command}: there is no such flag: ${hint}`;
}

/** The one value of a flag. @throws ConfigError ERR_USAGE: it was given twice, or is empty */
export function single(value: unknown, flag: string): string | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value))
    throw new ConfigError('ERR_USAGE', `--${flag} was given ${value.length} times: give it once`);
  const text = String(value);
  if (text === '') throw new ConfigError('ERR_USAGE', `--${flag} is empty: give it a value`);
  return text;
}

/** @throws ConfigError ERR_NOT_BUILT */
export function refuseFlagsToCome(args: Record<string, unknown>, flags: readonly string[], command: string): void {
  for (const flag of flags) {
    if (args[flag] !== undefined)
      throw new ConfigError(
        'ERR_NOT_BUILT',
        `--${flag} of postern ${command}: this version does not have it yet: leave it out`,
      );
  }
}
