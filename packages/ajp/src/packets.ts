import { MAX_REPLY_PIECE, MessageType } from './constants.ts';
import { u16Text } from './strings.ts';

/** A packet towards the web server, as latin-1 text. */
export function packetText(payload: string): string {
  return `AB${u16Text(payload.length)}${payload}`;
}

function typeText(type: number): string {
  return String.fromCharCode(type);
}

export const CPONG = packetText(typeText(MessageType.CPONG));
/** A body chunk without bytes: what came before it is not to be held back. */
export const FLUSH = packetText(`${typeText(MessageType.SEND_BODY_CHUNK)}\0\0\0`);
export const END_REUSE = packetText(`${typeText(MessageType.END_RESPONSE)}\x01`);
export const END_CLOSE = packetText(`${typeText(MessageType.END_RESPONSE)}\x00`);

export function getBodyText(length: number): string {
  return packetText(typeText(MessageType.GET_BODY_CHUNK) + u16Text(length));
}

/** Bytes that a chunk of a reply body has around its content. */
export const CHUNK_FRAME = 8;

/** A text of one-byte characters as SEND_BODY_CHUNK packets. */
export function chunksText(text: string): string {
  let packets = '';
  for (let at = 0; at < text.length; at += MAX_REPLY_PIECE) {
    const piece = text.slice(at, at + MAX_REPLY_PIECE);
    packets += packetText(`${typeText(MessageType.SEND_BODY_CHUNK)}${u16Text(piece.length)}${piece}\0`);
  }
  return packets;
}

/** Writes what stands before the content of a SEND_BODY_CHUNK; returns where the content goes. */
export function writeChunkHeader(into: Buffer, at: number, length: number): number {
  into[at] = 0x41;
  into[at + 1] = 0x42;
  into[at + 2] = (length + 4) >> 8;
  into[at + 3] = (length + 4) & 255;
  into[at + 4] = MessageType.SEND_BODY_CHUNK;
  into[at + 5] = length >> 8;
  into[at + 6] = length & 255;
  return at + 7;
}
