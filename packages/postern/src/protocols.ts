import type { ServerProtocol } from '@postern/core';
import { auto, type HttpListener, http, type Listened, type ServerTls } from '@postern/server';
import type { UwsgiOptions } from '@postern/uwsgi';
import { type GatewayName, gatewayNames, type ProtocolName } from './address.ts';

/** Each is loaded when it is wanted: most servers speak one. */
const loaders: Readonly<Record<GatewayName, (options?: UwsgiOptions) => Promise<ServerProtocol>>> = {
  fastcgi: async () => (await import('@postern/fastcgi')).fastcgi,
  scgi: async () => (await import('@postern/scgi')).scgi,
  ajp: async () => (await import('@postern/ajp')).ajp,
  uwsgi: async (options = {}) => (await import('@postern/uwsgi')).uwsgiWith(options),
};

/** What the log can name where it is not served. Whoever listens for one of them does so first. */
export function knownProtocols(): Promise<ServerProtocol[]> {
  return Promise.all(gatewayNames.map((name) => loaders[name]()));
}

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

export async function protocolOf(name: ProtocolName, { uwsgi, tls, listener }: ProtocolOptions): Promise<Listened> {
  if (isGateway(name)) return loaders[name](uwsgi);
  if (name !== 'auto') return http({ tls, listener });
  return auto(await Promise.all(gatewayNames.map((gateway) => loaders[gateway](uwsgi))), http({ listener }));
}
