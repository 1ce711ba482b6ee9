import type { Argv } from 'yargs';
import { limitFlags } from '../limit-flags.ts';
import { plainArguments } from '../plain-arguments.ts';
import type { CommandNames } from '../usage.ts';

const example = 'postern serve ./app.mjs --listen fastcgi://127.0.0.1:9000';

/** Of the contract; refused by name. */
const switchesToCome = ['watch', 'lint'];
export const serveFlagsToCome = [
  'workers',
  'access-log',
  'status',
  'max-requests',
  'pid-file',
  'user',
  'group',
  'config',
  ...switchesToCome,
];

export const serveNames: CommandNames = {
  command: 'serve',
  example,
  operand: 'the module of the app',
  flags: ['listen', 'interface', 'mount', 'ready-file', 'help', 'version', ...limitFlags.map(({ flag }) => flag)],
};

const helpFlags = ['help', 'version'];
const valueFlags = serveNames.flags.filter((flag) => !helpFlags.includes(flag));

export function plainServe(words: readonly string[]): Record<string, unknown> | undefined {
  return plainArguments(words, 'module', valueFlags, ['listen']);
}

export function buildServe(yargs: Argv): Argv {
  yargs
    .usage(
      `Example:
  ${example}
  postern serve ./app.mjs --listen 'fastcgi+unix:/run/app.sock?mode=0660&group=www-data'
  postern serve ./app.mjs

Usage: postern serve <module> [--listen ADDR]... [flags]

Serves the default export, \`app\` or \`handler\` of a module, and over FastCGI its exports \`authorizer\` and
\`filter\` in those roles. Without --listen: as a CGI program where a web server
has started it as one, over FastCGI where descriptor 0 listens, else on http://127.0.0.1:8080 for development.`,
    )
    .positional('module', { type: 'string', demandOption: true, describe: 'the file that exports the app' })
    .option('listen', {
      group: 'Flags:',
      type: 'string',
      array: true,
      requiresArg: true,
      describe:
        'an address: PROTOCOL://HOST:PORT, PROTOCOL+unix:/PATH, PROTOCOL+fd:N or PROTOCOL+systemd:NAME; fastcgi, scgi, ajp, uwsgi, http, https or auto (the first bytes tell)',
    })
    .option('interface', {
      group: 'Flags:',
      type: 'string',
      requiresArg: true,
      describe: 'the kind of the app: environ, node or fetch [found out]',
    })
    .option('mount', {
      group: 'Flags:',
      type: 'string',
      requiresArg: true,
      describe: 'the prefix of the app: it divides SCRIPT_NAME from PATH_INFO',
    })
    .option('ready-file', {
      group: 'Flags:',
      type: 'string',
      requiresArg: true,
      describe: 'a file that exists while the app is served; it holds the addresses',
    });
  for (const { flag, text } of limitFlags) {
    yargs.option(flag, {
      type: 'string',
      requiresArg: true,
      describe: text,
      group: flag === 'grace' ? 'Flags:' : 'Limits (sizes: 64k, 10m; times: 500ms, 30s):',
    });
  }
  for (const flag of serveFlagsToCome)
    yargs.option(flag, { hidden: true, type: switchesToCome.includes(flag) ? 'boolean' : 'string' });
  return yargs;
}
