import type { BackEndOptions, Limits, PeerOptions, Protocol } from '@postern/core';
import { OneShotClientConnection, OneShotServerConnection } from '@postern/wire';
import { COLON, DIGIT_0, DIGIT_9 } from './constants.ts';
import { scgiFormat } from './head.ts';
import { encodeRequest } from './request.ts';

/** More digits than any limit on the header block has. */
const MAX_DIGITS = 9;

/** SCGI, the Simple Common Gateway Interface. */
export const scgi: Protocol = {
  name: 'scgi',
  carriesUpgrade: true,
  /** A connection begins with the length of a netstring and a colon. */
  sniff(bytes) {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === COLON && at > 0) return 'yes';
      if (byte < DIGIT_0 || byte > DIGIT_9 || at === MAX_DIGITS || bytes[0] === DIGIT_0) return 'no';
    }
    return 'more';
  },
  server: (limits: Limits, peer?: PeerOptions) => new OneShotServerConnection(scgiFormat, limits, peer),
  client: (limits: Limits, { nph = false }: BackEndOptions = {}) =>
    new OneShotClientConnection({ name: 'SCGI', encodeRequest, statusLine: nph }, limits),
};

export {
  type ReceiveInput,
  type ReceiveState,
  receiveTable,
} from './state.ts';
