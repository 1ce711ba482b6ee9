import type { ServerProtocol } from '@postern/core';
import { foreignProtocols, httpBeginning } from './foreign-protocols.ts';
import type { HttpProtocol } from './http-protocol.ts';
import type { Sniffer } from './opening.ts';

/** Protocols of which the first bytes of each connection choose one. */
export interface AutoProtocol {
  readonly name: 'auto';
  readonly framed: readonly ServerProtocol[];
  /** Without TLS. */
  readonly http: HttpProtocol;
  /** Of all that is told apart, also to be refused by name. */
  readonly sniffers: readonly Sniffer[];
}

/** What can be listened to on one address. */
export type Listened = ServerProtocol | HttpProtocol | AutoProtocol;

export function auto(framed: readonly ServerProtocol[], http: HttpProtocol): AutoProtocol {
  return { name: 'auto', framed, http, sniffers: [...framed, httpBeginning, ...foreignProtocols] };
}

export function isAuto(protocol: Listened): protocol is AutoProtocol {
  return 'framed' in protocol;
}
