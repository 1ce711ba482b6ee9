import { ConfigError, type PeerOptions } from '@postern/core';
import type { ListenTarget } from '@postern/server';
import { formatAddress } from '../address.ts';
import { type ApacheOptions, apacheConfig } from './apache.ts';
import { spokenBy } from './apache-module.ts';
import { caddyConfig } from './caddy.ts';
import { haproxyConfig } from './haproxy.ts';
import { lighttpdConfig } from './lighttpd.ts';
import { nginxConfig } from './nginx.ts';

const generators = {
  nginx: nginxConfig,
  apache: apacheConfig,
  lighttpd: lighttpdConfig,
  caddy: caddyConfig,
  haproxy: haproxyConfig,
};
export type WebServerName = keyof typeof generators;
export const webServerNames = Object.keys(generators) as WebServerName[];

/** What a parsed address says. */
export interface AppAddress {
  readonly protocol: string;
  readonly target: ListenTarget;
  readonly peer: PeerOptions;
  readonly text: string;
}

/**
 * The configuration of a web server for an application that listens on an address.
 * @throws ConfigError ERR_USAGE: an option is for another web server; ERR_OPTION, ERR_NOT_BUILT
 */
export function webServerConfig(
  server: WebServerName,
  address: AppAddress,
  options: Omit<ApacheOptions, 'peer'>,
): string {
  if (address.protocol === 'auto') return autoConfig(server, address, options);
  const { protocol, target, peer, text } = address;
  if (options.module !== undefined && server !== 'apache')
    throw new ConfigError('ERR_USAGE', `--module is for postern config apache: leave it out for ${server}`);
  if (server !== 'apache' && server !== 'lighttpd') refuseStarting(server, options);
  if (options.role === 'authorizer' && protocol !== 'fastcgi')
    throw new ConfigError(
      'ERR_OPTION',
      `--listen ${text}: only FastCGI has authorizers: let it listen with fastcgi, or leave --role out`,
    );
  if (peer.peer !== undefined && peer.peer !== 'none' && peer.peer !== server)
    throw new ConfigError(
      'ERR_OPTION',
      `--listen ${text}?peer=${peer.peer}: the app expects ${peer.peer} there: write peer=${server}, there and where it listens, or postern config ${peer.peer}`,
    );
  return generators[server](protocol, target, { ...options, peer });
}

/** Where the first bytes of a connection tell, it is FastCGI, which all web servers speak, or what Apache's module does. */
function autoConfig(server: WebServerName, address: AppAddress, options: Omit<ApacheOptions, 'peer'>): string {
  const protocol = (options.module === undefined ? undefined : spokenBy(options.module)) ?? 'fastcgi';
  const text = formatAddress(protocol, address.target);
  const config = webServerConfig(server, { ...address, protocol, text }, options);
  return config.replace(text, () => `${address.text}, over ${protocol}`);
}

/** @throws ConfigError ERR_OPTION: the web server starts no programs, or has no authorizers */
function refuseStarting(server: WebServerName, { program, role }: Omit<ApacheOptions, 'peer'>): void {
  const refuse = (flag: string, why: string) =>
    new ConfigError(
      'ERR_OPTION',
      `--${flag}: ${server} ${why}, Apache and lighttpd do: take one of them, or leave it out`,
    );
  if (program !== undefined) throw refuse('program', 'starts no apps');
  if (role === 'authorizer') throw refuse('role authorizer', 'asks no FastCGI authorizers');
}
