import type { Limits, PeerOptions, Protocol } from '@postern/core';
import { OneShotClientConnection, OneShotServerConnection } from '@postern/wire';
import { HEADER_LENGTH, Modifier } from './constants.ts';
import { type UwsgiOptions, uwsgiFormat } from './head.ts';
import { uwsgiRequests } from './request.ts';

/** The uwsgi protocol, with more of it than requests alone. */
export function uwsgiWith(options: UwsgiOptions): Protocol {
  const format = uwsgiFormat(options);
  const isServed = (modifier: number): boolean =>
    modifier === Modifier.REQUEST ||
    (modifier === Modifier.SCRIPT_NAME && options.modifier30 === true) ||
    (modifier === Modifier.PING && options.ping === true);
  return {
    name: 'uwsgi',
    carriesUpgrade: true,
    /** A connection begins with a modifier that is served, a size that is not 0, and modifier 0; a ping has no size. */
    sniff(bytes) {
      if (bytes.length === 0) return 'more';
      if (!isServed(bytes[0])) return 'no';
      if (bytes.length < HEADER_LENGTH) return 'more';
      const sized = (bytes[1] | bytes[2]) !== 0 || bytes[0] === Modifier.PING;
      return sized && bytes[3] === 0 ? 'yes' : 'no';
    },
    server: (limits: Limits, peer?: PeerOptions) => new OneShotServerConnection(format, limits, peer),
    client: (limits: Limits) => new OneShotClientConnection(uwsgiRequests, limits),
  };
}

/** The uwsgi protocol: requests alone. */
export const uwsgi: Protocol = uwsgiWith({});

export type { UwsgiOptions } from './head.ts';
export { itemHeader, packetHeader } from './layouts.ts';
export { type ReceiveInput, type ReceiveState, receiveTable } from './state.ts';
