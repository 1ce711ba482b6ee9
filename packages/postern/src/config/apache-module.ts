import { ConfigError, printable } from '@postern/core';

/** The module of Apache for each protocol: mod_proxy_…, which is the scheme of its addresses as well. */
const modules = { fastcgi: 'fcgi', scgi: 'scgi', ajp: 'ajp', uwsgi: 'uwsgi', http: 'http' } as const;
export type ApacheProtocol = keyof typeof modules;
export const apacheProtocols = Object.keys(modules) as ApacheProtocol[];

/**
 * The name behind mod_proxy_ for a protocol.
 * @param asked `fcgi`, `apache:fcgi` or `mod_proxy_fcgi`: what --module says, where it is given
 * @throws ConfigError ERR_OPTION: there is no such module, or it does not speak the protocol
 */
export function apacheModule(protocol: ApacheProtocol, asked: string | undefined, address: string): string {
  const module = modules[protocol];
  if (asked === undefined) return module;
  const name = asked.replace(/^apache:/, '').replace(/^mod_proxy_/, '');
  const spoken = apacheProtocols.find((one) => modules[one] === name || one === name);
  if (spoken === protocol) return module;
  const where = `--module ${/^[\w:]+$/.test(asked) ? asked : `"${printable(asked)}"`}`;
  throw new ConfigError(
    'ERR_OPTION',
    spoken === undefined
      ? `${where}: there is no such module: write one of ${Object.values(modules).join(', ')}, or leave it out`
      : `${where}: it speaks ${spoken}, and the app listens on ${address}: write ${module}, or leave it out`,
  );
}
