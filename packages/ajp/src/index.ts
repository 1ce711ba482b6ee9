import type { BackEndOptions, LimitCounts, Limits, PeerOptions, Protocol } from '@postern/core';
import { AjpClientConnection } from './client-connection.ts';
import { Magic } from './constants.ts';
import { AjpServerConnection } from './server-connection.ts';

/** AJP, version 1.3. */
export const ajp: Protocol = {
  name: 'ajp',
  /** Each packet towards the application begins with 0x1234. */
  sniff(bytes) {
    if (bytes.length === 0) return 'more';
    if (bytes[0] !== Magic.request >> 8) return 'no';
    if (bytes.length < 2) return 'more';
    return bytes[1] === (Magic.request & 255) ? 'yes' : 'no';
  },
  server: (limits: Limits, peer?: PeerOptions, counts?: LimitCounts) => new AjpServerConnection(limits, peer, counts),
  client: (limits: Limits, options?: BackEndOptions) => new AjpClientConnection(limits, options),
};

export {
  endResponse,
  forwardRequest,
  getBodyChunk,
  packetHeader,
  requestBody,
  sendBodyChunk,
  sendHeaders,
  stringHeader,
} from './layouts.ts';
export {
  type AnswerInput,
  type AnswerState,
  answerTable,
  type ReceiveInput,
  type ReceiveState,
  receiveTable,
  type UploadInput,
  type UploadState,
  uploadTable,
} from './state.ts';
