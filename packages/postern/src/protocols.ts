import { ajp } from '@postern/ajp';
import { ConfigError, type ServerProtocol } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { scgi } from '@postern/scgi';
import type { ProtocolName } from './address.ts';

/** The protocols that this version serves. */
const protocols: Readonly<Record<ProtocolName, ServerProtocol>> = { fastcgi, scgi, ajp };

/**
 * The protocol of a name.
 * @throws ConfigError ERR_NOT_BUILT: a secret is set that would not be asked for
 */
export function protocolOf(name: ProtocolName): ServerProtocol {
  if (name === 'ajp' && process.env.AJP_SECRET) {
    throw new ConfigError(
      'ERR_NOT_BUILT',
      'AJP_SECRET in the environment: this version does not ask web servers for it yet: unset it, and listen on loopback or a unix socket',
    );
  }
  return protocols[name];
}
