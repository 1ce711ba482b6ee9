import type { Limits, PeerOptions, Protocol } from '@postern/core';
import { OneShotClientConnection, OneShotServerConnection } from '@postern/wire';
import { HEADER_LENGTH, Modifier } from './constants.ts';
import { type UwsgiOptions, uwsgiFormat } from './head.ts';
import { uwsgiRequests } from './request.ts';

/** The uwsgi protocol, with more of it than requests alone. */
export function uwsgiWith(options: UwsgiOptions): Protocol {
  const format = uwsgiFormat(options);
  return {
    name: 'uwsgi',
    /** A connection begins with modifier 0, a size that is not 0, and modifier 0. */
    sniff(bytes) {
      if (bytes.length === 0) return 'more';
      if (bytes[0] !== Modifier.REQUEST) return 'no';
      if (bytes.length < HEADER_LENGTH) return 'more';
      return (bytes[1] | bytes[2]) !== 0 && bytes[3] === 0 ? 'yes' : 'no';
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
