import type { Argv } from 'yargs';
import type { CommandNames } from '../usage.ts';

const example = 'postern config nginx --listen fastcgi://127.0.0.1:9000 --server-name www.example.org';

/** Of the contract; refused by name. */
export const configFlagsToCome = ['module'];

export const configNames: CommandNames = {
  command: 'config',
  example,
  operand: 'the name of a web server',
  flags: ['listen', 'server-name', 'root', 'help', 'version'],
};

export function buildConfig(yargs: Argv): Argv {
  return yargs
    .usage(
      `Example:
  ${example}

Usage: postern config nginx --listen ADDR [--server-name NAME] [--root DIR]

Prints a complete configuration of the web server for an app that listens on ADDR.`,
    )
    .positional('target', { type: 'string', demandOption: true, describe: 'the web server: nginx' })
    .option('listen', { type: 'string', requiresArg: true, describe: 'the address that the app listens on' })
    .option('server-name', { type: 'string', requiresArg: true, describe: 'the host name of the site' })
    .option('root', {
      type: 'string',
      requiresArg: true,
      describe: 'a folder with files that are served without the app',
    })
    .option('module', { hidden: true, type: 'string' });
}
