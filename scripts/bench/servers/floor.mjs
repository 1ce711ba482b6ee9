/**
 * What nothing over node:net can cost less than: no variable is read, and the answer is one constant. `fastcgi` cuts
 * records; `scgi` takes what comes for one request.
 */
import { createServer } from 'node:net';
import { constantNode } from '../apps.mjs';
import { CONSTANT } from '../scenarios.mjs';
import { listenHttp, listenOn } from './listen.mjs';

const content = `Status: 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${CONSTANT.length}\r\n\r\n${CONSTANT}`;
const padding = -content.length & 7;
const END = '\x01\x06\x00\x01\x00\x00\x00\x00\x01\x03\x00\x01\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00';
const header = String.fromCharCode(1, 6, 0, 1, content.length >> 8, content.length & 255, padding, 0);
const records = header + content + '\0'.repeat(padding) + END;

const STDIN = 5;

function serveFastcgi(socket) {
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    for (let at = 0; at + 8 <= bytes.length; ) {
      const length = (bytes[at + 4] << 8) | bytes[at + 5];
      if (bytes[at + 1] === STDIN && length === 0) socket.write(records, 'latin1');
      at += 8 + length + bytes[at + 6];
    }
  });
}

function serveScgi(socket) {
  socket.on('error', () => {});
  socket.on('data', () => socket.end(content, 'latin1'));
}

export function listen(target, protocol) {
  if (protocol.startsWith('http')) return listenHttp(constantNode, target);
  return listenOn(createServer(protocol === 'scgi' ? serveScgi : serveFastcgi), target);
}
