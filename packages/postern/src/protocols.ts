import { ajp } from '@postern/ajp';
import type { ServerProtocol } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { scgi } from '@postern/scgi';
import { type UwsgiOptions, uwsgi, uwsgiWith } from '@postern/uwsgi';
import { type GatewayName, gatewayNames } from './address.ts';

const protocols: Readonly<Record<GatewayName, ServerProtocol>> = { fastcgi, scgi, ajp, uwsgi };

/** Whether a name is that of a protocol between a web server and an application. */
export function isGateway(name: string): name is GatewayName {
  return (gatewayNames as readonly string[]).includes(name);
}

/** @param more what of uwsgi is served beside requests with modifier 0 */
export function protocolOf(name: GatewayName, more?: UwsgiOptions): ServerProtocol {
  if (name === 'uwsgi' && more !== undefined) return uwsgiWith(more);
  return protocols[name];
}
