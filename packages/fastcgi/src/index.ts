import type { BackEndOptions, LimitCounts, Limits, PeerOptions, Protocol } from '@postern/core';
import { FastcgiClientConnection } from './client-connection.ts';
import { RecordType, VERSION } from './constants.ts';
import { FastcgiServerConnection } from './server-connection.ts';

/** FastCGI 1.0. */
export const fastcgi: Protocol = {
  name: 'fastcgi',
  carriesLog: true,
  carriesUpgrade: true,
  /** A connection begins with BEGIN_REQUEST or GET_VALUES. */
  sniff(bytes) {
    if (bytes.length === 0) return 'more';
    if (bytes[0] !== VERSION) return 'no';
    if (bytes.length < 2) return 'more';
    return bytes[1] === RecordType.BEGIN_REQUEST || bytes[1] === RecordType.GET_VALUES ? 'yes' : 'no';
  },
  server: (limits: Limits, peer?: PeerOptions, counts?: LimitCounts) =>
    new FastcgiServerConnection(limits, peer, counts),
  client: (limits: Limits, options?: BackEndOptions) => new FastcgiClientConnection(limits, options),
};

export { beginRequest, endRequest, recordHeader, unknownType } from './layouts.ts';
export {
  type FilterInput,
  type FilterState,
  filterTable,
  type ReceiveInput,
  type ReceiveState,
  receiveTable,
} from './state.ts';
