import type { OneShotRequests } from '@postern/wire';
import { Modifier, PONG } from './constants.ts';
import { packetHeader } from './layouts.ts';
import { writeVars } from './vars.ts';

export const uwsgiRequests: OneShotRequests = {
  name: 'uwsgi',
  /** CONTENT_LENGTH goes as it was given: without one there is no body. @throws as `writeVars` */
  encodeRequest(variables) {
    const block = writeVars(variables);
    return Buffer.concat([packetHeader.write({ modifier1: Modifier.REQUEST, datasize: block.length }), block]);
  },
  statusLine: true,
  ping: {
    ask: packetHeader.write({ modifier1: Modifier.PING }),
    answer: packetHeader.write({ modifier1: Modifier.PING, modifier2: PONG }),
  },
};
