import { ConfigError, type PeerOptions } from '@postern/core';
import type { ListenTarget } from '@postern/server';
import { type ApacheOptions, apacheConfig } from './apache.ts';
import { lighttpdConfig } from './lighttpd.ts';
import { nginxConfig } from './nginx.ts';

const generators = { nginx: nginxConfig, apache: apacheConfig, lighttpd: lighttpdConfig };
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
  { protocol, target, peer, text }: AppAddress,
  options: Omit<ApacheOptions, 'peer'>,
): string {
  if (options.module !== undefined && server !== 'apache')
    throw new ConfigError('ERR_USAGE', `--module is for postern config apache: leave it out for ${server}`);
  if (peer.peer !== undefined && peer.peer !== 'none' && peer.peer !== server)
    throw new ConfigError(
      'ERR_OPTION',
      `--listen ${text}?peer=${peer.peer}: the app expects ${peer.peer} there: write peer=${server}, there and where it listens, or postern config ${peer.peer}`,
    );
  return generators[server](protocol, target, { ...options, peer });
}
