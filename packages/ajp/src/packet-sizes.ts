import { ConfigError } from '@postern/core';

/** Tomcat packetSize, mod_jk max_packet_size, httpd ProxyIOBufferSize: the least and the usual one, and the most. */
export const PACKET_SIZE = 8192;
export const MAX_PACKET_SIZE = 65_536;

/** What fits into one packet, in bytes. Both sides must have the same. */
export interface PacketSizes {
  /** With the header of four bytes. */
  readonly packet: number;
  readonly payload: number;
  /** Body of a request: header and inner length go off. */
  readonly requestPiece: number;
  /** Body of a reply: header, type, length and the NUL behind it go off. */
  readonly replyPiece: number;
}

/** @throws ConfigError ERR_OPTION: no whole number from 8192 to 65536 */
export function packetSizes(packet: number = PACKET_SIZE): PacketSizes {
  if (!Number.isInteger(packet) || packet < PACKET_SIZE || packet > MAX_PACKET_SIZE) {
    throw new ConfigError(
      'ERR_OPTION',
      `packetSize: ${packet} is not a whole number from ${PACKET_SIZE} to ${MAX_PACKET_SIZE}`,
    );
  }
  return { packet, payload: packet - 4, requestPiece: packet - 6, replyPiece: packet - 8 };
}
