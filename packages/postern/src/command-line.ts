import { ConfigError, describeError, PosternError, printable } from '@postern/core';
import type { Argv } from 'yargs';
import { buildConfig, configFlagsToCome, configNames } from './commands/config.ts';
import { runServe } from './commands/run-serve.ts';
import { buildServe, plainServe, serveFlagsToCome, serveNames } from './commands/serve.ts';
import { withoutQueryWords } from './query-words.ts';
import { say } from './say.ts';
import { nearest } from './suggest.ts';
import { type CommandNames, refuseFlagsToCome, usageError } from './usage.ts';

interface Command {
  readonly names: CommandNames;
  /** With its positional arguments. */
  readonly usage: string;
  readonly describe: string;
  /** Flags of the contract that are refused by name. */
  readonly flagsToCome: readonly string[];
  /** Reads a line that is as plain as most are. */
  plain?(words: readonly string[]): Record<string, unknown> | undefined;
  build(yargs: Argv): Argv;
  /** Loads what the command needs, and runs it. */
  run(args: Record<string, unknown>): Promise<number>;
}

const commands: Readonly<Record<string, Command>> = {
  serve: {
    names: serveNames,
    usage: 'serve <module>',
    describe: 'serve an app to a web server',
    flagsToCome: serveFlagsToCome,
    plain: plainServe,
    build: buildServe,
    run: runServe,
  },
  config: {
    names: configNames,
    usage: 'config <target>',
    describe: 'print the configuration of a web server',
    flagsToCome: configFlagsToCome,
    build: buildConfig,
    run: async (args) => (await import('./commands/run-config.ts')).runConfig(args),
  },
};

/** Of the contract; refused by name. */
const commandsToCome = [
  'request',
  'proxy',
  'tap',
  'dump',
  'replay',
  'load',
  'doctor',
  'lint',
  'conform',
  'status',
  'reload',
  'stop',
];

/**
 * Runs a command line.
 * @param given the words behind node and the script
 * @param version what --version prints
 * @returns the exit code: 0 done, 1 the work failed, 2 the command or its configuration is wrong
 */
export async function runCommandLine(given: readonly string[], version: string): Promise<number> {
  try {
    const argv = withoutQueryWords(given);
    const command = chooseCommand(argv[0]);
    const plain = command?.plain?.(argv.slice(1));
    if (command !== undefined && plain !== undefined) return await command.run(plain);
    let chosen: Record<string, unknown> | undefined;
    const yargs = await configured(argv, version, command);
    for (const { usage, describe, build } of Object.values(commands)) {
      yargs.command(usage, describe, build, (args) => {
        chosen = args;
      });
    }
    await yargs.parseAsync();
    if (command === undefined || chosen === undefined) return 0;
    refuseFlagsToCome(chosen, command.flagsToCome, command.names.command);
    return await command.run(chosen);
  } catch (error) {
    return tell(error);
  }
}

async function configured(argv: readonly string[], version: string, command: Command | undefined): Promise<Argv> {
  const { default: createYargs } = await import('yargs');
  return createYargs([...argv])
    .scriptName('postern')
    .usage(
      `Example:
  ${serveNames.example}

Usage: postern <command> [flags]`,
    )
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'boolean-negation': false,
      'greedy-arrays': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
    })
    .detectLocale(false)
    .locale('en')
    .strict()
    .version(version)
    .help()
    .alias('h', 'help')
    .epilogue('postern <command> --help tells more. Exit codes: 0 done, 1 the work failed, 2 the command is wrong.')
    .wrap(Math.min(120, process.stdout.columns ?? 100))
    .exitProcess(false)
    .fail((message, error) => {
      // yargs has errors of its own class for a flag without its value
      if (error !== undefined && error !== null && error.name !== 'YError') throw error;
      throw usageError(message ?? error.message, argv, command?.names ?? serveNames);
    });
}

/** @returns undefined: only help or the version is wanted @throws ConfigError ERR_USAGE, ERR_NOT_BUILT */
function chooseCommand(name: string | undefined): Command | undefined {
  if (name === '--help' || name === '-h' || name === '--version') return undefined;
  if (name !== undefined && Object.hasOwn(commands, name)) return commands[name];
  if (name === undefined || name.startsWith('-'))
    throw new ConfigError('ERR_USAGE', `postern needs a command first: ${serveNames.example} (postern --help)`);
  if (commandsToCome.includes(name))
    throw new ConfigError(
      'ERR_NOT_BUILT',
      `postern ${name}: this version does not have it yet: postern --help lists what there is`,
    );
  const meant = nearest(name, Object.keys(commands));
  throw new ConfigError(
    'ERR_USAGE',
    `postern "${printable(name)}": there is no such command: ${meant === undefined ? 'postern --help lists them' : `did you mean ${meant}?`}`,
  );
}

/** One line. */
function tell(error: unknown): number {
  if (error instanceof PosternError) say(`${error.code}: ${error.message}`);
  else say(`ERR_INTERNAL: ${describeError(error)}`);
  return error instanceof ConfigError ? 2 : 1;
}
