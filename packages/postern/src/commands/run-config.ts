import { ConfigError, printable } from '@postern/core';
import { parseAddress } from '../address.ts';
import { nginxConfig } from '../config-nginx.ts';
import { nearest } from '../suggest.ts';
import { single } from '../usage.ts';
import { configNames } from './config.ts';

/** Of the contract; refused by name. */
const targetsToCome = ['apache', 'lighttpd', 'caddy', 'haproxy', 'systemd'];

/** Prints the configuration. @returns the exit code @throws ConfigError */
export async function runConfig(args: Record<string, unknown>): Promise<number> {
  checkTarget(String(args.target));
  const listen = single(args.listen, 'listen');
  if (listen === undefined)
    throw new ConfigError(
      'ERR_USAGE',
      `postern config needs the address that the app listens on: ${configNames.example}`,
    );
  const { protocol, target } = parseAddress(listen, 'listen');
  const text = nginxConfig(protocol, target, {
    serverName: single(args['server-name'], 'server-name'),
    root: single(args.root, 'root'),
  });
  process.stdout.write(text);
  return 0;
}

function checkTarget(name: string): void {
  if (name === 'nginx') return;
  if (targetsToCome.includes(name))
    throw new ConfigError('ERR_NOT_BUILT', `postern config ${name}: this version does not have it yet: nginx is there`);
  const meant = nearest(name, ['nginx', ...targetsToCome]);
  throw new ConfigError(
    'ERR_USAGE',
    `postern config "${printable(name)}": there is no such web server: ${meant === undefined ? 'write nginx' : `did you mean ${meant}?`}`,
  );
}
