import type { Argv } from 'yargs';
import type { CommandNames } from '../usage.ts';

const example = 'postern config nginx --listen fastcgi://127.0.0.1:9000 --server-name www.example.org';

/** Of the contract; refused by name. */
export const configFlagsToCome: readonly string[] = [];

export const configNames: CommandNames = {
  command: 'config',
  example,
  operand: 'the name of a web server, or systemd',
  flags: ['listen', 'server-name', 'root', 'module', 'role', 'program', 'help', 'version'],
};

export function buildConfig(yargs: Argv): Argv {
  return yargs
    .usage(
      `Example:
  ${example}
  postern config apache --listen ajp+unix:/run/app.sock --root /srv/www
  postern config lighttpd --listen fastcgi+fd:0 --program /srv/app/app.fcgi
  postern config systemd --listen fastcgi+unix:/run/app.sock --program /srv/app/app.mjs

Usage: postern config nginx|apache|lighttpd|caddy|haproxy|systemd --listen ADDR [flags]

Prints a complete configuration of the web server for an app that listens on ADDR, or the two units of systemd that
open the socket and start the app.`,
    )
    .positional('target', {
      type: 'string',
      demandOption: true,
      describe: 'the web server: nginx, apache, lighttpd, caddy or haproxy; or systemd',
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
      describe: 'apache: fcgi, scgi, ajp, uwsgi, http, fcgid or authnz_fcgi [from ADDR and the role]',
    })
    .option('role', {
      type: 'string',
      requiresArg: true,
      describe: 'apache, lighttpd: what the app is asked for over FastCGI: responder or authorizer [responder]',
    })
    .option('program', {
      type: 'string',
      requiresArg: true,
      describe:
        'apache, lighttpd: with --listen fastcgi+fd:0 the executable file that the web server starts; systemd: the module of the app',
    });
}
