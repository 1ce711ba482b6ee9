import type { PeerOptions } from '@postern/core';
import { type PacketSizes, packetSizes } from './packet-sizes.ts';
import { letIn } from './request-attributes.ts';
import { checkSecret, Secret } from './secret.ts';

/**
 * lighttpd counts the bytes that it was asked for and sends them in several packets. Over TCP its packets wait for our
 * acknowledgements, 40 ms each: asking for eight at once makes a large upload twenty times as fast.
 */
export const LIGHTTPD_ASKED = 65_535;

/** What a listener's address says of its web server, checked. */
export interface Peer {
  readonly sizes: PacketSizes;
  /** Its packets with body bytes have no inner length, and its paths come decoded. */
  readonly lighttpd: boolean;
  /** It joins Cookie fields with a comma. AJP names no software: who is not named otherwise is Apache. */
  readonly apache: boolean;
  readonly halfCloseServes: boolean;
  /** What each request must carry; undefined: nothing is asked for. */
  readonly secret: Secret | undefined;
  readonly trustRemoteUser: boolean;
  /** Request attributes that are let in, and the variable that each becomes. */
  readonly attributes: ReadonlyMap<string, string>;
}

/** @throws ConfigError ERR_OPTION: see `packetSizes`, `checkSecret`, `letIn` */
export function peerOf(options: PeerOptions = {}): Peer {
  const secret = checkSecret(options.secret);
  return {
    sizes: packetSizes(options.packetSize),
    lighttpd: options.peer === 'lighttpd',
    apache: options.peer === undefined || options.peer === 'apache',
    halfCloseServes: options.halfCloseServes === true,
    secret: secret === undefined ? undefined : new Secret(secret),
    trustRemoteUser: options.trustRemoteUser === true,
    attributes: letIn(options.attributes),
  };
}
