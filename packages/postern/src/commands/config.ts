import type { Argv } from 'yargs';
import type { CommandNames } from '../usage.ts';

const example = 'postern config nginx --listen fastcgi://127.0.0.1:9000 --server-name www.example.org';

/** Of the contract; refused by name. */
export const configFlagsToCome: readonly string[] = [];

export const configNames: CommandNames = {
  command: 'config',
  example,
  operand: 'the name of a web server',
  flags: ['listen', 'server-name', 'root', 'module', 'help', 'version'],
};

export function buildConfig(yargs: Argv): Argv {
  return yargs
    .usage(
      `Example:
  ${example}
  postern config apache --listen ajp+unix:/run/app.sock --root /srv/www

Usage: postern config nginx|apache|lighttpd --listen ADDR [--server-name NAME[:PORT]] [--root DIR] [--module NAME]

Prints a complete configuration of the web server for an app that listens on ADDR.`,
    )
    .positional('target', {
      type: 'string',
      demandOption: true,
      describe: 'the web server: nginx, apache or lighttpd',
    })
    .option('listen', { type: 'string', requiresArg: true, describe: 'the address that the app listens on' })
    .option('server-name', {
      type: 'string',
      requiresArg: true,
      describe: 'the host name of the site, and the port that the web server listens on [every name, port 80]',
    })
    .option('root', {
      type: 'string',
      requiresArg: true,
      describe: 'a folder with files that are served without the app',
    })
    .option('module', {
      type: 'string',
      requiresArg: true,
      describe: "apache: ajp, fcgi, scgi, uwsgi or http, as a check of ADDR's protocol [from ADDR]",
    });
}
