import { ajp } from '@postern/ajp';
import type { ServerProtocol } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { scgi } from '@postern/scgi';
import { auto, type HttpListener, http, type Listened, type ServerTls } from '@postern/server';
import { type UwsgiOptions, uwsgi, uwsgiWith } from '@postern/uwsgi';
import { type GatewayName, gatewayNames, type ProtocolName } from './address.ts';

const protocols: Readonly<Record<GatewayName, ServerProtocol>> = { fastcgi, scgi, ajp, uwsgi };
/** What the log can name where it is not served. */
export const knownProtocols: readonly ServerProtocol[] = Object.values(protocols);

/** What a server with the surface of `http.Server` is for: HTTP alone node:http serves itself. */
export type ListenedName = GatewayName | 'auto';

export function isListened(name: string): name is ListenedName {
  return name === 'auto' || isGateway(name);
}

/** Whether a name is that of a protocol between a web server and an application. */
function isGateway(name: string): name is GatewayName {
  return (gatewayNames as readonly string[]).includes(name);
}

/** What is said of the protocols of an address beside its keys. */
export interface ProtocolOptions {
  /** What of uwsgi is served beside requests with modifier 0. */
  readonly uwsgi?: UwsgiOptions | undefined;
  readonly tls?: ServerTls | undefined;
  /** What answers over HTTP with Node's own `req` and `res`. */
  readonly listener?: HttpListener | undefined;
}

export function protocolOf(name: ProtocolName, { uwsgi: more, tls, listener }: ProtocolOptions): Listened {
  const served = (gateway: GatewayName): ServerProtocol =>
    gateway === 'uwsgi' && more !== undefined ? uwsgiWith(more) : protocols[gateway];
  if (isGateway(name)) return served(name);
  return name === 'auto' ? auto(gatewayNames.map(served), http({ listener })) : http({ tls, listener });
}
