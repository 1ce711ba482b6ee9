import { ConfigError, printable } from '@postern/core';
import { parseAddress } from '../address.ts';
import { type AppRole, appRoles } from '../config/site.ts';
import { systemdUnits } from '../config/systemd.ts';
import { type WebServerName, webServerConfig, webServerNames } from '../config/web-servers.ts';
import { nearest } from '../suggest.ts';
import { single } from '../usage.ts';
import { configNames } from './config.ts';

const targets = [...webServerNames, 'systemd'] as const;
/** What is for a web server, and not for what starts an app. */
const siteFlags = ['server-name', 'root', 'module', 'role'];

/** Prints the configuration. @returns the exit code @throws ConfigError */
export async function runConfig(args: Record<string, unknown>): Promise<number> {
  const target = readTarget(String(args.target));
  const listen = single(args.listen, 'listen');
  if (listen === undefined)
    throw new ConfigError(
      'ERR_USAGE',
      `postern config needs the address that the app listens on: ${configNames.example}`,
    );
  process.stdout.write(target === 'systemd' ? printUnits(listen, args) : printSite(target, listen, args));
  return 0;
}

function printSite(server: WebServerName, listen: string, args: Record<string, unknown>): string {
  return webServerConfig(server, parseAddress(listen, 'listen'), {
    serverName: single(args['server-name'], 'server-name'),
    root: single(args.root, 'root'),
    module: single(args.module, 'module'),
    role: readRole(single(args.role, 'role')),
    program: single(args.program, 'program'),
  });
}

function printUnits(listen: string, args: Record<string, unknown>): string {
  const flag = siteFlags.find((name) => args[name] !== undefined);
  if (flag !== undefined)
    throw new ConfigError('ERR_USAGE', `--${flag} is for a web server: leave it out for postern config systemd`);
  return systemdUnits(listen, parseAddress(listen, 'listen'), { program: single(args.program, 'program') });
}

function readRole(name: string | undefined): AppRole | undefined {
  const role = appRoles.find((one) => one === name);
  if (role === undefined && name !== undefined)
    throw new ConfigError('ERR_OPTION', `--role "${printable(name)}": write ${appRoles.join(' or ')}`);
  return role;
}

function readTarget(name: string): WebServerName | 'systemd' {
  const known = targets.find((target) => target === name);
  if (known !== undefined) return known;
  const listed = `${targets.slice(0, -1).join(', ')} and ${targets.at(-1)}`;
  const meant = nearest(name, targets);
  throw new ConfigError(
    'ERR_USAGE',
    `postern config "${printable(name)}": there is no such target: ${meant === undefined ? `${listed} are there` : `did you mean ${meant}?`}`,
  );
}
