/**
 * What nothing in Node.js can cost less than: connections without streams, as `server/src/light-socket.ts` has them, no
 * variable is read, and the answer is one constant. `fastcgi` cuts records; `scgi` takes what comes for one request.
 */
import { createServer } from 'node:net';
import { constantNode } from '../apps.mjs';
import { CONSTANT } from '../scenarios.mjs';
import { listenHttp, listenOn } from './listen.mjs';

const { WriteWrap, kReadBytesOrError, streamBaseState } = process.binding('stream_wrap');

const content = `Status: 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${CONSTANT.length}\r\n\r\n${CONSTANT}`;
const padding = -content.length & 7;
const END = '\x01\x06\x00\x01\x00\x00\x00\x00\x01\x03\x00\x01\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00';
const header = String.fromCharCode(1, 6, 0, 1, content.length >> 8, content.length & 255, padding, 0);
const records = header + content + '\0'.repeat(padding) + END;

const STDIN = 5;
const bytes = Buffer.allocUnsafeSlow(65_536);
let spare;

/** The kernel takes at once what is as short as this. */
function write(handle, text) {
  spare ??= new WriteWrap();
  handle.writeLatin1String(spare, text);
}

function readFastcgi() {
  const count = streamBaseState[kReadBytesOrError];
  if (count < 0) this.close();
  for (let at = 0; at + 8 <= count; ) {
    const length = (bytes[at + 4] << 8) | bytes[at + 5];
    if (bytes[at + 1] === STDIN && length === 0) write(this, records);
    at += 8 + length + bytes[at + 6];
  }
}

function readScgi() {
  const count = streamBaseState[kReadBytesOrError];
  if (count > 0) write(this, content);
  if (count !== 0) this.close();
}

export async function listen(target, protocol) {
  if (protocol.startsWith('http')) return listenHttp(constantNode, target);
  const server = createServer();
  const address = await listenOn(server, target);
  server._handle.onconnection = (_, handle) => {
    handle.onread = protocol === 'scgi' ? readScgi : readFastcgi;
    handle.useUserBuffer(bytes);
    handle.readStart();
  };
  return address;
}
