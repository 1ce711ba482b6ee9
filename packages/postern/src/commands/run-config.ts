import { ConfigError, printable } from '@postern/core';
import { parseAddress } from '../address.ts';
import { type AppRole, appRoles } from '../config/site.ts';
import { type WebServerName, webServerConfig, webServerNames } from '../config/web-servers.ts';
import { nearest } from '../suggest.ts';
import { single } from '../usage.ts';
import { configNames } from './config.ts';

/** Of the contract; refused by name. */
const targetsToCome = ['systemd'];

/** Prints the configuration. @returns the exit code @throws ConfigError */
export async function runConfig(args: Record<string, unknown>): Promise<number> {
  const server = readTarget(String(args.target));
  const listen = single(args.listen, 'listen');
  if (listen === undefined)
    throw new ConfigError(
      'ERR_USAGE',
      `postern config needs the address that the app listens on: ${configNames.example}`,
    );
  const text = webServerConfig(server, parseAddress(listen, 'listen'), {
    serverName: single(args['server-name'], 'server-name'),
    root: single(args.root, 'root'),
    module: single(args.module, 'module'),
    role: readRole(single(args.role, 'role')),
    program: single(args.program, 'program'),
  });
  process.stdout.write(text);
  return 0;
}

function readRole(name: string | undefined): AppRole | undefined {
  const role = appRoles.find((one) => one === name);
  if (role === undefined && name !== undefined)
    throw new ConfigError('ERR_OPTION', `--role "${printable(name)}": write ${appRoles.join(' or ')}`);
  return role;
}

function readTarget(name: string): WebServerName {
  const known = webServerNames.find((server) => server === name);
  if (known !== undefined) return known;
  const listed = `${webServerNames.slice(0, -1).join(', ')} and ${webServerNames.at(-1)}`;
  if (targetsToCome.includes(name))
    throw new ConfigError(
      'ERR_NOT_BUILT',
      `postern config ${name}: this version does not have it yet: ${listed} are there`,
    );
  const meant = nearest(name, [...webServerNames, ...targetsToCome]);
  throw new ConfigError(
    'ERR_USAGE',
    `postern config "${printable(name)}": there is no such web server: ${meant === undefined ? `${listed} are there` : `did you mean ${meant}?`}`,
  );
}
